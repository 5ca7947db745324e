package baseline_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/quality/baseline"
	"github.com/holdfast-atp/holdfast/inventory"
)

const start inventory.Millis = 1_735_516_800_000

var (
	sells  = inventory.Key{SKU: "sells", Location: "a"}
	silent = inventory.Key{SKU: "silent", Location: "a"}
)

// board has two keys that sold alike for two weeks; then one fell silent for one week.
func board(t *testing.T) (b *baseline.Board, now inventory.Millis) {
	t.Helper()
	b = baseline.New(start, 1)
	for _, k := range []inventory.Key{sells, silent} {
		b.Observe(&inventory.Delta{SKU: k.SKU, Location: k.Location, Kind: inventory.Count, Quantity: 500, Time: start})
	}
	for day := range inventory.Millis(21) {
		for n := range inventory.Millis(4) {
			now = start + day*inventory.Day + (9+2*n)*inventory.Hour
			for _, k := range []inventory.Key{sells, silent} {
				if k == sells || day < 14 {
					b.Observe(&inventory.Delta{SKU: k.SKU, Location: k.Location, Kind: inventory.Sale, Quantity: 1, Time: now})
				}
			}
		}
	}
	return b, now
}

func scores(b *baseline.Board, key inventory.Key, at inventory.Millis) map[string]float64 {
	values := make([]float64, len(baseline.Names()))
	b.Scores(key, at, values)
	named := map[string]float64{}
	for i, name := range baseline.Names() {
		named[name] = values[i]
	}
	return named
}

func TestSilenceIsSuspicious(t *testing.T) {
	b, now := board(t)
	for name, s := range scores(b, silent, now) {
		quiet := []string{"days since last sale", "poisson", "zero-run product", "nb zero run", "sprt", "cusum"}
		if slices.Contains(quiet, name) && s <= scores(b, sells, now)[name] {
			t.Errorf("%s scores the silent key %g, and the other %g", name, s, scores(b, sells, now)[name])
		}
	}
	if s := scores(b, silent, now)["days since last sale"]; s < 6 || s > 8.5 {
		t.Errorf("a week without a sale is %g days of trade", s)
	}
	if s := scores(b, silent, now)["poisson"]; s < 18 || s > 34 {
		t.Errorf("where four sales a day are usual a week is worth %g", s)
	}
}

func TestWhatIsOnRecordDecidesTheSimpleRules(t *testing.T) {
	b, now := board(t)
	b.Observe(&inventory.Delta{SKU: "silent", Location: "a", Kind: inventory.Count, Quantity: 0, Time: now})
	s := scores(b, silent, now+inventory.Day)
	if s["zero balance"] != 1 || s[baseline.LowStock] != 0 {
		t.Errorf("nothing is on record: %v", s)
	}
	if again := scores(b, silent, now+3*inventory.Day); again["poisson"] != s["poisson"] {
		t.Errorf("silence counts where nothing is on record: %g, then %g", s["poisson"], again["poisson"])
	}
	if s := scores(b, sells, now); s["zero balance"] != 0 || s[baseline.LowStock] != -416 {
		t.Errorf("416 are on record: %v", s)
	}
}

func TestEmptyPicksCountByOrderUntilStockIsSeen(t *testing.T) {
	b, now := board(t)
	fail := func(order int) {
		b.Observe(&inventory.Delta{SKU: "sells", Location: "a", Kind: inventory.PickFailed, Quantity: 1, Ref: fmt.Sprint(order), Time: now})
	}
	fail(1)
	fail(1)
	fail(2)
	if n := scores(b, sells, now)["nil picks"]; n != 2 {
		t.Errorf("two orders failed, and %g are counted", n)
	}
	b.Observe(&inventory.Delta{SKU: "sells", Location: "a", Kind: inventory.Ship, Quantity: 1, Ref: "3", Time: now})
	if n := scores(b, sells, now)["nil picks"]; n != 0 {
		t.Errorf("stock was seen, and %g are counted", n)
	}
}

func TestRandomIsTheSameForADay(t *testing.T) {
	b, now := board(t)
	if a, c := scores(b, sells, now)["random"], scores(b, silent, now)["random"]; a == c || a < 0 || a >= 1 {
		t.Errorf("two keys score %g and %g", a, c)
	}
	if s := scores(b, inventory.Key{SKU: "unheard-of"}, now); s["random"] != 0 {
		t.Errorf("what nobody named scores %v", s)
	}
}
