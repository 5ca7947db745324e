package detectors

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// TestTheNextDeliveryIsForeseen: where goods come every so often, in one go of an hour or two, the next comes a period after the last.
func TestTheNextDeliveryIsForeseen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Place
		every := inventory.Millis(rapid.Int64Range(12, 14*24).Draw(t, "hours")) * inventory.Hour
		now := inventory.Millis(1_795_392_000_000)
		for i := range 20 {
			if known := p.nextSupply(now) != 0; known != (i > 6) {
				t.Fatalf("after %d deliveries known: %v", i, known)
			}
			now += every
			p.Supplied(now)
			p.Supplied(now + 2*inventory.Hour)
			p.Supplied(now - inventory.Day) // late word of an earlier one
		}
		if next := p.nextSupply(now + inventory.Hour); next < now+every-inventory.Minute || next > now+every+inventory.Minute {
			t.Fatalf("goods come every %v and came at %v, and next at %v", every, now, next)
		}
		late := now + 3*every
		if next := p.nextSupply(late); next < late+every-inventory.Minute || next > late+every+inventory.Minute {
			t.Fatalf("goods come every %v and stayed away, and next at %v, after %v", every, next, late)
		}
	})
}
