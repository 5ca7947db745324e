package faultsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/stream"
)

const partitionsMax = 2

var topology = stream.Topology{Prefix: "sim", Partitions: partitionsMax, Replicas: 1}

// kinds are the kinds of output.
var kinds = [...]stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected}

// world is where a plan is carried out.
type world struct {
	plan   *plan
	mutant *mutant
	rng    *rand.Rand // of which bytes survive a crash that are no matter; nothing else may draw from it
	clock  clock

	logs       []*deltaLog
	produced   []int // payloads, by partition
	decisions  int   // of all partitions
	references []*reference
	owners     [][2]*owner
	outputs    [len(kinds)]*outputStream
	checked    [len(kinds)]int // messages of an output stream
	history    []history       // by partition
}

// newWorld returns a world in which nothing has happened.
func newWorld(p *plan, m *mutant) (*world, error) {
	w := &world{plan: p, mutant: m, rng: rand.New(rand.NewPCG(p.seed, 1))}
	w.clock.now = gen.Start.Time().Add(time.Minute)
	for kind := range kinds {
		w.outputs[kind] = &outputStream{clock: &w.clock, name: topology.OutputStream(kinds[kind]), ids: map[string]int{}}
	}
	for n := range p.payloads {
		w.logs = append(w.logs, &deltaLog{})
		w.produced = append(w.produced, 0)
		w.history = append(w.history, history{})
		w.owners = append(w.owners, [2]*owner{{world: w, partition: n, disk: newDisk(vfs.NewCrashableMem())}})
		w.references = append(w.references, nil)
		if err := w.refer(n); err != nil {
			return w, err
		}
		if err := w.owners[n][0].start(); err != nil {
			return w, err
		}
	}
	return w, nil
}

// refer begins a partition's reference anew, and lets it apply what its log has.
func (w *world) refer(partition int) error {
	if old := w.references[partition]; old != nil {
		if err := old.close(); err != nil {
			return err
		}
	}
	r, err := newReference(w.partitionConfig(partition), w.logs[partition])
	w.references[partition] = r
	if err != nil {
		return err
	}
	return r.follow()
}

// close ends everything.
func (w *world) close() error {
	var errs []error
	for n := range w.owners {
		for _, o := range w.owners[n] {
			if o != nil {
				errs = append(errs, o.close())
			}
		}
		if r := w.references[n]; r != nil {
			errs = append(errs, r.close())
		}
	}
	return errors.Join(errs...)
}

func (w *world) partitionConfig(partition int) stream.PartitionConfig {
	return stream.PartitionConfig{
		Topology: topology, Partition: partition, Engine: w.plan.config, Commands: codec.JSON, Now: w.clock.steady,
	}
}

// outputLog is the stream of a kind, as a publisher sees it.
func (w *world) outputLog(kind stream.Kind) stream.OutputLog {
	return w.mutant.outputs(w.outputs[kind])
}

// pass lets time pass. What is late comes while its id would still be known: no message is on its way for longer.
func (w *world) pass(d time.Duration) {
	for _, s := range w.outputs {
		if len(s.late) > 0 && w.clock.past+d-s.late[0].since > duplicateWindow/2 {
			s.arrive()
		}
	}
	w.clock.pass(d)
}

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

// produce gets the next n messages into a log.
func (w *world) produce(partition, n int) error {
	log := w.logs[partition]
	if log.lost != nil {
		return nil // it is down
	}
	for ; n > 0 && w.produced[partition] < len(w.plan.payloads[partition]); n-- {
		p := w.plan.payloads[partition][w.produced[partition]]
		w.produced[partition]++
		if ahead := p.until.Time().Sub(w.clock.now); ahead > 0 {
			w.pass(ahead)
		}
		w.pass(time.Millisecond)
		log.append(message{data: p.data}, w.clock.now.UnixNano())
	}
	return w.references[partition].follow()
}

// decide gets somebody's decision into a log: about one of the exceptions that the undisturbed partition has, or about
// one that there never was. Now and then it is no message at all, or has an id that was used before.
func (w *world) decide(partition, n int) error {
	log := w.logs[partition]
	if log.lost != nil {
		return nil
	}
	ids := []string{"x-nobody-knows"}
	err := engine.ReadExceptions(w.references[partition].db, "", func(_ engine.Rank, x *inventory.Exception) bool {
		ids = append(ids, x.ID)
		return true
	})
	if err != nil {
		return err
	}
	w.decisions++
	m := control.Message{ID: fmt.Sprint("m", w.decisions-n/8%8/7), By: "kim", Decision: control.Decision{
		Exception: ids[n%len(ids)], Action: control.Actions()[n/64%4], Owner: "lee",
	}}
	if n%4 == 1 {
		m.Decision, m.Policy = control.Decision{}, asking
		switch n / 4 % 3 {
		case 0:
			m.Policy = policy.Default().Text
		case 1:
			m.Policy = guarding
		}
	}
	if n%16 == 2 {
		m.Decision, m.Master = control.Decision{}, masterData(w.references[partition].model.Keys(), n)
	}
	text, err := control.Encode(&m)
	if err != nil {
		return err
	}
	if n%32 == 31 {
		text = text[1:]
	}
	w.pass(time.Millisecond)
	log.append(message{data: text, control: true}, w.clock.now.UnixNano())
	return w.references[partition].follow()
}

// masterData makes up something about the SKUs and locations that a partition has, or about a location where it has none.
func masterData(keys []inventory.Key, n int) *inventory.Master {
	m := &inventory.Master{Locations: []inventory.SiteOf{{Location: "somewhere", Site: inventory.Site{Region: "north"}}}}
	for i, key := range keys {
		category := []string{"", "drinks", "rings"}[(n/16+i)%3]
		m.SKUs = append(m.SKUs, inventory.ItemOf{SKU: key.SKU, Item: inventory.Item{Category: category, Price: int64(n / 32 % 2 * 700)}})
		m.Locations = append(m.Locations, inventory.SiteOf{Location: key.Location, Site: inventory.Site{Region: category}})
	}
	return m
}

// again gets the last message into a log once more.
func (w *world) again(partition int) error {
	log := w.logs[partition]
	if log.lost != nil || len(log.messages) == 0 {
		return nil
	}
	log.append(log.messages[len(log.messages)-1], w.clock.now.UnixNano())
	return w.references[partition].follow()
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

// loseTail takes the last n messages of a log away, as a server that comes back without its last writes. They come
// back, or others are stored in their place, at once or later. Owners that run lose their consumers and look again.
func (w *world) loseTail(partition, n int, forNow, atOnce bool) error {
	log := w.logs[partition]
	if log.lost != nil {
		return w.bringBack(partition)
	}
	n = min(n, len(log.messages))
	if n == 0 {
		return nil
	}
	keep := len(log.messages) - n
	lost := log.messages[keep:]
	log.messages = log.messages[:keep:keep]
	if forNow {
		log.lost = lost
	} else {
		w.history[partition].part(w.references[partition], keep)
		if err := w.refer(partition); err != nil {
			return err
		}
	}
	if !forNow && atOnce {
		if err := errors.Join(w.again(partition), w.produce(partition, n)); err != nil {
			return err
		}
	}
	for _, o := range w.owners[partition] {
		if o != nil && o.up() {
			if err := o.look(); err != nil {
				return err
			}
		}
	}
	return nil
}

// bringBack restores the tail of a log, and lets those that stood still start again.
func (w *world) bringBack(partition int) error {
	log := w.logs[partition]
	if log.lost == nil {
		return nil
	}
	log.messages = append(log.messages, log.lost...)
	log.lost = nil
	for _, o := range w.owners[partition] {
		if o != nil && o.lossSeen {
			o.lossSeen = false
			if err := o.start(); err != nil {
				return err
			}
		}
	}
	return nil
}
