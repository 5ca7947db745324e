package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/state"
)

func (w *world) openReader(partition int, from uint64, bounds Bounds) *Reader {
	w.t.Helper()
	var after state.Position
	if from > 1 {
		data, unixNanos, ok, err := leaderLog{w.js, w.topology.DeltaStream(partition)}.Message(testContext(w.t), from-1)
		if err != nil || !ok {
			w.t.Fatalf("message %d: %v", from-1, err)
		}
		after = state.Position{Sequence: from - 1, Fingerprint: Fingerprint(data, unixNanos)}
	}
	r, err := Open(testContext(w.t), w.js, w.topology, partition, after, bounds)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, r.Close()) })
	return r
}

// read takes fetches until it has so many messages, checks each against what stands in
// the log, and returns the ids of the deltas.
func (w *world) read(r *Reader, messages int) (ids []string) {
	w.t.Helper()
	ctx := testContext(w.t)
	for messages > 0 {
		f, err := r.Next(ctx)
		must(w.t, err)
		next := 0
		for i := range f.Messages {
			m := &f.Messages[i]
			stored, err := leaderGet(ctx, w.js, w.topology.DeltaStream(r.partition), map[string]any{"seq": m.Sequence})
			must(w.t, err)
			if string(m.Data) != string(stored.Data) || m.UnixNanos != stored.Time.UnixNano() || int64(m.Time) != stored.Time.UnixMilli() ||
				m.Fingerprint() != Fingerprint(stored.Data, stored.Time.UnixNano()) {
				w.t.Errorf("message %d is not as it is stored", m.Sequence)
			}
			if m.First != next || m.Count < 1 {
				w.t.Errorf("message %d has deltas %d+%d, want them from %d on", m.Sequence, m.First, m.Count, next)
			}
			next += m.Count
			for _, d := range f.Batch.Deltas[m.First:next] {
				ids = append(ids, fmt.Sprintf("%d:%s", m.Sequence, d.ID))
			}
		}
		if next != len(f.Batch.Deltas) {
			w.t.Errorf("a fetch has %d deltas, its messages %d", len(f.Batch.Deltas), next)
		}
		messages -= len(f.Messages)
		r.Recycle(f)
	}
	return ids
}

// publishSales puts sales with ids first to last into a log, and returns what read
// makes of them.
func (w *world) publishSales(partition, first, last int) (ids []string) {
	w.t.Helper()
	sku := w.skuOf(partition)
	for i := first; i <= last; i++ {
		id := fmt.Sprintf("s%d", i)
		ids = append(ids, fmt.Sprintf("%d:%s", w.publish(w.topology.DeltaSubject(partition), packed(sale(id, sku))), id))
	}
	return ids
}

func wantIDs(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReaderReadsInOrderAndThenWhatComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	want := w.publishSales(1, 1, 20)
	r := w.openReader(1, 1, Bounds{})
	if got := r.LastAtOpen(); got != 20 {
		t.Errorf("the last at open is %d, want 20", got)
	}
	wantIDs(t, w.read(r, 20), want)
	w.publishSales(0, 1, 3) // another partition's
	want = w.publishSales(1, 21, 22)
	wantIDs(t, w.read(r, 2), want)
}

func TestReaderReadsOnFromASequence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	want := w.publishSales(0, 1, 10)
	wantIDs(t, w.read(w.openReader(0, 8, Bounds{}), 3), want[7:])

	r := w.openReader(0, 11, Bounds{}) // has all
	want = w.publishSales(0, 11, 11)
	wantIDs(t, w.read(r, 1), want)
}

func TestReaderUnpacksManyAndShowsWhatIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.publish(w.topology.DeltaSubject(0), packed(sale("a", "x"), sale("b", "y"), sale("c", "x")))
	w.publish(w.topology.DeltaSubject(0), []byte("nonsense"))
	w.publish(w.topology.DeltaSubject(0), nil)
	w.publish(w.topology.DeltaSubject(0), packed(sale("d", "x")))
	wantIDs(t, w.read(w.openReader(0, 1, Bounds{}), 4), []string{"1:a", "1:b", "1:c", "2:", "3:", "4:d"})
}

// TestReaderWaitsForItsCaller has a reader with room for three fetches of one message
// and a log of many.
func TestReaderWaitsForItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	want := w.publishSales(0, 1, 50)
	r := w.openReader(0, 1, Bounds{Fetches: 3, FetchDeltas: 1, PullMessages: 5})
	eventually(t, "all fetches are full", r.queue.blocked)
	if got := r.next.Load(); got != 4 {
		t.Errorf("the next to be delivered is %d, want 4: three fetches of one message are full", got)
	}
	f, err := r.Next(testContext(t))
	must(t, err)
	if !r.queue.blocked() {
		t.Error("a fetch that the caller has was taken for free")
	}
	r.Recycle(f)
	wantIDs(t, w.read(r, 49), want[1:])
}

func TestReaderBoundsAFetch(t *testing.T) {
	q := newFetchQueue(Bounds{Fetches: 3, FetchDeltas: 4, FetchBytes: 1000}.withDefaults())
	stop := make(chan struct{})
	close(stop) // put gives up where it would wait
	two := packed(sale("a", "x"), sale("b", "x"))
	for range 3 {
		if !q.put(stop, 1, 1, two, false) {
			t.Fatal("there is room, and it was not taken")
		}
	}
	if !q.put(stop, 1, 1, make([]byte, 2000), false) || !q.put(stop, 1, 1, packed(sale("a", "x"), sale("b", "x"), sale("c", "x"), sale("d", "x")), false) {
		t.Error("a fetch takes the message that reaches its bound")
	}
	if q.put(stop, 1, 1, two, false) {
		t.Error("there was no fetch left")
	}
	var sizes []int
	for range 3 {
		f, err := q.await(t.Context(), 0, nil)
		must(t, err)
		sizes = append(sizes, len(f.Messages))
	}
	if want := []int{2, 2, 1}; !slices.Equal(sizes, want) {
		t.Errorf("fetches of %d messages, want %d", sizes, want)
	}
}

// TestFetchQueueLosesNothing lets a filler and a reader take turns at random.
func TestFetchQueueLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newFetchQueue(Bounds{
			Fetches:     rapid.IntRange(2, 4).Draw(t, "fetches"),
			FetchDeltas: rapid.IntRange(1, 4).Draw(t, "deltas"),
		}.withDefaults())
		var taken []*Fetch
		put, got := uint64(0), uint64(0)
		payload := packed(sale("a", "x"))
		for range 100 {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				blocked := q.blocked()
				if q.tryPut(put+1, 1, payload, false) == blocked {
					t.Fatalf("blocked is %v, and so is taking a message", blocked)
				}
				if !blocked {
					put++
				}
			case 1:
				f, err := q.tryNext()
				if err != nil || (f == nil) != (got == put) {
					t.Fatalf("got %v, %v where %d of %d were read", f, err, got, put)
				}
				if f == nil {
					continue
				}
				for _, m := range f.Messages {
					if got++; m.Sequence != got {
						t.Fatalf("got %d, want %d", m.Sequence, got)
					}
				}
				taken = append(taken, f)
			case 2:
				if len(taken) > 0 {
					q.recycle(taken[0])
					taken = taken[1:]
				}
			}
		}
	})
}

func TestReaderGoesOnWhenItsConsumerIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	r := w.openReader(0, 1, Bounds{})
	wantIDs(t, w.read(r, 0), nil)
	all := w.publishSales(0, 1, 3)
	wantIDs(t, w.read(r, 3), all)
	s, err := w.js.Stream(ctx, w.topology.DeltaStream(0))
	must(t, err)
	for name := range s.ConsumerNames(ctx).Name() {
		must(t, s.DeleteConsumer(ctx, name))
	}
	want := w.publishSales(0, 4, 6)
	wantIDs(t, w.read(r, 3), want)
}

// TestReaderFindsOutThatItsConsumerIsStuck pauses a consumer, which is to the reader
// as if it were never served again.
func TestReaderFindsOutThatItsConsumerIsStuck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	r := w.openReader(0, 1, Bounds{})
	want := w.publishSales(0, 1, 3)
	wantIDs(t, w.read(r, 3), want)
	s, err := w.js.Stream(ctx, w.topology.DeltaStream(0))
	must(t, err)
	for name := range s.ConsumerNames(ctx).Name() {
		_, err := s.PauseConsumer(ctx, name, time.Now().Add(time.Hour))
		must(t, err)
	}
	want = w.publishSales(0, 4, 5)
	wantIDs(t, w.read(r, 2), want)
}

func TestReaderSaysWhatIsGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose func(t *testing.T, s jetstream.Stream)
		says []string
	}{
		{"purged", func(t *testing.T, s jetstream.Stream) {
			must(t, s.Purge(testContext(t), jetstream.WithPurgeSequence(5)))
		}, []string{"messages 1 to 4", "retention or a purge"}},
		{"deleted one by one", func(t *testing.T, s jetstream.Stream) {
			must(t, s.DeleteMsg(testContext(t), 3))
		}, []string{"messages 3 to 3", "deleted, or the broker can't read them"}},
		{"at its end", func(t *testing.T, s jetstream.Stream) { // as of a block that lost its end
			must(t, s.DeleteMsg(testContext(t), 6))
			must(t, s.DeleteMsg(testContext(t), 5))
		}, []string{"messages 5 to 6", "deleted, or the broker can't read them"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.publishSales(0, 1, 6)
			s, err := w.js.Stream(testContext(t), w.topology.DeltaStream(0))
			must(t, err)
			c.lose(t, s)
			r := w.openReader(0, 1, Bounds{})
			for err == nil {
				var f *Fetch
				if f, err = r.Next(testContext(t)); err == nil {
					r.Recycle(f)
				}
			}
			if !errors.Is(err, ErrLogDiffers) {
				t.Errorf("got %v, want ErrLogDiffers", err)
			}
			wantError(t, c.name, err, append(c.says, "HOLDFAST_DELTA_0000", "restore the stream")...)
		})
	}
}

// TestReaderSaysThatTheLogLostItsTail: the stream is made anew under a reader, with fewer messages than it has
// read, or than were read before it was opened, or with as many others and one more. It must not take that one for the next.
func TestReaderSaysThatTheLogLostItsTail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		others int
		before bool
	}{{2, false}, {4, false}, {2, true}, {4, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.publishSales(0, 1, 3)
			var r *Reader
			if c.before {
				r = w.openReader(0, 4, Bounds{})
			} else {
				r = w.openReader(0, 1, Bounds{})
				w.read(r, 3)
			}
			must(t, w.js.DeleteStream(testContext(t), w.topology.DeltaStream(0)))
			must(t, w.topology.Ensure(testContext(t), w.js))
			w.publishSales(0, 11, 10+c.others)
			f, err := r.Next(testContext(t))
			if !errors.Is(err, ErrLogDiffers) {
				t.Errorf("got %v and %v, want ErrLogDiffers", f, err)
			}
		})
	}
}

// delivered is a message as a consumer hands it over.
type delivered struct {
	jetstream.Msg
	reply string
}

func (m delivered) Reply() string { return m.reply }
func (m delivered) Data() []byte  { return []byte("x") }

func (m delivered) Subject() string { return "holdfast.delta.0" }

func TestADeliveryTakesTheNextMessageAndNoOther(t *testing.T) {
	reply := func(sequence int) string { return fmt.Sprintf("$JS.ACK.S.C.1.%d.1.1764000000000000000.0", sequence) }
	for _, c := range []struct {
		name    string
		replies []string
		next    uint64 // expected after all
		ends    error  // nil: it goes on
	}{
		{"in order", []string{reply(5), reply(6)}, 7, nil},
		{"again", []string{reply(5), reply(4), reply(5), reply(6)}, 7, nil},
		{"a gap", []string{reply(5), reply(7), reply(6)}, 6, errGap},
		{"no reply subject of JetStream's", []string{reply(5), "_INBOX.1", reply(6)}, 6, errors.New("none of JetStream's")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Reader{queue: newFetchQueue(Bounds{}.withDefaults())}
			r.next.Store(5)
			d := &delivery{reader: r, stop: make(chan struct{}), ended: make(chan error, 1)}
			for _, reply := range c.replies {
				d.handle(delivered{reply: reply})
			}
			if got := r.next.Load(); got != c.next {
				t.Errorf("the next is %d, want %d", got, c.next)
			}
			select {
			case err := <-d.ended:
				if c.ends == nil {
					t.Errorf("it ended: %v", err)
				} else {
					wantError(t, c.name, err, c.ends.Error())
				}
			default:
				if c.ends != nil {
					t.Error("it did not end")
				}
			}
		})
	}
}

// TestALossInTransitIsNotTakenForALossOfTheLog has a gap in what was delivered and none
// in the stream.
func TestALossInTransitIsNotTakenForALossOfTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.publishSales(0, 1, 5)
	r := &Reader{js: w.js, topology: w.topology}
	r.next.Store(3)
	if err := r.explainGap(testContext(t), 5); !errors.Is(err, errLost) || errors.Is(err, ErrLogDiffers) {
		t.Errorf("got %v, want that messages were lost in transit", err)
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.openReader(0, 1, Bounds{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	want := w.publishSales(0, 1, 1)
	wantIDs(t, w.read(r, 1), want) // and may be called again
	must(t, r.Close())
	_, err := r.Next(testContext(t))
	wantError(t, "after Close", err, "closed")
}

func TestCloseDoesNotWaitForACallerThatIsSlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.publishSales(0, 1, 20)
	r := w.openReader(0, 1, Bounds{Fetches: 2, FetchDeltas: 1})
	eventually(t, "all fetches are full", r.queue.blocked)
	must(t, r.Close())
	eventually(t, "its consumer is gone", func() bool {
		s, err := w.js.Stream(testContext(t), w.topology.DeltaStream(0))
		must(t, err)
		return s.CachedInfo().State.Consumers == 0
	})
}

// TestReaderOutlivesItsServer stops the server under a reader and starts it again.
func TestReaderOutlivesItsServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.openReader(0, 1, Bounds{})
	want := w.publishSales(0, 1, 3)
	wantIDs(t, w.read(r, 3), want)
	must(t, w.server.Close())
	w.restart()
	want = w.publishSales(0, 4, 5)
	wantIDs(t, w.read(r, 2), want)
}
