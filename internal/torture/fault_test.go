package torture

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"

	"github.com/holdfast-atp/holdfast/stream"
)

// fault is what happens in a round.
type fault struct {
	name   string
	happen func(w *world)
	long   bool // it is left out of a short run, where something like it happens anyway
}

// faults returns all that can happen here.
func faults() []fault {
	return []fault{
		{name: "holdfast is killed", happen: func(w *world) { w.underLoad(w.killHoldfast) }},
		{name: "the broker is killed", happen: func(w *world) { w.underLoad(w.killBroker) }},
		{name: "both are killed", happen: func(w *world) { w.underLoad(w.killBoth) }, long: true},
		{name: "holdfast is paused", happen: func(w *world) { w.underLoad(func() { w.pause(w.holdfast) }) }},
		{name: "the broker is paused", happen: func(w *world) { w.underLoad(func() { w.pause(w.broker) }) }, long: true},
		{name: "the broker comes back with an older tail", happen: (*world).olderTail},
		{name: "a byte in a table is flipped", happen: (*world).flipByte},
	}
}

// roundMessages is the load of a round.
const roundMessages = 60

// underLoad does something once some of a load is stored.
func (w *world) underLoad(meanwhile func()) {
	w.t.Helper()
	w.load(roundMessages, func() {
		w.moreAcked(1 + w.rnd.Int64N(roundMessages/2))
		meanwhile()
	})
}

// killHoldfast kills it, perhaps again while it starts.
func (w *world) killHoldfast() {
	w.holdfast.kill()
	if w.rnd.IntN(2) == 0 {
		again := launch(w.t, "holdfast, killed as it starts", w.command("run", "--http", "127.0.0.1:0", "--cache", "8MiB"))
		w.moreAcked(1 + w.rnd.Int64N(5))
		again.kill()
	}
	w.startHoldfast()
}

func (w *world) killBroker() {
	w.broker.kill()
	w.moreAcked(1) // that is: a try that is not answered
	w.startBroker()
}

func (w *world) killBoth() {
	w.broker.kill()
	w.holdfast.kill()
	w.startBroker()
	w.startHoldfast()
}

// pause stops a process until the producer has felt it, or has gone on without.
func (w *world) pause(c *child) {
	c.signal(syscall.SIGSTOP)
	w.moreAcked(5)
	c.signal(syscall.SIGCONT)
}

var standsStill = regexp.MustCompile(`(?m)^partition (\d+) stands still: (.*)$`)

// olderTail brings the broker back as it was some messages ago. Each partition that had applied some of what is
// gone has to stand still and say so, and the others have to run; the doctor has to say the same, and to repair it.
func (w *world) olderTail() {
	older, newer := w.streams+".older", w.streams+".newer"
	before := w.stopHoldfast()
	w.broker.kill()
	if err := os.CopyFS(older, os.DirFS(w.streams)); err != nil {
		w.t.Fatal(err)
	}
	w.startBroker()
	w.startHoldfast()
	some := w.rnd.Perm(partitions)[:1+w.rnd.IntN(partitions-1)]
	w.load(roundMessages/4, func() {}, some...)
	eventually(w.t, "all is applied and said", w.settled)
	after := w.stopHoldfast()

	w.broker.kill()
	w.rename(w.streams, newer)
	w.rename(older, w.streams)
	w.startBroker()
	want := map[int]bool{}
	for p := range partitions {
		if after[p] > before[p] { // a tick may have come to the others, too
			want[p] = true
		}
	}
	if len(want) < partitions {
		w.startHoldfast()
		eventually(w.t, "the others go on", func() error { return w.onlyStopped(want) })
		w.holdfast.stop()
	} else if refused, err := w.command("run", "--http", "127.0.0.1:0").CombinedOutput(); err == nil {
		w.t.Errorf("it ran on a log that lost the tail of each partition: %s", refused)
	} else if !bytes.Contains(refused, []byte(stream.ErrLogDiffers.Error())) {
		w.t.Errorf("it does not say that %v: %s", stream.ErrLogDiffers, refused)
	}
	said := map[int]bool{}
	for _, match := range standsStill.FindAllStringSubmatch(w.holdfast.out.String(), -1) {
		p, err := strconv.Atoi(match[1])
		if err != nil || said[p] || !bytes.Contains([]byte(match[2]), []byte(stream.ErrLogDiffers.Error())) {
			w.t.Errorf("not one line a partition that says that %v: %q", stream.ErrLogDiffers, match[0])
		}
		said[p] = true
	}
	if len(want) < partitions && !maps.Equal(said, want) {
		w.t.Errorf("partitions %v say that they stand still, want %v", said, want)
	}
	if found := w.examined("log"); !maps.Equal(found, want) {
		w.t.Errorf("doctor names %v, want %v", found, want)
	}
	w.repaired(want)
	// The producer hears of it, and publishes again what it has, as it would from its own log.
	ctx := w.t.Context()
	for i := range w.producer.sent[len(w.producer.sent)-roundMessages/4:] {
		if err := w.producer.publish(ctx, &w.producer.sent[len(w.producer.sent)-roundMessages/4+i]); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.RemoveAll(newer); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(from, to); err != nil {
		w.t.Fatal(err)
	}
}

// onlyStopped wants just these partitions to stand still, and the others to have caught up.
func (w *world) onlyStopped(want map[int]bool) error {
	var now overview
	if err := w.getJSON("/v1/overview", &now); err != nil {
		return err
	}
	for _, p := range now.Partitions {
		switch {
		case want[p.Partition] && p.Error == "":
			return fmt.Errorf("partition %d goes on", p.Partition)
		case !want[p.Partition] && (p.Error != "" || !p.CaughtUp):
			return fmt.Errorf("partition %d does not go on: %s", p.Partition, p.Error)
		}
	}
	return nil
}

// flipByte damages a table of a partition. Nothing but that partition may suffer, the doctor has to name it,
// and the log builds it again.
func (w *world) flipByte() {
	eventually(w.t, "all is applied and said", w.settled)
	w.holdfast.stop()
	p := w.rnd.IntN(partitions)
	tables, err := filepath.Glob(filepath.Join(w.data, "state", "partitions", fmt.Sprintf("%04d", p), "*.sst"))
	if err != nil || len(tables) == 0 {
		w.t.Fatalf("partition %d has no tables: %v", p, err)
	}
	slices.Sort(tables)
	table := tables[w.rnd.IntN(len(tables))]
	data, err := os.ReadFile(table)
	if err != nil {
		w.t.Fatal(err)
	}
	at := w.rnd.IntN(len(data) / 4) // blocks of data come first
	data[at] ^= 1 << w.rnd.IntN(8)
	if err := os.WriteFile(table, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("flipped a bit of byte %d of %d of %s", at, len(data), filepath.Base(table))

	w.startHoldfast() // it may not read that byte; where it does, the others go on
	eventually(w.t, "the others go on", func() error {
		var now overview
		if err := w.getJSON("/v1/overview", &now); err != nil {
			return err
		}
		for _, one := range now.Partitions {
			if one.Partition != p && (one.Error != "" || !one.CaughtUp) {
				return fmt.Errorf("partition %d does not go on: %s", one.Partition, one.Error)
			}
		}
		return nil
	})
	w.holdfast.kill()
	want := map[int]bool{p: true}
	if found := w.examined("files"); !maps.Equal(found, want) {
		w.t.Errorf("doctor names %v, want %v", found, want)
	}
	w.repaired(want)
	w.begun = nil // it was killed: the others begin somewhere
	w.load(roundMessages/4, func() {})
}
