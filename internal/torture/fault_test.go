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
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-atp/holdfast/stream"
)

// fault is what happens in a round.
type fault struct {
	name   string
	happen func(w *world)
	long   bool // it is left out of a short run: it takes long, or is much like another
}

// faults returns all that can happen here.
func faults(t *testing.T) []fault {
	all := []fault{
		{name: "holdfast is killed", happen: func(w *world) { w.underLoad(w.killHoldfast) }},
		{name: "the broker is killed", happen: func(w *world) { w.underLoad(w.killBroker) }},
		{name: "both are killed", happen: func(w *world) { w.underLoad(w.killBoth) }, long: true},
		{name: "holdfast is stopped while the broker is away", happen: func(w *world) { w.underLoad(w.stopWithoutBroker) }, long: true},
		{name: "holdfast is paused", happen: func(w *world) { w.underLoad(func() { w.pause(w.holdfast) }) }},
		{name: "the broker is paused", happen: func(w *world) { w.underLoad(func() { w.pause(w.broker) }) }, long: true},
		{name: "the broker comes back with an older tail", happen: (*world).olderTail},
		{name: "a byte in a table is flipped", happen: (*world).flipByte},
		{name: "a block of a log is damaged", happen: (*world).damageBlock},
	}
	if err := smallDisks(t); err != nil {
		t.Logf("no disk is full: %v", err)
		return all
	}
	return append(all, fault{name: "the disk is full", happen: (*world).fullDisk, long: true})
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

// stopWithoutBroker leaves what is said and not stored to the outbox.
func (w *world) stopWithoutBroker() {
	w.broker.kill()
	w.holdfast.stop()
	w.startBroker()
	w.startHoldfast()
}

// pause stops a process until the producer has felt it, or has gone on without.
func (w *world) pause(c *child) {
	c.signal(syscall.SIGSTOP)
	w.moreAcked(5)
	c.signal(syscall.SIGCONT)
}

// olderTail brings the broker back as it was some messages ago, to a holdfast that runs or to one that is started
// then. Each partition that had applied some of what is gone has to stand still and say so, and the others have to run;
// the doctor has to say the same, and to repair it.
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
	known := len(w.producer.sent)
	w.load(roundMessages/4, func() {}, some...)
	eventually(w.t, "all is applied and said", w.settled)
	after, running := w.stopHoldfast(), w.rnd.IntN(2) == 0
	if running { // one that has read nothing since it was started knows from its state alone what it has read
		w.startHoldfast()
		eventually(w.t, "all is applied and said", w.settled)
	}
	w.broker.kill()
	w.rename(w.streams, newer)
	w.rename(older, w.streams)
	w.startBroker()
	behind := map[int]bool{} // a tick may have come to the others, too
	for p := range partitions {
		if after[p] > before[p] {
			behind[p] = true
		}
	}
	switch {
	case running:
		eventually(w.t, "partitions see that their logs lost their tails", func() error { return w.standStill(behind, true) })
		w.holdfast.stop()
	case len(behind) == partitions:
		w.refusesToRun()
	default:
		w.startHoldfast()
		eventually(w.t, "partitions see that their logs lost their tails", func() error { return w.standStill(behind, false) })
		w.holdfast.stop()
		w.saysWhichStandStill(behind)
	}
	found := w.examined("log")
	if !running && !maps.Equal(found, behind) {
		w.t.Errorf("doctor names %v, want %v", found, behind)
	}
	for p := range behind {
		if !found[p] {
			w.t.Errorf("doctor names %v, want %d among them", found, p)
		}
	}
	w.repaired(found)
	w.publishAgain(known)
	if err := os.RemoveAll(newer); err != nil {
		w.t.Fatal(err)
	}
}

// standStill wants these partitions to stand still because of their logs, and the others to have caught up, or, where
// a tick may have come to them that is gone, to stand still for the same reason.
func (w *world) standStill(behind map[int]bool, orOthers bool) error {
	var now overview
	if err := w.getJSON("/v1/overview", &now); err != nil {
		return err
	}
	for _, p := range now.Partitions {
		differs := strings.Contains(p.Error, stream.ErrLogDiffers.Error())
		switch {
		case behind[p.Partition] && !differs:
			return fmt.Errorf("partition %d goes on: %s", p.Partition, p.Error)
		case !behind[p.Partition] && (p.Error != "" || !p.CaughtUp) && !(orOthers && differs):
			return fmt.Errorf("partition %d does not go on: %s", p.Partition, p.Error)
		}
	}
	return nil
}

// refusesToRun wants a holdfast to end that can run no partition.
func (w *world) refusesToRun() {
	said, err := w.command("run", "--http", "127.0.0.1:0").CombinedOutput()
	if err == nil || !bytes.Contains(said, []byte(stream.ErrLogDiffers.Error())) {
		w.t.Errorf("each log lost its tail; it ended with %v and said %s", err, said)
	}
}

var standsStill = regexp.MustCompile(`(?m)^partition (\d+) stands still: (.*)$`)

// saysWhichStandStill wants one line for each partition that stands still.
func (w *world) saysWhichStandStill(want map[int]bool) {
	said := map[int]bool{}
	for _, match := range standsStill.FindAllStringSubmatch(w.holdfast.out.String(), -1) {
		p, err := strconv.Atoi(match[1])
		if err != nil || said[p] || !strings.Contains(match[2], stream.ErrLogDiffers.Error()) {
			w.t.Errorf("not one line a partition that says that %v: %q", stream.ErrLogDiffers, match[0])
		}
		said[p] = true
	}
	if !maps.Equal(said, want) {
		w.t.Errorf("partitions %v say that they stand still, want %v", said, want)
	}
}

// publishAgain is what a producer does that hears what happened: it has its own log, and publishes what is in
// it behind what the broker is known to have.
func (w *world) publishAgain(known int) {
	w.t.Helper()
	for i := range w.producer.sent[known:] {
		if err := w.producer.publish(w.t.Context(), &w.producer.sent[known+i]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(from, to); err != nil {
		w.t.Fatal(err)
	}
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
