package detectors

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestABeliefIsAsShortInMemory as in the store: after any call it equals what is read of it, so that nobody can tell
// whether it was.
func TestABeliefIsAsShortInMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := lived(t)
		b := Belief{}
		v := &View{Now: max(f.at, 1), Belief: &b, Feed: f, Quantities: inventory.Quantities{OnHand: 7}}
		for i := range rapid.IntRange(1, 60).Draw(t, "calls") {
			v.Now += inventory.Millis(rapid.Int64Range(0, int64(9*inventory.Hour)).Draw(t, "on"))
			f.Vouch(v.Now)
			var call string
			switch rapid.IntRange(0, 9).Draw(t, "call") {
			case 0:
				call, v.Held = "Hold", !v.Held
				b.Hold(v)
			case 1:
				call, v.OnHand = "Hold at another stock", rapid.Int64Range(-1, 300).Draw(t, "on hand")
				b.Hold(v)
			case 2:
				call = "AlarmIn"
				b.AlarmIn(v, 0.8, longest)
			case 3:
				call = "Waited"
				b.Waited(v)
			default:
				d := inventory.Delta{
					Kind: rapid.SampledFrom([]inventory.Kind{
						inventory.Sale, inventory.Sale, inventory.Ship, inventory.Count, inventory.Receipt, inventory.Return,
						inventory.Adjust, inventory.PickFailed, inventory.Substitute, inventory.Listing,
					}).Draw(t, "kind"),
					Quantity: rapid.Int64Range(-1, 2).Draw(t, "quantity"), Ref: fmt.Sprint(i / 2), Reason: "sellable",
				}
				call = "Observe " + d.Kind.String()
				b.Observe(v, &d)
			}
			var back Belief
			r := wire.NewReader(b.Append(nil))
			back.Read(r)
			if err := r.Done(); err != nil {
				t.Fatalf("after %s what was written is not read: %v", call, err)
			}
			if back != b {
				t.Fatalf("after %s it is %+v, and %+v when it was read", call, b, back)
			}
		}
	})
}

func TestShortIsNearEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-1e9, 1e9).Draw(t, "x")
		bytes := rapid.IntRange(3, 6).Draw(t, "bytes")
		got := short(x, bytes)
		if off := math.Abs(got - x); off > 1e-300+math.Abs(x)*math.Exp2(-float64(8*bytes-11)) {
			t.Fatalf("%v in %d bytes is %v", x, bytes, got)
		}
		if again := short(got, bytes); again != got {
			t.Fatalf("%v in %d bytes is %v, and that is %v", x, bytes, got, again)
		}
	})
}

func TestABeliefTakesFewBytes(t *testing.T) {
	f := &Feed{}
	f.Vouch(1_795_392_000_000)
	b := Belief{}
	v := &View{Now: f.at, Belief: &b, Feed: f, Quantities: inventory.Quantities{OnHand: 7}}
	b.Hold(v)
	b.AlarmIn(v, 0.8, longest)
	if n := len(b.Append(nil)); n > 20 {
		t.Errorf("that of a key that never sold takes %d bytes, want 20", n)
	}
	for range 10 {
		v.Now += inventory.Hour
		f.Vouch(v.Now)
		b.Observe(v, &inventory.Delta{Kind: inventory.Sale, Quantity: 1})
	}
	if n := len(b.Append(nil)); n > 30 {
		t.Errorf("that of a key that sells takes %d bytes, want 30", n)
	}
}

// TestAWeekNeedNotBeWrittenWithEverySale: what was written when it last changed, and the rest of the feed, are the feed.
func TestAWeekNeedNotBeWrittenWithEverySale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &Feed{}
		now := inventory.Millis(1_795_392_000_000)
		var stored []byte
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			now += inventory.Millis(rapid.SampledFrom([]int64{0, 1000, 60_000, 600_000, 3_600_000, 9 * 3_600_000, 7 * 24 * 3_600_000}).Draw(t, "on"))
			switch rapid.IntRange(0, 5).Draw(t, "call") {
			case 0:
				f.Vouch(now)
			case 1:
				f.Sale(now - inventory.Millis(rapid.Int64Range(0, 7_200_000).Draw(t, "late")))
			case 2:
				for range 20_000 { // until the counts are halved
					f.Sale(now)
				}
			default:
				f.Sale(now)
			}
			if rapid.Bool().Draw(t, "no commit") {
				continue
			}
			if f.WeekChanged() {
				stored = f.AppendWeek(nil)
			}
			var back Feed
			back.Read(wire.NewReader(f.Append(nil)))
			if stored != nil {
				r := wire.NewReader(stored)
				back.ReadWeek(r)
				if err := r.Done(); err != nil {
					t.Fatal(err)
				}
			}
			if back != *f {
				t.Fatalf("read as %+v, want %+v", back, *f)
			}
		}
	})
}

func TestAWeekIsWrittenOnceAnHour(t *testing.T) {
	f := &Feed{}
	writes, most := 0, 0
	for i := range 3 * 3600 { // three hours of a sale a second
		f.Sale(1_795_392_000_000 + inventory.Millis(i)*inventory.Second)
		if f.WeekChanged() {
			writes++
		}
		most = max(most, len(f.Append(nil)))
	}
	if writes != 3 {
		t.Errorf("the week was written %d times in three hours, want once an hour", writes)
	}
	if most > 90 {
		t.Errorf("a feed takes %d bytes beside its week, want 90 at most", most)
	}
}
