package sim

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAQueueGivesBackByTimeAndOrder holds it against a search through all there is.
func TestAQueueGivesBackByTimeAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue[int]
		type put struct {
			at   inventory.Millis
			what int
		}
		var model []put
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(model) == 0 || rapid.Bool().Draw(t, "put") {
				p := put{inventory.Millis(rapid.IntRange(0, 20).Draw(t, "at")), i}
				model = append(model, p)
				q.put(p.at, p.what)
				continue
			}
			first := 0
			for j := range model {
				if model[j].at < model[first].at {
					first = j
				}
			}
			want := model[first]
			model = append(model[:first], model[first+1:]...)
			if got := q.first(); got != want.at {
				t.Fatalf("first is of %d, want %d", got, want.at)
			}
			if at, what := q.take(); at != want.at || what != want.what {
				t.Fatalf("took %d of %d, want %d of %d", what, at, want.what, want.at)
			}
		}
		if q.empty() != (len(model) == 0) {
			t.Fatalf("empty is %v with %d in it", q.empty(), len(model))
		}
	})
}
