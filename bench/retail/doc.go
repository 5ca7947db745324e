// Package retail reads the UCI Online Retail file, a year of a real gift
// wholesaler (D. Chen, DOI 10.24432/C5BW33, CC BY 4.0: 541,909 invoice lines from
// 2010-12-01 to 2011-12-09), as a stream of deltas.
//
//	src, err := retail.Open("online_retail.csv.zst", retail.Config{Seed: 1})
//	…
//	defer src.Close()
//	for d, ok := src.Next(); ok; d, ok = src.Next() {
//		publish(&d)
//	}
//	err = src.Err()
//	fmt.Println(src.Accounts())
//
// The file may be plain CSV, gzip or zstd; its first bytes tell. It is read twice
// (once to size the stock that it does not have) and never held in memory: what is
// kept is about 200 bytes a SKU and location.
//
// # What becomes of a row
//
// Every row is counted in [Accounts] under exactly one heading, and these add up:
//
//   - A line with a positive quantity is a sale on channel "web" at its unit price.
//   - A line of an invoice that begins with C gives its units back: a return with
//     reason "sellable", since the file names neither the invoice that it cancels nor the
//     state of the goods, and nearly all of them are cancelled orders.
//   - A line with price 0, no customer and an invoice to itself is a correction of
//     stock: an adjust whose reason is the description. Its sign is the stock's own
//     (damages below 0, found above), against sales, where it is units out. Free
//     lines of longer invoices are sales; they have no price.
//   - Left out, each with its own count: postage, fees, discounts, vouchers and the
//     like ([NotAProduct]); A invoices ([BadDebt]); quantity 0; a sign that none of
//     the above explains; and what can't be read, with its line.
//
// Two orders of 74,215 and 80,995 units, cancelled minutes later, come as they are.
//
// A row's delta has the source "uci-retail" and the id <invoice>-<row>, the row
// counted from 1 in the file: invoice and SKU together repeat. Stock codes are kept
// letter for letter, upper and lower case being different SKUs. Times have
// minutes only and no zone; they are taken as UTC. The file is in their order, and so are
// the deltas; a file that is not gives what it has in its own order.
//
// # What the file does not have
//
// It has no locations. By default all stock is at "uk-dc". With [Config].Locations =
// N > 1 a line is at "uk-1" … "uk-N" by a seeded hash of its customer, or of its
// invoice where there is none, so that a customer's returns come back to where they were sold.
//
// It has no opening stock, counts or receipts either. Unless [Config].NoStock,
// they are made by a seeded rule, from a source of their own, "uci-retail-made"; see [StockRule]
// for its numbers. A key opens with a count at its first row, sized on its own later
// demand; each evening what is low is ordered again (an ASN), and comes after a lead
// time (a receipt), now and then late or short. So stock runs out where demand rises
// faster than the rule foresaw, and exceptions really occur. The shop's true stock is not known.
//
// The same file, seed and configuration give the same deltas, byte for byte.
package retail
