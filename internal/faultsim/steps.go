package faultsim

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// take carries out one step, and checks what came of it.
func (w *world) take(s step) error {
	w.pass(tick)
	if err := w.carryOut(s); err != nil {
		return err
	}
	return w.checkOutputs()
}

func (w *world) carryOut(s step) error {
	switch s.do {
	case produce:
		return w.produce(s.partition, 1+s.n%4)
	case decide:
		return w.decide(s.partition, s.n)
	case repeat:
		return w.again(s.partition)
	case rest:
		w.pass(time.Duration(s.n%32) * tick)
		return nil
	case arrive:
		w.outputs[s.n%len(kinds)].arrive()
		return nil
	case refuse:
		w.outputs[s.n%len(kinds)].refusing = 1 + s.n%7
		return nil
	case clockForward:
		w.pass(time.Duration(s.n) * time.Minute)
		return nil
	case clockBack:
		w.clock.setBack(time.Duration(s.n%50) * time.Second)
		return nil
	case loseTail, loseForNow:
		return w.loseTail(s.partition, 1+s.n%5, s.do == loseForNow, s.n%2 == 0)
	case second:
		return w.second(s.partition, s.n%2 == 1)
	case retire:
		return w.retire(s.partition)
	}
	o := w.owners[s.partition][s.owner]
	if o == nil {
		o = w.owners[s.partition][0]
	}
	switch {
	case o.up():
		return w.own(o, s)
	case o.lossSeen && w.logs[s.partition].lost != nil:
		return nil // it waits until the log is whole again
	case o.lossSeen:
		return o.startAfresh()
	}
	return o.start()
}

// own is a step of an owner that is up.
func (w *world) own(o *owner, s step) error {
	switch s.do {
	case apply:
		return o.apply(1 + s.n%6)
	case commit:
		return o.commit()
	case begin:
		return o.begin()
	case advance:
		return o.advance(s.n % 20)
	case say, sayLost, sayUnknown, sayLate:
		w.say(o, s.n%len(kinds), s.do)
		return nil
	case crash:
		return o.crash(s.n % 101)
	case crashSaid:
		if err := o.apply(1 << 10); err != nil || !o.up() {
			return err
		}
		for range 3 {
			for kind := range kinds {
				w.say(o, kind, say)
			}
		}
		return o.crash(0)
	case crashFlush:
		return w.crashFlush(o, s.n%5, s.n%2 == 0)
	case stop:
		if err := o.commit(); err != nil || !o.up() {
			return err
		}
		if err := o.close(); err != nil {
			return err
		}
		return o.start()
	case slowDisk:
		o.disk.hinder(0)
	case fullDisk:
		o.disk.fill()
	case failDisk:
		o.disk.failIn = 1 + s.n%60
	case mendDisk:
		o.disk.mend()
		return o.db.Flush()
	default:
		return fmt.Errorf("nobody knows how to %s", s.do)
	}
	return nil
}

// say lets one group of a kind be sent, to which happens what verb says.
func (w *world) say(o *owner, kind int, how verb) {
	w.outputs[kind].next = how
	_, _ = o.publisher.Step(context.Background(), kinds[kind]) // what goes wrong is what was to go wrong
	w.outputs[kind].next = say
}

// crashFlush crashes in a flush. What it wrote and did not sync either survives or does not.
func (w *world) crashFlush(o *owner, syncs int, survives bool) error {
	if !o.disk.sound() {
		return o.crash(0) // a flush is on its way, and stuck
	}
	o.disk.hinder(syncs)
	if err := o.db.BeginFlush(); err != nil {
		return err
	}
	flushed := make(chan error, 1)
	go func() { flushed <- o.db.Flush() }()
	done := false
	select {
	case <-o.disk.waiting:
	case err := <-flushed:
		if done = true; err != nil {
			return err
		}
	}
	percent := 0
	if survives {
		percent = 100
	}
	left := o.disk.after(percent, w.rng)
	o.disk.mend()
	if !done {
		if err := <-flushed; err != nil {
			return err
		}
	}
	err := o.close()
	o.disk = left
	return err
}

// second lets a second owner begin: from what a crash would leave on the first one's disk, or from nothing.
func (w *world) second(partition int, fromNothing bool) error {
	if w.owners[partition][1] != nil {
		return nil
	}
	first := w.owners[partition][0]
	if first.lossSeen {
		return nil
	}
	o := &owner{world: w, partition: partition}
	if fromNothing {
		o.disk = newDisk(vfs.NewCrashableMem())
	} else {
		o.disk = first.disk.after(0, w.rng)
	}
	w.owners[partition][1] = o
	return o.start()
}

func (w *world) retire(partition int) error {
	o := w.owners[partition][1]
	if o == nil {
		return nil
	}
	w.owners[partition][1] = nil
	return o.close()
}
