package retail

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/holdfast-atp/holdfast/inventory"
)

const small = "testdata/small.csv"

func open(t *testing.T, path string, cfg Config) *Source {
	t.Helper()
	s, err := Open(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func all(t *testing.T, s *Source) []inventory.Delta {
	t.Helper()
	var got []inventory.Delta
	for d, ok := s.Next(); ok; d, ok = s.Next() {
		got = append(got, d)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

func say(d inventory.Delta) string {
	s := fmt.Sprintf("%s %s %s %d %s", d.Time.Time().Format("01-02 15:04"), d.ID, d.Kind, d.Quantity, d.SKU)
	if d.Price != 0 {
		s += fmt.Sprintf(" at %d", d.Price)
	}
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}

func TestEachRowBecomesWhatItMeans(t *testing.T) {
	s := open(t, small, Config{NoStock: true})
	var got []string
	for _, d := range all(t, s) {
		got = append(got, say(d))
	}
	want := []string{
		"12-01 08:26 536365-1 sale 6 85123A at 255",
		"12-01 08:26 536365-2 sale 2 85123a at 256",
		"12-01 08:28 536366-4 sale 4 22423 at 1275",
		"12-01 08:28 536366-5 sale 4 22423 at 1275",
		"12-01 08:28 536366-6 sale 1 21777", // given away with an order
		"12-01 08:40 C536367-7 return 4 22423 at 1275: sellable",
		"12-01 09:00 536368-8 adjust -3 22423: damages",
		"12-01 09:01 536369-9 adjust 10 21777",
		"12-01 09:02 536370-10 sale 2 85123A", // no customer and no price, but not alone
		"12-01 09:02 536370-11 sale 5 21777 at 145",
		"12-02 10:01 541431-20 sale 74215 23166 at 104",
		"12-02 10:17 C541433-21 return 74215 23166 at 104: sellable",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	a := s.Accounts()
	if a.Rows != 21 || s.Rows() != 21 || a.FromRows()+a.SkippedRows() != a.Rows {
		t.Errorf("%s (of %d): want 21, each under one heading", &a, s.Rows())
	}
	wantSkips := [skips]int{NotAProduct: 2, BadDebt: 1, ZeroQuantity: 1, WrongSign: 1, Unparsable: 3, OutOfLimits: 1}
	if a.Skipped != wantSkips {
		t.Errorf("skipped %v, want %v", a.Skipped, wantSkips)
	}
	var lines []string
	for _, err := range a.Errors {
		lines = append(lines, err.Error())
	}
	wantLines := []string{
		"line 15: a quote that is not closed on its line",
		`line 16: quantity "many" is not a whole number`,
		"line 19: 2 fields, and no Description",
		"row 19: overflow: quantity: 9007199254740993 is beyond ±(2^53−1)",
	}
	if !slices.Equal(lines, wantLines) {
		t.Errorf("errors %q\nwant %q", lines, wantLines)
	}
}

func TestTheWrappingMakesNoDifference(t *testing.T) {
	plain, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(plain)
	g.Close()
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(plain)
	z.Close()
	want := all(t, open(t, small, Config{Seed: 7}))
	for name, content := range map[string][]byte{
		"gzip": gz.Bytes(), "zstd": zst.Bytes(),
		"a byte order mark and CRLF": []byte("\ufeff" + strings.ReplaceAll(string(plain), "\n", "\r\n")),
	} {
		path := filepath.Join(t.TempDir(), "file") // no suffix to go by
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		got := all(t, open(t, path, Config{Seed: 7}))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s gives other deltas than the plain file", name)
		}
	}
}

func TestWhatIsNotTheFileIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ content, says string }{
		"a spreadsheet":  {"PK\x03\x04rest", "export the sheet as CSV"},
		"another table":  {"a,b,c\n1,2,3\n", "no column InvoiceNo"},
		"nothing":        {"", "header"},
		"broken zstd":    {"\x28\xb5\x2f\xfdrubbish that is no frame", ""},
		"truncated gzip": {"\x1f\x8b\x08", ""},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Config{})
		if err == nil {
			s.Close()
			t.Errorf("%s is read", name)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
	}
}

func TestAnEndlessLineCostsItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	content := strings.Join(columnNames[:], ",") + "\n" +
		strings.Repeat("x", 3*lineBytesMax) + "\n" +
		"536365,22423,CAKESTAND,1,12/1/2010 8:26,12.75,17850\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Config{NoStock: true})
	got := all(t, s)
	if len(got) != 1 || say(got[0]) != "12-01 08:26 536365-2 sale 1 22423 at 1275" {
		t.Errorf("got %v, want the row behind the endless line", got)
	}
	if a := s.Accounts(); a.Skipped[Unparsable] != 1 || a.Rows != 2 {
		t.Errorf("%s: want the long line counted", &a)
	}
}

// TestStockIsMadeAroundTheRows sells one mug a day for half a year, so that the rule must order again.
func TestStockIsMadeAroundTheRows(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.Join(columnNames[:], ",") + "\n")
	for day := range 180 {
		at := inventory.Millis(1293840000000) + inventory.Millis(day)*inventory.Day + 10*inventory.Hour
		fmt.Fprintf(&b, "%d,MUG,A MUG,5,%s,1.00,1\n", 600000+day, at.Time().Format(timeLayouts[0]))
	}
	path := filepath.Join(t.TempDir(), "mugs.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Config{Seed: 3})
	got := all(t, s)
	if got[0].Kind != inventory.Count || float64(got[0].Quantity) < 35*openingWeeksMin*0.9 {
		t.Errorf("begins with %s, want an opening count of weeks of demand", say(got[0]))
	}
	asked, came := map[string]inventory.Delta{}, 0
	for _, d := range got {
		switch d.Kind {
		case inventory.ASN:
			if d.Due <= d.Time || d.Quantity%caseSize != 0 {
				t.Errorf("%s due %s: want whole cases in the future", say(d), d.Due)
			}
			asked[d.Ref] = d
		case inventory.Receipt:
			came++
			if order, ok := asked[d.Ref]; !ok || d.Quantity > order.Quantity || d.Time <= order.Time {
				t.Errorf("%s for %s: it was not ordered so", say(d), d.Ref)
			}
		}
	}
	if came < 3 {
		t.Errorf("%d receipts in half a year, want several", came)
	}
	checkAll(t, got)
}

// checkAll holds for every source: deltas are valid, ids unique, times in order.
func checkAll(t *testing.T, deltas []inventory.Delta) {
	t.Helper()
	type id struct{ source, id string }
	seen := make(map[id]bool, len(deltas))
	var last inventory.Millis
	for i := range deltas {
		d := &deltas[i]
		if err := d.Validate(); err != nil {
			t.Fatalf("%s: %v", say(*d), err)
		}
		if key := (id{d.Source, d.ID}); seen[key] {
			t.Fatalf("%s: its id has been before", say(*d))
		} else {
			seen[key] = true
		}
		if d.Time < last {
			t.Fatalf("%s comes after %s", say(*d), last)
		}
		last = d.Time
	}
}

func TestSeedAndLocations(t *testing.T) {
	if a, b := all(t, open(t, small, Config{Seed: 1})), all(t, open(t, small, Config{Seed: 1})); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("one seed gives two answers")
	}
	where := map[string]string{} // by customer
	for _, d := range all(t, open(t, small, Config{Locations: 3})) {
		if !slices.Contains([]string{"uk-1", "uk-2", "uk-3"}, d.Location) {
			t.Errorf("%s is at %q", say(d), d.Location)
		}
		if d.SKU == "23166" && d.Source == SourceRows {
			where[d.Location] = d.ID
		}
	}
	if len(where) != 1 {
		t.Errorf("one customer's sale and its cancellation are at %v", where)
	}
}

// TestTheRealYear reads the whole file, where it is.
func TestTheRealYear(t *testing.T) {
	data := os.Getenv("HOLDFAST_DATA")
	if data == "" {
		data = "../../../shared/data"
	}
	path := filepath.Join(data, "online_retail.csv.zst")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no UCI Online Retail there (%v): put online_retail.csv.zst into ../shared/data or the folder that HOLDFAST_DATA names", err)
	}
	s := open(t, path, Config{Seed: 1})
	deltas := all(t, s)
	checkAll(t, deltas)
	a := s.Accounts()
	t.Log(&a)
	if a.Rows != 541909 || s.Rows() != a.Rows || a.FromRows()+a.SkippedRows() != a.Rows || a.FromRows()+a.Made() != len(deltas) {
		t.Errorf("%d deltas; %s: want 541,909 rows, each under one heading", len(deltas), &a)
	}
	if a.Skipped[Unparsable]+a.Skipped[OutOfLimits]+a.Skipped[WrongSign] > 0 {
		t.Errorf("some rows could not be used: %v", a.Errors)
	}
	if a.Skipped[BadDebt] != 3 {
		t.Errorf("%d rows of bad debt, want 3", a.Skipped[BadDebt])
	}
	giants, stock, negative := 0, map[inventory.Key]int64{}, map[inventory.Key]bool{}
	for _, d := range deltas {
		if d.Quantity == 74215 || d.Quantity == 80995 {
			giants++
		}
		switch d.Kind {
		case inventory.Sale:
			stock[d.Key()] -= d.Quantity
		case inventory.ASN:
		default:
			stock[d.Key()] += d.Quantity
		}
		negative[d.Key()] = negative[d.Key()] || stock[d.Key()] < 0
	}
	if giants != 4 {
		t.Errorf("%d deltas of the two giant orders, want both and their cancellations", giants)
	}
	oversold := 0
	for _, was := range negative {
		if was {
			oversold++
		}
	}
	t.Logf("%d of %d keys fall below zero at some time", oversold, len(stock))
	if share := float64(oversold) / float64(len(stock)); share < 0.02 || share > 0.5 {
		t.Errorf("%.0f %% of the keys oversell at some time: the rule is to let some, not most", 100*share)
	}
}

func FuzzSplitLine(f *testing.F) {
	f.Add(`536366,22423,"REGENCY CAKESTAND, 3 ""TIER""",4`)
	f.Add(`a,"b`)
	f.Add(`"a"b,c`)
	f.Add(`,,""`)
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n") || line == "" {
			t.Skip() // a line is what stands between line ends
		}
		want, wantErr := csv.NewReader(strings.NewReader(line)).Read()
		got, err := splitLine(nil, line)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, but encoding/csv says %v", line, err, wantErr)
		}
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("%q: %q, but encoding/csv says %q", line, got, want)
		}
	})
}

func FuzzRows(f *testing.F) {
	if content, err := os.ReadFile(small); err == nil {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := newRowReader(bytes.NewReader(content))
		if err != nil {
			return
		}
		lines := scanner{file: &file{rows: r}}
		s := Source{lines: lines}
		s.stock = newStock(&s.cfg, nil, s.emit)
		n := 0
		for d, ok := s.Next(); ok; d, ok = s.Next() {
			if err := d.Validate(); err != nil {
				t.Fatal(err)
			}
			if n++; n > 10_000 {
				return // far-off dates are good for many evenings
			}
		}
		if a := s.Accounts(); a.FromRows()+a.SkippedRows() != a.Rows {
			t.Errorf("%s: a row is under no heading or two", &a)
		}
	})
}
