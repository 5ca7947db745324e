package stream

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

func (w *world) startDirectives() *Directives {
	w.t.Helper()
	d, err := StartDirectives(testContext(w.t), w.js, w.topology, w.log)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, d.Close()) })
	return d
}

func command(channel, sku, location string, revision uint64) inventory.Command {
	return inventory.Command{
		ID: fmt.Sprintf("%s %s %s %d", channel, sku, location, revision), Action: "hold",
		Channel: channel, SKU: sku, Location: location, Revision: revision,
	}
}

// command publishes a command as a partition does.
func (w *world) command(c inventory.Command, encoding codec.Encoding) {
	w.t.Helper()
	data, err := codec.EncodeCommand(&c, encoding)
	must(w.t, err)
	w.publish(w.topology.CommandSubject(0, c.Channel, string(c.Action)), data)
}

// projected waits until all commands are acknowledged.
func (w *world) projected() {
	w.t.Helper()
	ctx := testContext(w.t)
	s, err := w.js.Stream(ctx, w.topology.OutputStream(Command))
	must(w.t, err)
	last := s.CachedInfo().State.LastSeq
	eventually(w.t, "all commands are in the bucket", func() bool {
		c, err := s.Consumer(ctx, directivesConsumer)
		return err == nil && c.CachedInfo().AckFloor.Stream >= last
	})
}

// directives returns the ids of the commands that ReadDirectives yields.
func (w *world) directives(after uint64, channel, sku, location string) (ids []string) {
	w.t.Helper()
	previous := after
	err := ReadDirectives(testContext(w.t), w.js, w.topology, after, channel, sku, location, func(sequence uint64, c inventory.Command) bool {
		if sequence <= previous {
			w.t.Errorf("sequence %d after %d", sequence, previous)
		}
		previous = sequence
		ids = append(ids, c.ID)
		return true
	})
	must(w.t, err)
	return ids
}

func TestDirectivesHoldTheLastCommandOfEachKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.command(command("web", "a", "x", 1), codec.JSON) // before there is a projector
	w.startDirectives()
	w.command(command("web", "a", "*", 1), codec.Msgpack)
	w.command(command("a shop", "dots.and > *", "x", 1), codec.JSON)
	w.command(command("web", "a", "x", 3), codec.JSON)
	w.command(command("web", "a", "x", 2), codec.JSON) // late
	w.projected()
	w.command(command("web", "a", "x", 2), codec.JSON) // very late
	w.command(command("web", "a", "*", 2), codec.Msgpack)
	w.projected()

	want := []string{"a shop dots.and > * x 1", "web a * 2", "web a x 3"}
	if got := slices.Sorted(slices.Values(w.directives(0, "", "", ""))); !slices.Equal(got, want) {
		t.Errorf("the bucket holds %q, want %q", got, want)
	}
	bucket, err := w.js.KeyValue(testContext(t), w.topology.DirectivesBucket())
	must(t, err)
	entry, err := bucket.Get(testContext(t), DirectiveKey("a shop", "dots.and > *", "x"))
	must(t, err)
	if c, err := codec.DecodeCommand(entry.Value()); err != nil || c.ID != "a shop dots.and > * x 1" {
		t.Errorf("the key holds %q, %v", c.ID, err)
	}
}

func TestReadDirectives(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	wantIDs(t, w.directives(0, "", "", ""), nil)
	w.startDirectives()
	for _, c := range []inventory.Command{
		command("web", "a", "x", 1), command("web", "a", "y", 1), command("shop", "a", "x", 1),
		command("web", "b", "x", 1), command("web", "b", "*", 1), command("web", "a", "x", 2),
	} {
		w.command(c, codec.JSON)
		w.projected() // one by one, so that the bucket has them in this order
	}
	for _, c := range []struct {
		after                  uint64
		channel, sku, location string
		want                   []string
	}{
		{0, "", "", "", []string{"web a y 1", "shop a x 1", "web b x 1", "web b * 1", "web a x 2"}},
		{3, "", "", "", []string{"web b x 1", "web b * 1", "web a x 2"}},
		{6, "", "", "", nil},
		{99, "", "", "", nil},
		{0, "web", "", "", []string{"web a y 1", "web b x 1", "web b * 1", "web a x 2"}},
		{0, "", "a", "", []string{"web a y 1", "shop a x 1", "web a x 2"}},
		{0, "", "", "*", []string{"web b * 1"}},
		{0, "web", "b", "", []string{"web b x 1", "web b * 1"}},
		{0, "web", "a", "x", []string{"web a x 2"}},
		{5, "web", "a", "x", []string{"web a x 2"}},
		{6, "web", "a", "x", nil},
		{0, "web", "c", "x", nil},
		{0, "amazon", "", "", nil},
	} {
		t.Run(fmt.Sprintf("after %d %q %q %q", c.after, c.channel, c.sku, c.location), func(t *testing.T) {
			wantIDs(t, w.directives(c.after, c.channel, c.sku, c.location), c.want)
		})
	}

	var first []string
	must(t, ReadDirectives(ctx, w.js, w.topology, 0, "", "", "", func(_ uint64, c inventory.Command) bool {
		first = append(first, c.ID)
		return len(first) < 2
	}))
	wantIDs(t, first, []string{"web a y 1", "shop a x 1"})

	// What somebody deleted is no directive, wherever its mark stands.
	bucket, err := w.js.KeyValue(ctx, w.topology.DirectivesBucket())
	must(t, err)
	must(t, bucket.Delete(ctx, DirectiveKey("web", "a", "x")))
	wantIDs(t, w.directives(0, "web", "a", "x"), nil)
	wantIDs(t, w.directives(4, "", "", ""), []string{"web b * 1"})

	_, err = bucket.Put(ctx, DirectiveKey("web", "z", "x"), []byte("nonsense"))
	must(t, err)
	err = ReadDirectives(ctx, w.js, w.topology, 0, "", "z", "", func(uint64, inventory.Command) bool { return true })
	wantError(t, "a value that is no command", err, "KV_holdfast-directives", "sequence 8", "decode a command")

	streams, err := w.js.Stream(ctx, w.topology.directivesStream())
	must(t, err)
	if n := streams.CachedInfo().State.Consumers; n != 0 {
		t.Errorf("%d consumers are left behind", n)
	}
}

// TestManyProjectorsWriteManyCommands has three at work on few keys, so that they get in
// each other's way, and one that starts anew.
func TestManyProjectorsWriteManyCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	const commands, keys = 3000, 7
	want := map[string]string{}
	for i := range commands {
		c := command("web", fmt.Sprint("sku", i%keys), "x", uint64(i/keys+1))
		if i%5 == 4 { // some come in the wrong order
			c.Revision = max(1, c.Revision-1)
		}
		c.ID = fmt.Sprint(c.Revision)
		data, err := codec.EncodeCommand(&c, codec.JSON)
		must(t, err)
		_, err = w.js.PublishAsync(w.topology.CommandSubject(0, c.Channel, "hold"), data)
		must(t, err)
		if key := DirectiveKey(c.Channel, c.SKU, c.Location); len(want[key]) < len(c.ID) || want[key] < c.ID {
			want[key] = c.ID
		}
	}
	<-w.js.PublishAsyncComplete()
	w.startDirectives()
	w.startDirectives()
	must(t, w.startDirectives().Close())
	w.startDirectives()
	w.projected()
	got := map[string]string{}
	must(t, ReadDirectives(testContext(t), w.js, w.topology, 0, "", "", "", func(_ uint64, c inventory.Command) bool {
		got[DirectiveKey(c.Channel, c.SKU, c.Location)] = c.ID
		return true
	}))
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestManyDirectivesAreWrittenAsOneMessageIs looks at how they came into the bucket: as a batch where it takes them, also behind
// another projector, and one by one where an earlier holdfast made it.
func TestManyDirectivesAreWrittenAsOneMessageIs(t *testing.T) {
	t.Parallel()
	const keys = 40
	for _, c := range []struct {
		name    string
		before  func(w *world)
		batched bool
	}{
		{"into an empty bucket", func(*world) {}, true},
		{"behind another projector", func(w *world) {
			for i, revision := range []uint64{1, 2, 3} {
				w.directive(command("web", fmt.Sprint("sku", i), "x", revision))
			}
		}, true},
		{"without batches", func(w *world) {
			s, err := w.js.Stream(testContext(w.t), w.topology.directivesStream())
			must(w.t, err)
			config := s.CachedInfo().Config
			config.AllowAtomicPublish = false
			_, err = w.js.UpdateStream(testContext(w.t), config)
			must(w.t, err)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			c.before(w)
			for i := range keys {
				w.command(command("web", fmt.Sprint("sku", i), "x", 2), codec.JSON)
			}
			w.startDirectives()
			w.projected()
			batched, held := 0, 0
			s, err := w.js.Stream(testContext(t), w.topology.directivesStream())
			must(t, err)
			for i := range keys {
				msg, err := s.GetLastMsgForSubject(testContext(t), w.topology.directiveSubject("web", fmt.Sprint("sku", i), "x"))
				must(t, err)
				if msg.Header.Get(headerBatchID) != "" {
					batched++
				}
				if got, err := codec.DecodeCommand(msg.Data); err == nil && got.Revision >= 2 {
					held++
				}
			}
			// How many come with the first batch is a matter of luck.
			if batched > 0 != c.batched || held != keys {
				t.Errorf("of %d keys %d came in batches, and %d are right", keys, batched, held)
			}
		})
	}
}

// directive writes a command into the bucket, as another projector does.
func (w *world) directive(c inventory.Command) {
	w.t.Helper()
	data, err := codec.EncodeCommand(&c, codec.JSON)
	must(w.t, err)
	w.publish(w.topology.directiveSubject(c.Channel, c.SKU, c.Location), data)
}

func TestDirectivesSkipWhatIsNoCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.startDirectives()
	w.publish("holdfast.command.0.web.hold", []byte("nonsense"))
	w.publish("holdfast.command.0.web.hold", []byte(`{"id":"it binds nobody"}`))
	w.command(command("web", "a", "x", 1), codec.JSON)
	w.projected()
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 1"})
	for _, says := range []string{"decode a command", "binds no channel"} {
		if !strings.Contains(w.logged.String(), says) {
			t.Errorf("the log does not say %q", says)
		}
	}
}

func TestDirectivesGoOnWhenWhatTheyNeedWasDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	w.startDirectives()
	w.command(command("web", "a", "x", 1), codec.JSON)
	w.projected()

	s, err := w.js.Stream(ctx, w.topology.OutputStream(Command))
	must(t, err)
	must(t, s.DeleteConsumer(ctx, directivesConsumer)) // the next one begins at the beginning
	w.command(command("web", "a", "x", 2), codec.JSON)
	w.projected()
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 2"})

	bucket, err := w.js.Stream(ctx, w.topology.directivesStream())
	must(t, err)
	must(t, bucket.Purge(ctx)) // and what the projector knew is no longer so
	w.command(command("web", "a", "x", 3), codec.JSON)
	w.projected()
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 3"})
}

func TestDirectivesWaitForABucketThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	w.startDirectives()
	must(t, w.js.DeleteStream(ctx, w.topology.directivesStream()))
	w.command(command("web", "a", "x", 4), codec.JSON)
	eventually(t, "it says that it can't write", func() bool { return strings.Contains(w.logged.String(), "a directive is not written") })
	must(t, w.topology.Ensure(ctx, w.js))
	w.projected()
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 4"})
}

func TestDirectivesGiveBackWhatTheyCanNotWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := testContext(t)
	first := w.startDirectives()
	must(t, w.js.DeleteStream(ctx, w.topology.directivesStream()))
	const commands = 20
	for i := range uint64(commands) {
		w.command(command("web", "a", "x", i+1), codec.JSON)
	}
	s, err := w.js.Stream(ctx, w.topology.OutputStream(Command))
	must(t, err)
	eventually(t, "it has them all", func() bool {
		c, err := s.Consumer(ctx, directivesConsumer)
		return err == nil && c.CachedInfo().NumPending == 0
	})
	given, err := w.nc.SubscribeSync("$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.>")
	must(t, err)
	must(t, w.nc.Flush())
	must(t, first.Close())
	for range commands {
		_, err := given.NextMsgWithContext(ctx)
		must(t, err)
	}

	must(t, w.topology.Ensure(ctx, w.js))
	w.startDirectives()
	w.projected()
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 20"})
}

func TestDirectivesForgetWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	d := w.startDirectives()
	w.command(command("web", "a", "x", 2), codec.JSON)
	w.projected()
	must(t, d.Close())
	clear(d.known) // as it does when it knows too much
	e := &entry{subject: w.topology.directiveSubject("web", "a", "x"), revision: 1}
	must(t, d.put(testContext(t), e))
	if e.now.revision != 2 {
		t.Errorf("the bucket is believed to hold revision %d, want 2", e.now.revision)
	}
	wantIDs(t, w.directives(0, "", "", ""), []string{"web a x 2"})
}

func TestStartDirectivesFailsWithoutItsStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	must(t, w.js.DeleteStream(testContext(t), w.topology.OutputStream(Command)))
	_, err := StartDirectives(testContext(t), w.js, w.topology, nil)
	wantError(t, "no stream", err, "directives", "stream not found")
}
