package stream

import (
	"testing"
	"time"
)

// TestTheLastWordIsFoundWhateverWasKnown asks for the last output of partition 1 in the
// stream of rejected deltas, where another partition had the last word.
func TestTheLastWordIsFoundWhateverWasKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.say(w.openPublisher(w.js, 1), 1, Rejected, 1, 4)
	w.say(w.openPublisher(w.js, 0), 0, Rejected, 1, 1)
	stored := w.messages(w.topology.OutputStream(Rejected))
	for _, c := range []struct {
		name     string
		sequence uint64
		since    time.Time
		want     uint64
	}{
		{"nothing", 0, time.Time{}, 4},
		{"the first two", 2, time.Time{}, 4},
		{"all of its own", 4, time.Time{}, 0},
		{"all", 5, time.Time{}, 0},
		{"more than there is: the stream was made anew", 99, time.Time{}, 4},
		{"a time in between", 0, stored[3].Time, 4},
		{"a time after all of its own", 0, stored[4].Time, 0},
		{"a time after all", 0, stored[4].Time.Add(time.Nanosecond), 0},
	} {
		last := lastWord{
			log: &leaderOutputs{js: w.js, stream: w.topology.OutputStream(Rejected), partition: 1},
			all: w.topology.outputFilter(Rejected), partition: 1,
			sequence: c.sequence, since: c.since,
		}
		ordinal, err := last.find(testContext(t))
		must(t, err)
		if ordinal != c.want || last.sequence != 5 {
			t.Errorf("%s known: found %d and is at %d, want %d and 5", c.name, ordinal, last.sequence, c.want)
		}
	}
}
