package faultsim

import (
	"cmp"
	"context"

	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/zeebo/xxh3"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/internal/oracle"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// reference is a partition that nothing happens to, and the oracle beside it. It applies each message as soon as
// the log has it, and remembers what has to be so behind each.
type reference struct {
	partition, partitions int
	log                   *deltaLog

	folder  *state.Folder
	db      *state.DB
	applied *stream.Partition
	voice   recorder

	model  *oracle.Oversell
	told   directed
	counts engine.Counters // the oracle's; WindowLate is not its own
	marks  []mark          // by sequence; the first is that of the empty partition
}

// mark is what has to be so once a message is applied.
type mark struct {
	digest   string
	counters engine.Counters
	said     int // outputs
}

// recorder is a speaker to whom nothing happens.
type recorder struct{ outputs []stream.Output }

func (r *recorder) Publish(_ context.Context, o stream.Output) error {
	r.outputs = append(r.outputs, o)
	return nil
}
func (r *recorder) Acked() uint64        { return uint64(len(r.outputs)) }
func (r *recorder) RejectedSeen() uint64 { return 0 }
func (r *recorder) Said() []stream.Said  { return nil }

func newReference(config stream.PartitionConfig, log *deltaLog) (*reference, error) {
	r := &reference{
		partition: config.Partition, partitions: config.Topology.Partitions,
		log:  log,
		told: directed{shown: map[string]int64{}},
		model: oracle.NewOversell(oracle.Config{
			Lateness: config.Engine.Lateness, WindowLateness: config.Engine.WindowLateness,
			AheadMax: config.Engine.AheadMax, ChannelsMax: config.Engine.ChannelsMax,
			Risk: riskOf(config.Engine.Policy),
		}),
	}
	var err error
	if r.folder, err = openFolder(vfs.NewMem(), nil); err != nil {
		return nil, err
	}
	if r.db, err = r.folder.OpenPartition(r.partition); err != nil {
		return nil, err
	}
	config.Log = log
	config.Speak = func(context.Context, stream.From) (stream.Speaker, error) { return &r.voice, nil }
	if r.applied, err = stream.OpenPartition(context.Background(), config, r.db); err != nil {
		return nil, err
	}
	// An engine that applied nothing writes something all the same: that it has applied nothing.
	if err := r.applied.Commit(); err != nil {
		return nil, err
	}
	return r, r.mark()
}

func (r *reference) close() error {
	return errors.Join(r.applied.Close(), r.db.Close(), r.folder.Close())
}

func (r *reference) mark() error {
	digest, err := digestOf(r.db)
	if err != nil {
		return err
	}
	status, err := engine.ReadStatus(r.db)
	r.marks = append(r.marks, mark{digest, status.Counters, len(r.voice.outputs)})
	return err
}

// follow applies what the log has got, and compares each message with the oracle.
func (r *reference) follow() error {
	var f stream.Fetch
	for r.log.read(&f, uint64(len(r.marks)-1), 1) {
		if err := r.oracle(&f); err != nil {
			return err
		}
		if err := r.applied.Apply(context.Background(), &f); err != nil {
			return err
		}
		if err := r.applied.Commit(); err != nil {
			return err
		}
		spoil(&f)
		if err := r.mark(); err != nil {
			return err
		}
		got := r.marks[len(r.marks)-1].counters
		got.WindowLate = 0
		if got != r.counts {
			return fmt.Errorf("the undisturbed partition has counted %+v after message %d, the oracle %+v", got, len(r.marks)-1, r.counts)
		}
	}
	return r.hear()
}

// oracle lets the oracle apply a message, and keeps what has to be heard.
func (r *reference) oracle(f *stream.Fetch) error {
	if f.Messages[0].Control {
		return r.decide(f.Messages[0].Data)
	}
	bad := f.Batch.Bad
	for i := range f.Batch.Deltas {
		r.counts.Read++
		if len(bad) > 0 && bad[0].Index == i {
			bad = bad[1:]
			r.counts.Rejected++
			continue
		}
		outcome, _, directives := r.model.Apply(f.Batch.Deltas[i], f.Messages[0].Time)
		switch outcome {
		case oracle.Applied:
			r.counts.Applied++
		case oracle.Duplicate:
			r.counts.Duplicates++
		default:
			r.counts.Rejected++
		}
		r.told.want = append(r.told.want, directives...)
	}
	return nil
}

// decide lets the oracle take in what somebody decided.
func (r *reference) decide(text []byte) error {
	r.counts.Read++
	m, bad := control.Parse(text)
	if bad != nil {
		r.counts.Rejected++
		return nil
	}
	switch m.Kind() {
	case control.KindPolicy:
		r.count(r.model.SetPolicy(m.ID, m.Policy == asking, r.guard(m.Policy)))
		return nil
	case control.KindMaster:
		r.count(r.model.Heed(m.ID))
		return nil
	}
	d := oracle.Decision{
		ID: m.ID, Acts: m.Decision.Action == control.Approve,
		Ends: m.Decision.Action == control.Reject || m.Decision.Action == control.Resolve,
	}
	x, found, err := engine.ReadException(r.db, m.Decision.Exception)
	if err != nil {
		return err
	}
	if found && directs(x.Class) && !ended(&x) {
		d.Scope = scopeOf(&x)
	}
	if found && x.Class == inventory.GuardBreach && !ended(&x) {
		d.Guard = x.Channels[0]
	}
	outcome, directives := r.model.Decide(d)
	r.count(outcome)
	r.told.want = append(r.told.want, directives...)
	return nil
}

// guard returns what a policy lets the partition do, in the oracle's words.
func (r *reference) guard(text string) oracle.Guard {
	p, err := policy.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("a policy of a plan: %v", err))
	}
	guards := p.Guards()
	b := guards.Of("any", r.partitions)
	return oracle.Guard{Commands: b.Commands, Share: b.Share, From: b.From}
}

func (r *reference) count(outcome oracle.Outcome) {
	if outcome == oracle.Applied {
		r.counts.Applied++
	} else {
		r.counts.Duplicates++
	}
}

func ended(x *inventory.Exception) bool {
	return x.Status == inventory.Resolved || x.Status == inventory.Dismissed
}

// directs reports whether the oracle knows a class.
func directs(class inventory.Class) bool {
	return class == inventory.Oversell || class == inventory.OversellRisk
}

// riskOf returns when channels are throttled under a policy; nil is the one that is built in. All of a plan's policies leave the rest to the detector.
func riskOf(p *policy.Policy) *oracle.Risk {
	if p == nil {
		p = policy.Default()
	}
	rule := p.Rule(inventory.OversellRisk)
	return &oracle.Risk{
		Raise: rule.Raise, Clear: rule.Clear, Step: 0.2, Dwell: 5 * inventory.Minute,
		LagMean: inventory.Minute, LagWeight: 3, Asks: rule.Autonomy == policy.Recommend,
	}
}

// scopeOf returns what an oversell, or the risk of one, is about.
func scopeOf(x *inventory.Exception) oracle.Scope {
	scope := oracle.Scope{SKU: x.SKU, Location: x.Location, Risk: x.Class == inventory.OversellRisk}
	if _, shared := x.Evidence["channel_atp"]; shared {
		scope.Channel = x.Channels[0]
	}
	return scope
}

// hear takes in what was said since, and compares it with what the oracle would have said.
func (r *reference) hear() error {
	for _, o := range r.voice.outputs[r.told.heard:] {
		if err := r.told.hear(&o); err != nil {
			return err
		}
	}
	r.told.heard = len(r.voice.outputs)
	if r.told.others {
		return nil // other detectors hold and release too, and what stands for two is said once
	}
	if got, want := directiveLines(r.told.got), directiveLines(r.told.want); got != want {
		return fmt.Errorf("the undisturbed partition directs\n%s\nthe oracle\n%s", got, want)
	}
	return nil
}

// compare holds every figure of every key and SKU in s, their windows, and the oversells that stand, against the oracle's. They are the
// same where s has applied the whole log.
func (r *reference) compare(s engine.Store) error {
	// Holds of other detectors show in the lags that are measured, and so in the risks.
	counts := func(scope oracle.Scope) bool { return !scope.Risk || !r.told.others }
	got, err := oversells(s, counts)
	if err != nil {
		return err
	}
	open := append([]oracle.Scope{}, r.model.Open()...)
	open = slices.DeleteFunc(open, func(scope oracle.Scope) bool { return !counts(scope) })
	if want := fmt.Sprintf("%+v", open); got != want {
		return fmt.Errorf("oversells that stand are %s, the oracle's are %s", got, want)
	}
	if err := r.compareTimers(s); err != nil {
		return err
	}
	for _, key := range r.model.Keys() {
		if err := r.compareWindows(s, key); err != nil {
			return err
		}
		got, ok, err := engine.ReadSKU(s, key.SKU)
		if err != nil || !ok {
			return fmt.Errorf("read %q: found %v, %v", key.SKU, ok, err)
		}
		want := r.model.Network(key.SKU)
		want.Position = got.Position
		if want.Channels == nil {
			want.Channels = []inventory.NetworkChannel{}
		}
		if r.told.others { // the oracle does not know those holds, nor what a network's channels have without the held
			got, want = bare(got), bare(want)
		}
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if errA != nil || errB != nil || string(a) != string(b) {
			return fmt.Errorf("stock of %q is\n%s\nthe oracle's is\n%s", key.SKU, a, b)
		}
	}
	return nil
}

// oversells returns those that stand in s and count, and the risks of them, as text, in the oracle's order.
func oversells(s engine.Store, counts func(oracle.Scope) bool) (string, error) {
	open := []oracle.Scope{}
	err := engine.ReadExceptions(s, "", func(_ engine.Rank, x *inventory.Exception) bool {
		if directs(x.Class) && !ended(x) && counts(scopeOf(x)) {
			open = append(open, scopeOf(x))
		}
		return true
	})
	slices.SortFunc(open, func(a, b oracle.Scope) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Location, b.Location), strings.Compare(a.Channel, b.Channel), cmp.Compare(fmt.Sprint(a.Risk), fmt.Sprint(b.Risk)))
	})
	return fmt.Sprintf("%+v", open), err
}

// bare is a SKU's stock without what holds decide.
func bare(s inventory.SKUAvailability) inventory.SKUAvailability {
	s.Channels = nil
	for i := range s.Locations {
		for j := range s.Locations[i].Channels {
			s.Locations[i].Channels[j].Held = false
			s.Locations[i].Channels[j].Throttled = nil
		}
	}
	return s
}

// digestOf is a hash of all that the log alone decides: every key but the ids and the timers, whose layout depends
// on batches, and the timers that are live.
func digestOf(s engine.Store) (string, error) {
	var skip [256]bool
	for _, prefix := range engine.LaidOutByBatch() {
		skip[prefix] = true
	}
	var all xxh3.Hasher
	write := func(b []byte) {
		_, _ = all.Write([]byte{byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}) // never fails
		_, _ = all.Write(b)
	}
	err := s.Scan([]byte{0}, []byte{0xff}, func(key, value []byte) bool {
		if !skip[key[0]] {
			write(key)
			write(value)
		}
		return true
	})
	if err != nil {
		return "", err
	}
	var timers []string
	err = engine.LiveTimers(s, func(t timer.Timer) { timers = append(timers, fmt.Sprintf("%+v", t)) })
	slices.Sort(timers)
	for _, t := range slices.Compact(timers) { // one that was set twice comes twice
		write([]byte(t))
	}
	return fmt.Sprintf("%016x", all.Sum64()), err
}

// directed is what a subscriber knows that has heard everything, and what the oracle would have told it.
type directed struct {
	heard     int              // outputs
	shown     map[string]int64 // at most, by whom is held or throttled
	others    bool             // there were directives of other detectors
	got, want []oracle.Directive
}

// hear takes an output in. Renewals say again what stands.
func (d *directed) hear(o *stream.Output) error {
	if o.Kind != stream.Command {
		return nil
	}
	c, err := codec.DecodeCommand(o.Data)
	if err != nil {
		return fmt.Errorf("output %d: %w", o.Ordinal, err)
	}
	place := fmt.Sprintf("%q@%q of %q", c.Channel, c.Location, c.SKU)
	d.others = d.others || !directs(c.Class)
	most, bound := d.shown[place]
	if c.Action == inventory.Unhold {
		delete(d.shown, place)
	} else if d.shown[place] = c.Sellable; bound && most == c.Sellable {
		return nil
	}
	d.got = append(d.got, oracle.Directive{At: c.EventTime, Action: c.Action, Channel: c.Channel, SKU: c.SKU, Location: c.Location, Sellable: c.Sellable})
	return nil
}

func directiveLines(directives []oracle.Directive) string {
	var lines []string
	for _, d := range directives {
		lines = append(lines, fmt.Sprintf("%v %s %q@%q of %q to %d", d.At, d.Action, d.Channel, d.Location, d.SKU, d.Sellable))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
