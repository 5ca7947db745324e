package timer

// heap is a binary heap of timers, the first on top. Written out, as container/heap moves
// every timer through an interface, which allocates.
type heap []Timer

func (h *heap) push(t Timer) {
	*h = append(*h, t)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if s[parent].compare(t) <= 0 {
			break
		}
		s[i], s[parent] = s[parent], t
		i = parent
	}
}

// pop takes the first off a heap that is not empty.
func (h *heap) pop() Timer {
	s := *h
	first, moved := s[0], s[len(s)-1]
	s[len(s)-1] = Timer{}
	s = s[:len(s)-1]
	*h = s
	for i := 0; len(s) > 0; {
		child := 2*i + 1
		if child+1 < len(s) && s[child+1].compare(s[child]) < 0 {
			child++
		}
		if child >= len(s) || moved.compare(s[child]) <= 0 {
			s[i] = moved
			break
		}
		s[i] = s[child]
		i = child
	}
	return first
}
