package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// sound returns a delta of kind k that carries all that any kind needs.
func sound(k Kind) Delta {
	return Delta{
		ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Kind: k, Quantity: 2, Time: 1000,
		Channel: "web", Ref: "r", Counterparty: "york", Due: 2000,
	}
}

func wantValid(t *testing.T, d *Delta) {
	t.Helper()
	if err := d.Validate(); err != nil {
		t.Errorf("%+v: %v, want it valid", d, err)
	}
}

func wantInvalid(t *testing.T, d *Delta, reason Reason, field string) {
	t.Helper()
	err := d.Validate()
	var invalid *Invalid
	if !errors.As(err, &invalid) || invalid.Reason != reason || invalid.Field != field || invalid.Detail == "" {
		t.Errorf("%+v: %v, want %s of %s", d, err, reason, field)
		return
	}
	if want := fmt.Sprintf("%s: %s: %s", reason, field, invalid.Detail); err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
}

// clearing takes a field away.
var clearing = map[string]func(*Delta){
	"id":           func(d *Delta) { d.ID = "" },
	"source":       func(d *Delta) { d.Source = "" },
	"sku":          func(d *Delta) { d.SKU = "" },
	"location":     func(d *Delta) { d.Location = "" },
	"time":         func(d *Delta) { d.Time = 0 },
	"channel":      func(d *Delta) { d.Channel = "" },
	"ref":          func(d *Delta) { d.Ref = "" },
	"counterparty": func(d *Delta) { d.Counterparty = "" },
	"due":          func(d *Delta) { d.Due = 0 },
}

// TestEveryKindNeedsWhatTheContractSays has the contract's table of kinds.
func TestEveryKindNeedsWhatTheContractSays(t *testing.T) {
	table := map[Kind]struct{ quantity, needs string }{
		Sale:        {"> 0", "channel"},
		Reserve:     {"> 0", "channel ref"},
		Release:     {"> 0", "ref"},
		Ship:        {"> 0", "ref"},
		Return:      {"> 0", ""},
		ASN:         {"> 0", "ref"},
		Receipt:     {"> 0", "ref"},
		TransferOut: {"> 0", "ref counterparty"},
		TransferIn:  {"> 0", "ref"},
		Adjust:      {"≠ 0", ""},
		Block:       {"> 0", ""},
		Unblock:     {"> 0", ""},
		Count:       {"≥ 0", ""},
		Snapshot:    {"≥ 0", ""},
		Listing:     {"≥ 0", "channel"},
		Safety:      {"≥ 0", ""},
		Allocate:    {"≥ 0", "channel"},
		PickFailed:  {"> 0", "ref"},
		Substitute:  {"> 0", "ref"},
		Promo:       {"≥ 0", "due"},
		Task:        {"> 0", ""},
		TaskDone:    {"> 0", ""},
		Capacity:    {"≥ 0", "due"},
		Tick:        {"any", ""},
	}
	const most = QuantityMax
	good := map[string][]int64{
		"> 0": {1, most}, "≥ 0": {0, 1, most}, "≠ 0": {-most, -1, 1, most}, "any": {-most - 1, -1, 0, 1, most + 1},
	}
	for _, k := range Kinds() {
		row, known := table[k]
		if !known {
			t.Errorf("%s is not in the table", k)
		}
		needs := append(strings.Fields(row.needs), "id", "source", "time")
		if k != Tick {
			needs = append(needs, "sku", "location")
		}
		for field, clear := range clearing {
			d := sound(k)
			clear(&d)
			if slices.Contains(needs, field) {
				wantInvalid(t, &d, MissingField, field)
			} else {
				wantValid(t, &d)
			}
		}
		for _, q := range []int64{-1 << 63, -most - 1, -most, -1, 0, 1, most, most + 1, 1<<63 - 1} {
			d := sound(k)
			d.Quantity = q
			switch {
			case row.quantity == "any" || slices.Contains(good[row.quantity], q):
				wantValid(t, &d)
			case q > most || q < -most:
				wantInvalid(t, &d, Overflow, "quantity")
			default:
				wantInvalid(t, &d, OutOfRange, "quantity")
			}
		}
	}
	for _, k := range []Kind{KindNone, kinds, 255} {
		d := sound(k)
		wantInvalid(t, &d, UnknownKind, "kind")
	}
}

// names sets each field that is a name, and bytesMax is its limit.
var names = map[string]struct {
	set      func(*Delta, string)
	bytesMax int
}{
	"id":           {func(d *Delta, s string) { d.ID = s }, 128},
	"source":       {func(d *Delta, s string) { d.Source = s }, 64},
	"sku":          {func(d *Delta, s string) { d.SKU = s }, 128},
	"location":     {func(d *Delta, s string) { d.Location = s }, 128},
	"channel":      {func(d *Delta, s string) { d.Channel = s }, 128},
	"ref":          {func(d *Delta, s string) { d.Ref = s }, 128},
	"reason":       {func(d *Delta, s string) { d.Reason = s }, 128},
	"counterparty": {func(d *Delta, s string) { d.Counterparty = s }, 128},
}

func TestNames(t *testing.T) {
	for field, name := range names {
		for _, s := range []string{
			"a.b", "a b", " ", ">", "a/b\\c\"'", "~", "é", "漢字", "\U0001F600", "12345678é", "\u00a0", "\u2028",
			strings.Repeat("x", name.bytesMax), strings.Repeat("é", name.bytesMax/2),
		} {
			d := sound(TransferOut)
			name.set(&d, s)
			wantValid(t, &d)
		}
		for _, s := range []string{
			"\x00", "a\x00b", "a\nb", "a\tb", "1234567\x1f", "12345678\x7f", "\u0080", "a\u009f", // control characters
			"\xff", "1234567\xc3", "\xed\xa0\x80", "\xc0\x80", "漢\xe6\xbc", // not UTF-8
			strings.Repeat("x", name.bytesMax+1), strings.Repeat("é", name.bytesMax/2) + "x",
		} {
			d := sound(TransferOut)
			name.set(&d, s)
			wantInvalid(t, &d, OutOfRange, field)
		}
		d := sound(TransferOut)
		if name.set(&d, "*"); field == "location" {
			wantInvalid(t, &d, OutOfRange, field)
		} else {
			wantValid(t, &d)
		}
	}
}

// TestNamesOfAnySort holds the rule of names, with its short cut for plain ones, against
// what the contract says in words.
func TestNamesOfAnySort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringN(1, -1, 140),
			rapid.StringMatching(`[ -~]{1,140}`),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 40), func(b []byte) string { return string(b) }),
		).Draw(t, "name")
		good := len(s) <= 128 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
		d := sound(Sale)
		d.SKU = s
		if err := d.Validate(); (err == nil) != good {
			t.Fatalf("%q: %v, want it good: %v", s, err, good)
		}
	})
}

func TestATransferGoesToAnotherLocation(t *testing.T) {
	for _, k := range Kinds() {
		d := sound(k)
		d.Counterparty = d.Location
		if k == TransferOut {
			wantInvalid(t, &d, OutOfRange, "counterparty")
		} else {
			wantValid(t, &d)
		}
	}
}

func TestTimesAndPrices(t *testing.T) {
	for _, m := range []Millis{1, MillisMax} {
		d := sound(Sale)
		d.Time, d.Due, d.Price = m, m, int64(m)
		wantValid(t, &d)
	}
	for _, m := range []Millis{-1 << 63, -1, MillisMax + 1, 1<<63 - 1} {
		d := sound(Sale)
		d.Time = m
		wantInvalid(t, &d, OutOfRange, "time")
		d = sound(Sale)
		d.Due = m
		wantInvalid(t, &d, OutOfRange, "due")
	}
	for _, p := range []int64{-1 << 63, -1, QuantityMax + 1} {
		d := sound(Sale)
		d.Price = p
		wantInvalid(t, &d, OutOfRange, "price")
	}
	d := sound(Sale)
	d.Price = QuantityMax
	wantValid(t, &d)
}

func TestAttrs(t *testing.T) {
	many := func(n int, value string) (attrs []Attr) {
		for i := range n {
			attrs = append(attrs, Attr{fmt.Sprintf("%04d", i), value})
		}
		return attrs
	}
	for _, attrs := range [][]Attr{
		{}, {{"n", ""}}, {{"n", "any\x00text\n"}}, {{"a", "same"}, {"b", "same"}},
		{{"n", strings.Repeat("x", AttrsBytesMax-1)}}, many(AttrsBytesMax/4, ""),
	} {
		d := sound(Sale)
		d.Attrs = attrs
		wantValid(t, &d)
	}
	for _, attrs := range [][]Attr{
		{{"", "x"}}, {{"n", "\xff"}}, {{"\xff", "x"}}, {{"n", strings.Repeat("x", AttrsBytesMax)}}, many(AttrsBytesMax/4+1, ""), many(AttrsBytesMax/8, "12345"),
	} {
		d := sound(Sale)
		d.Attrs = attrs
		wantInvalid(t, &d, OutOfRange, "attrs")
	}
	d := sound(Sale)
	d.Attrs = []Attr{{"a", "1"}, {"b", "2"}, {"a", "1"}}
	wantInvalid(t, &d, Malformed, "attrs")
}

// TestTheDetailIsShort: whoever sends a long name must not get it all back, in every log.
func TestTheDetailIsShort(t *testing.T) {
	var k Kind
	err := k.UnmarshalText([]byte(strings.Repeat("\xff", 1<<16)))
	if err == nil || len(err.Error()) > 400 || !utf8.ValidString(err.Error()) {
		t.Errorf("the error is %.500q", err)
	}
}

// FuzzPlain holds the fast look at a name against the slow one.
func FuzzPlain(f *testing.F) {
	f.Add("plain")
	f.Add("12345678\x7f\x1f\x80 ~")
	f.Fuzz(func(t *testing.T, s string) { samePlain(t, s) })
}

// TestPlainAtEveryPlace puts every byte at every place of a word and of what is left of one.
func TestPlainAtEveryPlace(t *testing.T) {
	for length := range 21 {
		for at := range length {
			for _, around := range []byte{' ', '~', 'm'} {
				s := []byte(strings.Repeat(string(around), length))
				for c := range 256 {
					s[at] = byte(c)
					samePlain(t, string(s))
				}
			}
		}
	}
}

func samePlain(t *testing.T, s string) {
	t.Helper()
	want := true
	for i := range len(s) {
		want = want && s[i] >= 0x20 && s[i] < 0x7f
	}
	if got := plain(s); got != want {
		t.Errorf("%q: %v, want %v", s, got, want)
	}
}

func TestValidatingAllocatesNothing(t *testing.T) {
	for _, k := range Kinds() {
		d := sound(k)
		d.Attrs = []Attr{{"till", "4"}, {"cashier", "kim"}}
		if n := testing.AllocsPerRun(100, func() { _ = d.Validate() }); n != 0 {
			t.Errorf("%s: %g allocations, want none", k, n)
		}
	}
}
