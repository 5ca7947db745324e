package detectors

import (
	"math"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// shop is a key with stock at a location that sells at an even rhythm.
type shop struct {
	view View
	feed Feed
	now  inventory.Millis
}

const monday inventory.Millis = 1_795_392_000_000

func newShop(weeks int) *shop {
	s := &shop{now: monday}
	s.view = View{SKU: "tea", Location: "leeds", Quantities: inventory.Quantities{OnHand: 50}, Belief: &Belief{}, Feed: &s.feed, Alarm: Alarm{0.8, 0.4}}
	for range weeks * 168 {
		s.feed.Sale(s.now)
		if s.now%(6*inventory.Hour) == 0 {
			s.tell(inventory.Sale, 1, "")
		}
		s.now += inventory.Hour
	}
	return s
}

func (s *shop) tell(kind inventory.Kind, q int64, ref string) {
	d := &inventory.Delta{Kind: kind, Quantity: q, Time: s.now, Ref: ref, Reason: "sellable"}
	s.view.Now = s.now
	s.view.Belief.Hold(&s.view)
	s.view.Belief.Observe(&s.view, d)
}

// pass lets hours go by in which the location's source vouches for its feed.
func (s *shop) pass(hours int) {
	s.now += inventory.Millis(hours) * inventory.Hour
	s.feed.Vouch(s.now)
	s.view.Now = s.now
}

func (s *shop) odds() float64 {
	p := s.view.Belief.Probability(&s.view)
	return math.Log(p / (1 - p))
}

// TestEvidenceIsWorthWhatTheFormulaSays checks DOMAIN.md's figures.
func TestEvidenceIsWorthWhatTheFormulaSays(t *testing.T) {
	s := newShop(4)
	before := s.odds()
	s.tell(inventory.PickFailed, 1, "o1")
	if got, want := s.odds()-before, math.Log(0.97/0.05); math.Abs(got-want) > 0.4 {
		t.Errorf("an empty pick is worth %.2f, want about %.2f where one in twenty fails anyway", got, want)
	}
	once := s.odds()
	s.tell(inventory.PickFailed, 1, "o1")
	if s.odds() > once+0.01 {
		t.Error("the same order's pick counts twice")
	}
	s.tell(inventory.PickFailed, 1, "o2")
	if p := s.view.Belief.Probability(&s.view); p < 0.5 {
		t.Errorf("after two empty picks the probability is %.2f", p)
	}
	if got := lookPhantom(&s.view, nil); (s.view.Belief.Probability(&s.view) >= 0.8) != (len(got) == 1) {
		t.Errorf("at %.2f the detector finds %+v", s.view.Belief.Probability(&s.view), got)
	}
	s.tell(inventory.Sale, 1, "")
	if p := s.view.Belief.Probability(&s.view); p > 0.2 {
		t.Errorf("after a sale the probability is still %.2f", p)
	}
}

func TestSilenceIsWorthTheGammaPoissonLogOdds(t *testing.T) {
	s := newShop(6)
	b := s.view.Belief
	start := s.odds()
	s.pass(18)
	shape, hours := b.rate(&s.feed)
	silent := b.silence(&s.view)
	want := shape * math.Log1p(silent/hours)
	if got := b.silenceOdds(&s.view); math.Abs(got-want) > 1e-9 || s.odds() < start+want-1 {
		t.Errorf("%.1f hours of silence are worth %.4f, want %.4f", silent, got, want)
	}
	if expected := silent * shape / hours; expected < 2 || expected > 4 {
		t.Errorf("a sale every six hours makes %.1f expected in 18 hours", expected)
	}
}

// TestTheAlarmIsWhereSilenceReachesIt: the closed form and the probability agree.
func TestTheAlarmIsWhereSilenceReachesIt(t *testing.T) {
	s := newShop(6)
	in, ok := s.view.Belief.AlarmIn(&s.view, 0.8, 60*inventory.Day)
	if !ok {
		t.Fatal("silence is never to reach the alarm")
	}
	s.now += in
	s.feed.Vouch(s.now)
	s.view.Now = s.now
	// The alarm foresees silence alone; that stock may vanish meanwhile comes on top.
	if p, most := s.view.Belief.Probability(&s.view), 0.9; p < 0.79 || p > most {
		t.Errorf("after %.0f h the probability is %.3f, want 0.8 to %g", float64(in)/float64(inventory.Hour), p, most)
	}
}

func TestASilentFeedIsNoSilentDemand(t *testing.T) {
	s := newShop(6)
	p, quiet := s.view.Belief.Probability(&s.view), s.view.Belief.silence(&s.view)
	s.now += 10 * inventory.Day // nobody vouches, nothing is sold anywhere
	s.view.Now = s.now
	// What may have vanished meanwhile counts, and the silence from before does; no more.
	b := s.view.Belief
	silence := b.silenceOdds(&s.view)
	vanished := 1 - (1-b.prior)*math.Exp(-hazardPerDay*float64(s.now-b.provedAt)/float64(inventory.Day))
	most := 1/(1+math.Exp(-math.Log(vanished/(1-vanished))-silence)) + 0.002
	if got := s.view.Belief.Probability(&s.view); got > most {
		t.Errorf("a feed that is down for ten days makes %.3f of %.3f, want %.3f at most", got, p, most)
	}
	s.feed.Sale(s.now) // it is back: the gap was an outage
	if silent := b.silence(&s.view); silent > quiet+1 {
		t.Errorf("after an outage the silence is %.1f hours, before it was %.1f", silent, quiet)
	}
	if got := s.view.Belief.Probability(&s.view); got > most {
		t.Errorf("an outage makes %.3f of %.3f once it has ended, want %.3f at most", got, p, most)
	}
}

func TestACountSettlesIt(t *testing.T) {
	s := newShop(4)
	s.pass(60)
	if p := s.view.Belief.Probability(&s.view); p < 0.8 {
		t.Fatalf("after sixty hours the probability is %.2f", p)
	}
	s.tell(inventory.Count, 50, "")
	if p := s.view.Belief.Probability(&s.view); p > 0.05 {
		t.Errorf("after a count it is %.2f", p)
	}
	s.view.OnHand = 0
	s.view.Open = []Scope{{Class: inventory.PhantomInventory}}
	if got := lookPhantom(&s.view, nil); len(got) != 1 || got[0].Edge != Clear {
		t.Errorf("with nothing on record the detector finds %+v", got)
	}
}

// TestAFeedIsReadAsItWasWritten, and so is a belief.
func TestAFeedIsReadAsItWasWritten(t *testing.T) {
	s := newShop(3)
	s.tell(inventory.PickFailed, 1, "o1")
	coded := s.feed.Append(nil)
	var feed Feed
	r := wire.NewReader(coded)
	feed.Read(r)
	if err := r.Done(); err != nil || feed != s.feed {
		t.Errorf("got %+v, %v\nwant %+v", feed, err, s.feed)
	}
	coded = s.view.Belief.Append(nil)
	var b Belief
	r = wire.NewReader(coded)
	b.Read(r)
	if err := r.Done(); err != nil || b != *s.view.Belief {
		t.Errorf("got %+v, %v\nwant %+v", b, err, *s.view.Belief)
	}
}
