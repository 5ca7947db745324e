package inventory

import "testing"

func TestAvailability(t *testing.T) {
	q := Quantities{OnHand: 10, Unavailable: 2, Reserved: 9, Safety: 1}
	if q.Available() != 8 || q.ATP() != -2 {
		t.Errorf("available %d, ATP %d; want 8 and -2", q.Available(), q.ATP())
	}
}
