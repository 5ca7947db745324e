package retail

import (
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The sources under which deltas come.
const (
	SourceRows = "uci-retail"      // what the file says
	SourceMade = "uci-retail-made" // what the stock rule makes
)

// nonProducts are stock codes that stand for money or paper. Vouchers (gift_…) and
// tests (TEST…) come on top.
var nonProducts = map[string]bool{
	"POST": true, "DOT": true, "M": true, "C2": true, "D": true, "S": true, "B": true,
	"CRUK": true, "PADS": true, "BANK CHARGES": true, "AMAZONFEE": true,
}

func isProduct(code string) bool {
	code = strings.ToUpper(code)
	return !nonProducts[code] && !strings.HasPrefix(code, "GIFT_") && !strings.HasPrefix(code, "TEST")
}

// classify says which delta a row is, or why it is none. alone says that its invoice
// has no other line.
func classify(r *row, alone bool) (kind inventory.Kind, quantity int64, why Skip) {
	switch {
	case strings.HasPrefix(r.invoice, "A"):
		return inventory.KindNone, 0, BadDebt
	case !isProduct(r.code):
		return inventory.KindNone, 0, NotAProduct
	case r.quantity == 0:
		return inventory.KindNone, 0, ZeroQuantity
	case strings.HasPrefix(r.invoice, "C"):
		if r.quantity > 0 {
			return inventory.KindNone, 0, WrongSign
		}
		return inventory.Return, -r.quantity, 0
	case alone && r.price == 0 && r.customer == "":
		return inventory.Adjust, r.quantity, 0
	case r.quantity < 0 || r.price < 0:
		return inventory.KindNone, 0, WrongSign
	}
	return inventory.Sale, r.quantity, 0
}

// delta makes the row's delta. It may yet be out of the contract's limits.
func (c *Config) delta(r *row, kind inventory.Kind, quantity int64) inventory.Delta {
	d := inventory.Delta{
		ID:       r.invoice + "-" + strconv.Itoa(r.number),
		Source:   SourceRows,
		SKU:      r.code,
		Location: c.location(r),
		Kind:     kind,
		Quantity: quantity,
		Time:     r.time,
		Ref:      r.invoice,
		Price:    r.price,
	}
	switch kind {
	case inventory.Sale:
		d.Channel = "web"
	case inventory.Return:
		d.Channel, d.Reason = "web", "sellable"
	case inventory.Adjust:
		d.Reason = strings.TrimSpace(r.description)
	}
	return d
}

// location says where a row's stock is.
func (c *Config) location(r *row) string {
	if c.Locations <= 1 {
		return "uk-dc"
	}
	who := r.customer
	if who == "" {
		who = r.invoice
	}
	return "uk-" + strconv.FormatUint(c.hash(who)%uint64(c.Locations)+1, 10)
}

// hash is a seeded FNV-1a, with its bits mixed so that small moduli are even.
func (c *Config) hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendUint(nil, c.Seed, 16))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd // MurmurHash3's finalizer
	x ^= x >> 33
	return x
}
