package load_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func mustNew(t testing.TB, m load.Mix) *load.Load {
	t.Helper()
	l, err := load.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// told is a delta that a load made, with strings of its own.
func told(d *inventory.Delta) inventory.Delta {
	kept := *d
	for _, s := range []*string{&kept.ID, &kept.SKU, &kept.Ref} {
		*s = strings.Clone(*s)
	}
	return kept
}

// take returns the next n deltas.
func take(l *load.Load, n int) []inventory.Delta {
	all := make([]inventory.Delta, n)
	var d inventory.Delta
	for i := range all {
		l.Next(&d)
		all[i] = told(&d)
	}
	return all
}

// near fails where n of total is not the share that was asked for, give or take five standard deviations.
func near(t *testing.T, what string, n, total int, share float64) {
	t.Helper()
	tolerance := 5 * math.Sqrt(share*(1-share)/float64(total))
	if got := float64(n) / float64(total); math.Abs(got-share) > tolerance {
		t.Errorf("%s: %.4f of %d, want %.4f ± %.4f", what, got, total, share, tolerance)
	}
}

func isProbe(d *inventory.Delta, m load.Mix) bool { return strings.HasPrefix(d.SKU, m.ProbePrefix()) }

func TestSharesAreAsAsked(t *testing.T) {
	const n = 100_000
	m := load.Mix{Seed: 3, Skew: 1.1, OutOfOrder: 0.2, OutOfOrderMax: 10 * time.Second, Duplicates: 0.03, Late: 0.02, Oversell: 0.01}
	l := mustNew(t, m)
	seen := map[string]bool{}
	var probes, late, repeats, disordered, ordinary int
	kinds := map[inventory.Kind]int{}
	latest := inventory.Millis(0)
	for _, d := range take(l, n) {
		switch {
		case seen[d.ID]:
			repeats++
			continue
		case d.Time < latest-24*inventory.Hour:
			late++
			continue
		case isProbe(&d, m):
			probes++
		default:
			kinds[d.Kind]++
			ordinary++
		}
		seen[d.ID] = true
		if d.Time < latest {
			disordered++
			if back := latest - d.Time; back > 10*inventory.Second {
				t.Fatalf("%+v happened %d ms before the latest", d, back)
			}
		}
		latest = max(latest, d.Time)
	}
	near(t, "probes", probes, n, m.Oversell)
	near(t, "late", late, n, m.Late)
	near(t, "duplicates", repeats, n, m.Duplicates)
	near(t, "out of order", disordered, ordinary+probes, m.OutOfOrder)
	want := load.Counts{Deltas: n, Probes: uint64(probes), Late: uint64(late), Duplicates: uint64(repeats), OutOfOrder: uint64(disordered)}
	if got := l.Counts(); got != want {
		t.Errorf("it counts %+v, and made %+v", got, want)
	}
	if l.Latest() != latest {
		t.Errorf("latest %v, want %v", l.Latest(), latest)
	}
	// Orders begun and ended are even, as the mixture ends more than it begins.
	for kind, share := range map[inventory.Kind]float64{
		inventory.Sale: 0.48, inventory.Receipt: 0.09, inventory.Listing: 0.06, inventory.Adjust: 0.05, inventory.Count: 0.05,
	} {
		near(t, kind.String(), kinds[kind], ordinary, share)
	}
	near(t, "orders", kinds[inventory.Reserve]+kinds[inventory.Ship]+kinds[inventory.Release], ordinary, 0.27)
}

func TestEventTimeStepsAsAsked(t *testing.T) {
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	l := mustNew(t, load.Mix{Start: start, Step: 20 * time.Microsecond})
	take(l, 100_000)
	if took := l.Latest().Time().Sub(start); took < 1980*time.Millisecond || took > 2020*time.Millisecond {
		t.Errorf("100,000 steps of 20 µs in the mean took %v", took)
	}
}

func TestSKUsAreAskedForAsTheMixSays(t *testing.T) {
	const n, skus = 100_000, 1000
	counts := func(m load.Mix) map[string]int {
		m.Keys, m.Kinds = 10*skus, map[string]int{"sale": 1}
		of := map[string]int{}
		for _, d := range take(mustNew(t, m), n) {
			of[d.SKU]++
		}
		return of
	}
	most := func(of map[string]int) (sku string) {
		for s, n := range of {
			if n > of[sku] {
				sku = s
			}
		}
		return sku
	}
	even := counts(load.Mix{})
	if len(even) != skus {
		t.Errorf("%d SKUs were asked for, want %d", len(even), skus)
	}
	if top := even[most(even)]; top > 100+6*10 {
		t.Errorf("without skew one SKU has %d of %d deltas, want about %d", top, n, n/skus)
	}
	// P(rank k) ~ (8+k)^−1.1
	sum := 0.0
	for k := range skus {
		sum += math.Pow(8+float64(k), -1.1)
	}
	first := math.Pow(8, -1.1) / sum
	skewed := counts(load.Mix{Skew: 1.1})
	top := most(skewed)
	near(t, "the first SKU", skewed[top], n, first)
	hot := counts(load.Mix{Skew: 1.1, HotShare: 0.5})
	near(t, "the hot SKU", hot[top], n, 0.5+0.5*first)
}

func TestDuplicatesAreExactRepeats(t *testing.T) {
	m := load.Mix{Duplicates: 0.3, Oversell: 0.05, OutOfOrder: 0.2, Late: 0.1, Kinds: everyKind()}
	first := map[string][]byte{}
	repeats := 0
	l := mustNew(t, m)
	for _, d := range take(l, 50_000) {
		coded := codec.AppendDelta(nil, &d)
		before, again := first[d.ID]
		if again && string(before) != string(coded) {
			t.Fatalf("%q came again as %q", before, coded)
		}
		if again {
			repeats++
		}
		first[d.ID] = coded
	}
	if uint64(repeats) != l.Counts().Duplicates {
		t.Errorf("%d repeats, but it counts %d", repeats, l.Counts().Duplicates)
	}
}

func TestOrdersEnd(t *testing.T) {
	type order struct {
		reserve inventory.Delta
		at      int
	}
	open := map[string]order{}
	most, ended, longest := 0, 0, 0
	for i, d := range take(mustNew(t, load.Mix{Skew: 1.1, OutOfOrder: 0.2}), 100_000) {
		switch d.Kind {
		case inventory.Reserve:
			open[d.Ref] = order{d, i}
			most = max(most, len(open))
		case inventory.Ship, inventory.Release:
			o, ok := open[d.Ref]
			if !ok {
				t.Fatalf("%+v ends an order that is not open", d)
			}
			if o.reserve.Key() != d.Key() || o.reserve.Quantity != d.Quantity || o.reserve.Time > d.Time {
				t.Fatalf("%+v does not end %+v", d, o.reserve)
			}
			longest = max(longest, i-o.at)
			ended++
			delete(open, d.Ref)
		}
	}
	if most > 2000 || longest > 20_000 || ended < 11_000 {
		t.Errorf("%d orders were open at once, the longest for %d deltas, and %d ended", most, longest, ended)
	}
}

func TestWhatArrivesWasSent(t *testing.T) {
	pairs := map[inventory.Kind]inventory.Kind{inventory.Receipt: inventory.ASN, inventory.TransferIn: inventory.TransferOut}
	begun := map[string]inventory.Delta{}
	ended := map[inventory.Kind]int{}
	for _, d := range take(mustNew(t, load.Mix{Kinds: everyKind()}), 100_000) {
		switch d.Kind {
		case inventory.ASN, inventory.TransferOut:
			begun[d.Ref] = d
		case inventory.Receipt, inventory.TransferIn:
			b, ok := begun[d.Ref]
			where := b.Location
			if d.Kind == inventory.TransferIn {
				where = b.Counterparty
			}
			if !ok || b.Kind != pairs[d.Kind] || b.SKU != d.SKU || where != d.Location || b.Quantity != d.Quantity {
				t.Fatalf("%+v does not end %+v", d, b)
			}
			ended[d.Kind]++
			delete(begun, d.Ref)
		}
	}
	for kind := range pairs {
		if ended[kind] < 1000 {
			t.Errorf("%d of kind %v, want thousands", ended[kind], kind)
		}
	}
}

func TestShelvesAreFilledOnce(t *testing.T) {
	l := mustNew(t, load.Mix{Keys: 999, Locations: 7})
	if want := 143 * 7; l.Keys() != want {
		t.Errorf("%d keys, want 999 rounded up to %d", l.Keys(), want)
	}
	seen, ids := map[inventory.Key]bool{}, map[string]bool{}
	for d := range l.Fill {
		if err := d.Validate(); err != nil || d.Kind != inventory.Count || d.Quantity < 1 {
			t.Fatalf("%+v: %v", d, err)
		}
		kept := told(d)
		seen[kept.Key()], ids[kept.ID] = true, true
	}
	if len(seen) != l.Keys() || len(ids) != l.Keys() {
		t.Errorf("%d keys were counted, by %d ids, want %d", len(seen), len(ids), l.Keys())
	}
	for _, d := range take(l, 20_000) {
		if !seen[d.Key()] || ids[d.ID] {
			t.Fatalf("%+v is of no shelf, or its id was there", d)
		}
	}
	n := 0
	for range l.Fill {
		if n++; n == 3 {
			break
		}
	}
}

func TestProbesTellTheirNumber(t *testing.T) {
	m := load.Mix{Seed: 7, Oversell: 0.1}
	n := 0
	for i, d := range take(mustNew(t, m), 10_000) {
		number, ok := strings.CutPrefix(d.SKU, m.ProbePrefix())
		if !ok {
			continue
		}
		n++
		if number != strconv.Itoa(i) || d.Kind != inventory.Sale {
			t.Fatalf("probe %q came as number %d: %+v", d.SKU, i, d)
		}
	}
	if n < 500 {
		t.Errorf("%d probes", n)
	}
}

// TestSameSeedSameDeltas says so of every knob, and that two seeds have no id and no probe in common.
func TestSameSeedSameDeltas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMix().Draw(t, "mix")
		a, err := load.New(m)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := load.New(m)
		m.Seed++
		c, _ := load.New(m)
		ids := map[string]bool{}
		var d inventory.Delta
		var codedA, codedB []byte
		for range 300 {
			a.Next(&d)
			ids[strings.Clone(d.ID)] = true
			codedA = codec.AppendDelta(codedA, &d)
			b.Next(&d)
			codedB = codec.AppendDelta(codedB, &d)
		}
		if string(codedA) != string(codedB) {
			t.Fatal("two loads of one mix differ")
		}
		for range 300 {
			if c.Next(&d); ids[d.ID] {
				t.Fatalf("id %q is of two seeds", d.ID)
			}
		}
	})
}

func TestEveryDeltaIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMix().Draw(t, "mix")
		l, err := load.New(m)
		if err != nil {
			t.Fatal(err)
		}
		check := func(d *inventory.Delta) {
			if err := d.Validate(); err != nil {
				t.Fatalf("%+v: %v", *d, err)
			}
		}
		n := 0
		for d := range l.Fill {
			check(d)
			if n++; n == 100 {
				break
			}
		}
		var d inventory.Delta
		for range 3000 {
			l.Next(&d)
			check(&d)
		}
	})
}

// TestManyKeysTakeNoMoreMemory says that names are not kept, and that a delta costs no allocation.
func TestManyKeysTakeNoMoreMemory(t *testing.T) {
	m := load.Mix{Keys: 10_000_000, Skew: 1.1, Duplicates: 0.1, Oversell: 0.1, Late: 0.1, OutOfOrder: 0.1}
	l := mustNew(t, m)
	var d inventory.Delta
	if n := testing.AllocsPerRun(10_000, func() { l.Next(&d) }); n != 0 {
		t.Errorf("%g allocations a delta, want none", n)
	}
	allocations := func(keys int) float64 {
		return testing.AllocsPerRun(5, func() { mustNew(t, load.Mix{Keys: keys}) })
	}
	if few, many := allocations(1000), allocations(10_000_000); many > few {
		t.Errorf("a load of 1,000 keys is made of %g allocations, one of ten million of %g", few, many)
	}
}

// everyKind weighs every kind that there is alike.
func everyKind() map[string]int {
	all := map[string]int{}
	for _, k := range inventory.Kinds() {
		all[k.String()] = 1
	}
	return all
}

func anyMix() *rapid.Generator[load.Mix] {
	return rapid.Custom(func(t *rapid.T) load.Mix {
		m := load.Mix{
			Seed:          rapid.Uint64().Draw(t, "seed"),
			Locations:     rapid.IntRange(2, 30).Draw(t, "locations"),
			Skew:          rapid.SampledFrom([]float64{0, 1.0001, 1.1, 2, 9}).Draw(t, "skew"),
			HotShare:      rapid.Float64Range(0, 1).Draw(t, "hot"),
			OutOfOrder:    rapid.Float64Range(0, 1).Draw(t, "out of order"),
			OutOfOrderMax: time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(12*time.Hour)).Draw(t, "out of order max")),
			Duplicates:    rapid.Float64Range(0, 0.3).Draw(t, "duplicates"),
			Late:          rapid.Float64Range(0, 0.3).Draw(t, "late"),
			Oversell:      rapid.Float64Range(0, 0.3).Draw(t, "oversell"),
			Step:          time.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(t, "step")),
		}
		m.Keys = m.Locations * rapid.IntRange(1, 100_000).Draw(t, "skus")
		if rapid.Bool().Draw(t, "all kinds") {
			m.Kinds = everyKind()
			for name := range m.Kinds {
				m.Kinds[name] = rapid.IntRange(0, 50).Draw(t, name)
			}
			m.Kinds["sale"]++
		}
		return m
	})
}
