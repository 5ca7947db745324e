package gen

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

// InOrder returns the log in the order of event time.
func InOrder(log []inventory.Delta) []inventory.Delta {
	sorted := slices.Clone(log)
	slices.SortStableFunc(sorted, func(a, b inventory.Delta) int { return cmp.Compare(a.Time, b.Time) })
	return sorted
}

// Shuffled draws an order of arrival in which no delta of the log is too late: the next to
// come is any whose time is within the lateness of the oldest that has still to come.
func Shuffled(log []inventory.Delta, lateness inventory.Millis) *rapid.Generator[[]inventory.Delta] {
	return rapid.Custom(func(t *rapid.T) []inventory.Delta {
		rest := InOrder(log)
		arrived := make([]inventory.Delta, 0, len(rest))
		for len(rest) > 0 {
			near := 1
			for near < len(rest) && rest[near].Time <= rest[0].Time+lateness {
				near++
			}
			// The oldest may itself be the newest that there is; then it is its turn.
			i := rapid.IntRange(0, near-1).Draw(t, "next")
			arrived = append(arrived, rest[i])
			rest = slices.Delete(rest, i, i+1)
		}
		return arrived
	})
}

// Message is the deltas of one payload.
type Message []inventory.Delta

// Messages draws how the log is cut into messages of one delta or more.
func Messages(log []inventory.Delta) *rapid.Generator[[]Message] {
	return rapid.Custom(func(t *rapid.T) []Message {
		var all []Message
		for len(log) > 0 {
			n := min(rapid.IntRange(1, 8).Draw(t, "deltas of message"), len(log))
			all = append(all, Message(log[:n:n]))
			log = log[n:]
		}
		return all
	})
}

// Cuts draws after which of n messages a batch ends. The last one always does.
func Cuts(n int) *rapid.Generator[[]bool] {
	return rapid.Custom(func(t *rapid.T) []bool {
		every := rapid.IntRange(1, 6).Draw(t, "messages a batch")
		cuts := make([]bool, n)
		for i := range cuts {
			cuts[i] = i == n-1 || oneIn(t, every, "cut")
		}
		return cuts
	})
}
