package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/inventory"
)

// follow collects n updates, in words.
func follow(t *testing.T, w *world, n int, opts ...CommandsOption) []string {
	t.Helper()
	var got []string
	for u, err := range Commands(testContext(t), w.nc, opts...) {
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		got = append(got, words(u))
		if len(got) == n {
			break
		}
	}
	return got
}

func words(u Update) string {
	c := u.Command
	return fmt.Sprintf("%s %s %s@%s r%d from %d", c.Action, c.Channel, c.SKU, c.Location, c.Revision, u.Sequence)
}

func TestALateSubscriberHasWhatIsInForceThenWhatComes(t *testing.T) {
	w := newCommandWorld(t)
	w.say(inventory.Hold, "web", "mug", "s1", 1)
	w.say(inventory.Hold, "web", "cup", "s1", 1)
	w.say(inventory.Unhold, "web", "mug", "s1", 2)
	w.project(3, true)
	w.say(inventory.Hold, "web", "mug", "s1", 3) // stored, not yet in the bucket

	got := follow(t, w.world, 3)
	slices.Sort(got[:2]) // what is in force comes in no order
	want := []string{"hold web cup@s1 r1 from 0", "release web mug@s1 r2 from 0", "hold web mug@s1 r3 from 4"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestWhatIsInTheBucketAlreadyComesOnce has the projector die between its put and its ack.
func TestWhatIsInTheBucketAlreadyComesOnce(t *testing.T) {
	w := newCommandWorld(t)
	w.say(inventory.Hold, "web", "mug", "s1", 1)
	w.say(inventory.Unhold, "web", "mug", "s1", 2)
	w.project(2, false)
	w.say(inventory.Hold, "web", "mug", "s1", 2) // a repeat, as two workers in a hand-over may send
	w.say(inventory.Hold, "web", "mug", "s1", 3)

	got := follow(t, w.world, 2)
	want := []string{"release web mug@s1 r2 from 0", "hold web mug@s1 r3 from 4"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBeforeAnythingWasProjectedTheStreamSuffices(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: commandStream(defaultPrefix), Subjects: []string{"holdfast.command.>"}})
	c := &commandWorld{world: w}
	c.say(inventory.Hold, "web", "mug", "s1", 1)
	if got, want := follow(t, w, 1), "hold web mug@s1 r1 from 1"; got[0] != want {
		t.Errorf("got %q, want %q", got[0], want)
	}
}

func TestFilters(t *testing.T) {
	w := newCommandWorld(t)
	w.say(inventory.Hold, "web", "mug", "s1", 1)
	w.say(inventory.Hold, "amazon", "mug", "s1", 1)
	w.project(2, true)
	w.say(inventory.Hold, "amazon", "mug", "s2", 1)
	w.say(inventory.Hold, "amazon", "mug", "*", 1)
	w.say(inventory.Hold, "amazon", "cup", "s1", 1)
	w.say(inventory.Hold, "web", "mug", "s1", 2)
	w.say(inventory.Unhold, "amazon", "mug", "s1", 2)

	got := follow(t, w.world, 3, Channels("amazon"), SKUs("mug"), Locations("s1"))
	want := []string{"hold amazon mug@s1 r1 from 0", "hold amazon mug@* r1 from 4", "release amazon mug@s1 r2 from 7"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestResuming(t *testing.T) {
	w := newCommandWorld(t)
	for r := range uint64(5) {
		w.say(inventory.Throttle, "web", "mug", "s1", r+1)
	}
	w.project(5, true)

	t.Run("goes on behind the sequence", func(t *testing.T) {
		got := follow(t, w.world, 2, After(3))
		want := []string{"throttle web mug@s1 r4 from 4", "throttle web mug@s1 r5 from 5"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("refuses a sequence that the stream has not", func(t *testing.T) {
		for _, err := range Commands(testContext(t), w.nc, After(6)) {
			if err == nil || !strings.Contains(err.Error(), "ends at 5") {
				t.Errorf("got %v, want it to say where the stream ends", err)
			}
		}
	})
	t.Run("begins with the directives where the stream has dropped what follows", func(t *testing.T) {
		s, err := w.js.Stream(testContext(t), commandStream(defaultPrefix))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Purge(testContext(t), jetstream.WithPurgeSequence(5)); err != nil {
			t.Fatal(err)
		}
		if got, want := follow(t, w.world, 1, After(2)), "throttle web mug@s1 r5 from 0"; got[0] != want {
			t.Errorf("got %q, want %q", got[0], want)
		}
	})
}

// TestAnOutageIsWaitedOut restarts the server under a subscriber; nothing is missed or told twice.
func TestAnOutageIsWaitedOut(t *testing.T) {
	w := newCommandWorld(t)
	w.say(inventory.Hold, "web", "mug", "s1", 1)
	var got []string
	for u, err := range Commands(testContext(t), w.nc) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, words(u))
		if len(got) == 1 {
			w.stopServer()
			w.startServer()
			for !w.nc.IsConnected() {
				select {
				case <-testContext(t).Done():
					t.Fatal("the connection did not come back")
				case <-time.After(time.Millisecond):
				}
			}
			w.say(inventory.Unhold, "web", "mug", "s1", 2)
		}
		if len(got) == 2 {
			break
		}
	}
	want := []string{"hold web mug@s1 r1 from 1", "release web mug@s1 r2 from 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTheLoopEndsWithItsContext(t *testing.T) {
	w := newCommandWorld(t)
	w.say(inventory.Hold, "web", "mug", "s1", 1)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	var last error
	for _, err := range Commands(ctx, w.nc) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("the loop ended with %v, want the context's error", last)
	}
}

func TestWhatIsNoCommandEndsTheLoopAndSaysWhere(t *testing.T) {
	w := newCommandWorld(t)
	if _, err := w.js.Publish(testContext(t), "holdfast.command.0.web.hold", []byte("{")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range Commands(testContext(t), w.nc) {
		n++
		if err == nil || !strings.Contains(err.Error(), "HOLDFAST_COMMANDS sequence 1") {
			t.Errorf("got %v, want an error that names the message", err)
		}
	}
	if n != 1 {
		t.Errorf("%d values yielded, want the one error", n)
	}
}
