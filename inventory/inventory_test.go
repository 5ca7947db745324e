package inventory

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
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

func TestEveryKindNeedsWhatTheContractSays(t *testing.T) {
	const fields = "channel ref counterparty due"
	needs := map[Kind]string{
		Sale: "channel", Reserve: "channel ref", Release: "ref", Ship: "ref", Receipt: "ref", TransferIn: "ref", ASN: "ref",
		PickFailed: "ref", Substitute: "ref", TransferOut: "ref counterparty", Listing: "channel", Allocate: "channel",
		Promo: "due", Capacity: "due",
	}
	least := map[Kind]int64{Count: 0, Snapshot: 0, Listing: 0, Safety: 0, Allocate: 0, Promo: 0, Capacity: 0}
	for _, k := range Kinds() {
		d := sound(k)
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", k, err)
		}
		for _, field := range strings.Fields(fields) {
			d := sound(k)
			switch field {
			case "channel":
				d.Channel = ""
			case "ref":
				d.Ref = ""
			case "counterparty":
				d.Counterparty = ""
			case "due":
				d.Due = 0
			}
			wantInvalid(t, &d, strings.Contains(" "+needs[k]+" ", " "+field+" "), MissingField, field)
		}
		for _, q := range []int64{-QuantityMax - 1, -1, 0, 1, QuantityMax, QuantityMax + 1} {
			d := sound(k)
			d.Quantity = q
			lowest, zero := int64(1), false
			if l, ok := least[k]; ok {
				lowest, zero = l, true
			}
			if k == Adjust {
				lowest = -QuantityMax
			}
			bad := q < lowest || q > QuantityMax || q == 0 && !zero
			reason := OutOfRange
			if q > QuantityMax || q < -QuantityMax {
				reason = Overflow
			}
			wantInvalid(t, &d, bad && k != Tick, reason, "quantity")
		}
		if back := ParseKind(k.String()); back != k {
			t.Errorf("%s is parsed as %s", k, back)
		}
	}
	if len(Kinds()) != 24 || ParseKind("none") != KindNone || ParseKind("Sale") != KindNone {
		t.Errorf("%d kinds", len(Kinds()))
	}
	tick := Delta{ID: "1", Source: "pos", Kind: Tick, Time: 5}
	wantInvalid(t, &tick, false, "", "")
}

func wantInvalid(t *testing.T, d *Delta, bad bool, reason Reason, field string) {
	t.Helper()
	err := d.Validate()
	var invalid *Invalid
	switch {
	case !bad && err != nil:
		t.Errorf("%+v: %v, want it valid", d, err)
	case bad && (!errors.As(err, &invalid) || invalid.Reason != reason || invalid.Field != field || invalid.Detail == ""):
		t.Errorf("%+v: %v, want %s of %s", d, err, reason, field)
	}
}

func TestNames(t *testing.T) {
	set := map[string]func(*Delta, string){
		"id":           func(d *Delta, s string) { d.ID = s },
		"source":       func(d *Delta, s string) { d.Source = s },
		"sku":          func(d *Delta, s string) { d.SKU = s },
		"location":     func(d *Delta, s string) { d.Location = s },
		"channel":      func(d *Delta, s string) { d.Channel = s },
		"ref":          func(d *Delta, s string) { d.Ref = s },
		"reason":       func(d *Delta, s string) { d.Reason = s },
		"counterparty": func(d *Delta, s string) { d.Counterparty = s },
	}
	for field, set := range set {
		most := 128
		if field == "source" {
			most = 64
		}
		for s, bad := range map[string]bool{
			"a.b c*>/漢": false, "é": false, strings.Repeat("x", most): false, strings.Repeat("x", most+1): true,
			"a\x00b": true, "a\nb": true, "12345678\x7f": true, "\u0085": true, "\xff": true, "1234567\xc3": true, " ": false,
		} {
			d := sound(TransferOut)
			set(&d, s)
			wantInvalid(t, &d, bad, OutOfRange, field)
		}
	}
	d := sound(Sale)
	d.Location = Network
	wantInvalid(t, &d, true, OutOfRange, "location")
	d = sound(TransferOut)
	d.Counterparty = d.Location
	wantInvalid(t, &d, true, OutOfRange, "counterparty")
	d = sound(Sale)
	d.Attrs = []Attr{{"n", strings.Repeat("x", AttrsBytesMax-1)}}
	wantInvalid(t, &d, false, "", "")
	d.Attrs[0].Value += "x"
	wantInvalid(t, &d, true, OutOfRange, "attrs")
	d.Attrs = []Attr{{"n", "\xff"}}
	wantInvalid(t, &d, true, OutOfRange, "attrs")
	d = sound(Sale)
	for m, bad := range map[Millis]bool{-1: true, 1: false, MillisMax: false, MillisMax + 1: true} {
		d.Time = m
		wantInvalid(t, &d, bad, OutOfRange, "time")
	}
	d.Time = 0
	wantInvalid(t, &d, true, MissingField, "time")
	d = sound(Sale)
	d.Price = -1
	wantInvalid(t, &d, true, OutOfRange, "price")
}

// FuzzPlain holds the fast look at a name against the slow one.
func FuzzPlain(f *testing.F) {
	f.Add("plain")
	f.Add("12345678\x7f\x1f\x80 ~")
	f.Fuzz(func(t *testing.T, s string) {
		want := true
		for i := range len(s) {
			want = want && s[i] >= 0x20 && s[i] < 0x7f
		}
		if got := plain(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	})
}

func TestValidatingAllocatesNothing(t *testing.T) {
	d := sound(Sale)
	if n := testing.AllocsPerRun(100, func() { _ = d.Validate() }); n != 0 {
		t.Errorf("%g allocations, want none", n)
	}
}

func TestMillisAreRFC3339(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Millis(rapid.Int64Range(1, int64(MillisMax)).Draw(t, "ms"))
		zone := time.FixedZone("", rapid.IntRange(-23*60, 23*60).Draw(t, "minutes")*60)
		at := m.Time().In(zone)
		if at.Year() > 9999 || at.Year() < 1 {
			return
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000000000Z07:00"} {
			if got, err := ParseMillis(at.Format(layout)); err != nil || got != m {
				t.Fatalf("%s is %d, %v; want %d", at.Format(layout), got, err, m)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Millis
		if err := json.Unmarshal(text, &back); err != nil || back != m {
			t.Fatalf("%s is read as %d, %v", text, back, err)
		}
	})
}

// FuzzParseMillis: what is taken is what time.Parse makes of it, to the millisecond.
func FuzzParseMillis(f *testing.F) {
	for _, s := range []string{
		"2026-11-24T09:30:00Z", "2024-02-29T23:59:59.9999+23:59", "2023-02-29T00:00:00Z", "2026-11-24T9:30:00Z", "2026-11-24T09:30:00,5Z",
		"2026-11-24T24:00:00Z", "2026-11-24t09:30:00z", "2026-11-24T09:30:60Z", "0000-01-01T00:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseMillis(s)
		want, library := time.Parse(time.RFC3339Nano, s)
		if err == nil && (library != nil || got != MillisOf(want)) {
			t.Errorf("%q is %d, the library says %d, %v", s, got, want.UnixMilli(), library)
		}
		if err != nil && library == nil && want.Format(time.RFC3339Nano) == s {
			t.Errorf("%q: %v, and it is as the library writes it", s, err)
		}
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q: the error is no text: %q", s, err)
		}
	})
}

func TestAvailability(t *testing.T) {
	q := Quantities{OnHand: 10, Unavailable: 2, Reserved: 9, Safety: 1}
	if q.Available() != 8 || q.ATP() != -2 {
		t.Errorf("available %d, ATP %d; want 8 and -2", q.Available(), q.ATP())
	}
}
