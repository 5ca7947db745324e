package sim

import (
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

// queue gives things back by time, and those of one moment in the order in which they
// were put in. It is a binary heap.
type queue[T any] struct {
	entries []entry[T]
	puts    int // how many there have been
}

type entry[T any] struct {
	at     inventory.Millis
	number int
	what   T
}

func (a *entry[T]) before(b *entry[T]) bool {
	return a.at < b.at || a.at == b.at && a.number < b.number
}

func (q *queue[T]) empty() bool { return len(q.entries) == 0 }

// first returns the time of what comes next. The queue is not empty.
func (q *queue[T]) first() inventory.Millis { return q.entries[0].at }

func (q *queue[T]) put(at inventory.Millis, what T) {
	q.puts++
	q.entries = append(q.entries, entry[T]{at, q.puts, what})
	for child := len(q.entries) - 1; child > 0; {
		parent := (child - 1) / 2
		if !q.entries[child].before(&q.entries[parent]) {
			return
		}
		q.entries[child], q.entries[parent] = q.entries[parent], q.entries[child]
		child = parent
	}
}

// take removes what comes next. The queue is not empty.
func (q *queue[T]) take() (at inventory.Millis, what T) {
	top, last := q.entries[0], len(q.entries)-1
	q.entries[0] = q.entries[last]
	q.entries = slices.Delete(q.entries, last, last+1)
	for parent := 0; ; {
		least := parent
		for child := 2*parent + 1; child <= 2*parent+2 && child < last; child++ {
			if q.entries[child].before(&q.entries[least]) {
				least = child
			}
		}
		if least == parent {
			return top.at, top.what
		}
		q.entries[parent], q.entries[least] = q.entries[least], q.entries[parent]
		parent = least
	}
}
