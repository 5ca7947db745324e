package detectors_test

import (
	"math"
	"testing"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const monday inventory.Millis = 1_795_392_000_000 // 2026-11-23T00:00:00Z

// world is one key at a location at which nothing but this key is sold and somebody vouches for
// the feed all the time: its clock is the one on the wall.
type world struct {
	view   detectors.View
	belief detectors.Belief
	feed   detectors.Feed
}

func newWorld(onHand int64) *world {
	w := &world{}
	w.view = detectors.View{
		Now: monday, SKU: "tea", Location: "leeds", Price: 250,
		Quantities: inventory.Quantities{OnHand: onHand},
		Belief:     &w.belief, Feed: &w.feed,
		Alarm: detectors.Alarm{Raise: 0.8, Clear: 0.4},
		Place: new(detectors.Place), Patience: new(uint8), Past: nothing{},
	}
	w.feed.Vouch(monday)
	w.belief.Hold(&w.view) // which is when a key becomes known
	return w
}

// pass lets hours go by.
func (w *world) pass(hours float64) {
	w.view.Now += inventory.Millis(math.Round(hours * float64(inventory.Hour)))
	w.feed.Vouch(w.view.Now)
}

// see lets the belief take in a delta as the engine does: once the stock has changed.
func (w *world) see(d inventory.Delta) (rose bool) {
	switch d.Kind {
	case inventory.Sale, inventory.Ship:
		w.view.OnHand -= d.Quantity
	case inventory.Receipt, inventory.TransferIn, inventory.Return, inventory.Adjust:
		w.view.OnHand += d.Quantity
	case inventory.Count:
		w.view.OnHand = d.Quantity
	}
	rose = w.belief.Observe(&w.view, &d)
	w.belief.Hold(&w.view)
	return rose
}

func (w *world) sell() (rose bool) { return w.see(inventory.Delta{Kind: inventory.Sale, Quantity: 1}) }

func (w *world) pickFails(order string) (rose bool) {
	return w.see(inventory.Delta{Kind: inventory.PickFailed, Quantity: 1, Ref: order})
}

func (w *world) hold(held bool) {
	w.view.Held = held
	w.belief.Hold(&w.view)
}

func (w *world) probability() float64 { return w.belief.Probability(&w.view) }

// odds returns the log-odds that nothing is there.
func (w *world) odds() float64 { return logit(w.probability()) }

// figure returns a number of the evidence; they have four digits.
func (w *world) figure(t fataler, name string) float64 {
	t.Helper()
	d := describe(&w.view, inventory.PhantomInventory, detectors.Scope{}, detectors.Raise)
	switch x := d.Evidence[name].(type) {
	case float64:
		return x
	case int:
		return float64(x)
	case int64:
		return float64(x)
	}
	t.Fatalf("the evidence has no number %s: %v", name, d.Evidence)
	return 0
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// detector returns the one of a class.
func detector(class inventory.Class) detectors.Detector {
	for _, d := range detectors.Table() {
		if d.Class == class {
			return d
		}
	}
	panic("no detector of class " + class)
}

func describe(v *detectors.View, class inventory.Class, s detectors.Scope, e detectors.Edge) detectors.Description {
	s.Class = class
	return detector(class).Describe(v, &detectors.Finding{Scope: s, Edge: e, Confidence: 0.9})
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

func near(t fataler, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Fatalf("%s is %.6g, want %.6g ± %.2g", what, got, want, within)
	}
}

// stored is a memory that a record holds for a detector.
type stored interface {
	Append(dst []byte) []byte
	Read(r *wire.Reader)
}

// reread writes a memory, reads it into another, and fails unless that writes the same.
func reread(t fataler, from, to stored) {
	t.Helper()
	coded := from.Append(nil)
	for n := range coded {
		r := wire.NewReader(coded[:n])
		to.Read(r)
		if r.Done() == nil {
			t.Fatalf("%d of %d bytes are read without complaint", n, len(coded))
		}
	}
	r := wire.NewReader(coded)
	to.Read(r)
	if err := r.Done(); err != nil {
		t.Fatalf("what was written is not read: %v", err)
	}
	if again := to.Append(nil); string(again) != string(coded) {
		t.Fatalf("written as %x, then as %x", coded, again)
	}
}

func TestTheTableHasEachClassOnce(t *testing.T) {
	seen := map[inventory.Class]bool{}
	for _, d := range detectors.Table() {
		if seen[d.Class] || d.Look == nil || d.Describe == nil {
			t.Errorf("detector %s stands twice, or cannot look or describe", d.Class)
		}
		seen[d.Class] = true
	}
}

// nothing is the past of a key of which nothing else is known.
type nothing struct{}

func (nothing) Arrival(inventory.Class, string) *detectors.Arrival { return nil }
func (nothing) OnHand(_, _ inventory.Millis) (low, high int64)     { return 0, 0 }
func (nothing) LastHour() detectors.Total                          { return detectors.Total{} }
func (nothing) LastDays() detectors.Total                          { return detectors.Total{} }
func (nothing) Returns() int64                                     { return 0 }
