package faultsim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// history is what a partition went through that bears on what its streams may hold.
type history struct {
	others map[uint64][]stream.Output // what was said, by ordinal, of messages that the log has lost since
	last   [len(kinds)]uint64         // greatest ordinal in each stream
}

// part keeps what the log said that is rewritten behind its first messages.
func (h *history) part(r *reference, messages int) {
	if h.others == nil {
		h.others = map[uint64][]stream.Output{}
	}
	for _, o := range r.voice.outputs[r.marks[messages].said:] {
		h.others[o.Ordinal] = append(h.others[o.Ordinal], o)
	}
}

// lost reports whether what a position says was applied is not in the log.
func lost(at state.Position, log *deltaLog) bool {
	if at.Sequence == 0 {
		return false
	}
	if at.Sequence > uint64(len(log.messages)) {
		return true
	}
	m := log.messages[at.Sequence-1]
	return stream.Fingerprint(m.data, m.unixNanos) != at.Fingerprint
}

// checkCommitted holds what o has committed against what the undisturbed partition had at the same position. That one was
// never within a message: what is there then shows when the message is whole.
func (w *world) checkCommitted(o *owner) error {
	at, _, err := o.db.Position()
	if err != nil || at.Within {
		return err
	}
	marks := w.references[o.partition].marks
	if at.Sequence >= uint64(len(marks)) {
		return fmt.Errorf("partition %d is at %d, and its log ends at %d", o.partition, at.Sequence, len(marks)-1)
	}
	status, err := engine.ReadStatus(o.db)
	if err != nil {
		return err
	}
	want, c := marks[at.Sequence], status.Counters
	if c.Read != c.Applied+c.Duplicates+c.Rejected || c != want.counters {
		return fmt.Errorf("partition %d has counted %+v at %d, it should be %+v", o.partition, c, at.Sequence, want.counters)
	}
	tally := o.applied.Tally()
	if tally.Read != tally.AppliedTotal()+tally.Duplicates+tally.RejectedTotal() {
		return fmt.Errorf("partition %d read %d, but tells what became of %+v", o.partition, tally.Read, tally)
	}
	digest, err := digestOf(o.db)
	if err == nil && digest != want.digest {
		err = fmt.Errorf("the state of partition %d at %d differs from that of one that was never disturbed", o.partition, at.Sequence)
	}
	return err
}

// checkOutputs looks at what is new in the output streams.
func (w *world) checkOutputs() error {
	for kind, s := range w.outputs {
		for ; w.checked[kind] < len(s.messages); w.checked[kind]++ {
			if err := w.checkOutput(kind, &s.messages[w.checked[kind]]); err != nil {
				return fmt.Errorf("message %d of stream %s: %w", w.checked[kind]+1, s.name, err)
			}
		}
	}
	return nil
}

// checkOutput wants an output in order, once, and as the undisturbed partition says it.
func (w *world) checkOutput(kind int, m *stored) error {
	partition, ordinal, err := parseName(m.msg.Header.Get(stream.HeaderOutput))
	if err != nil || partition >= len(w.history) {
		return fmt.Errorf("it is named %q", m.msg.Header.Get(stream.HeaderOutput))
	}
	h, name := &w.history[partition], fmt.Sprintf("output %d of partition %d", ordinal, partition)
	if ordinal <= h.last[kind] {
		return fmt.Errorf("%s comes after output %d", name, h.last[kind])
	}
	h.last[kind] = ordinal
	allowed := h.others[ordinal]
	if said := w.references[partition].voice.outputs; ordinal <= uint64(len(said)) {
		allowed = append(slices.Clone(allowed), said[ordinal-1])
	}
	if !slices.ContainsFunc(allowed, func(o stream.Output) bool {
		return o.Kind == kinds[kind] && o.Subject == m.msg.Subject && bytes.Equal(o.Data, m.msg.Data)
	}) {
		return fmt.Errorf("%s is not what the undisturbed partition says: %s %s", name, m.msg.Subject, m.msg.Data)
	}
	return nil
}

func parseName(name string) (partition int, ordinal uint64, err error) {
	first, second, _ := strings.Cut(name, "-")
	if partition, err = strconv.Atoi(first); err != nil {
		return 0, 0, err
	}
	ordinal, err = strconv.ParseUint(second, 10, 64)
	return partition, ordinal, err
}

// stillRounds is for how many rounds nothing may move where something is left to do, once nothing goes wrong any more.
const stillRounds = 10

// settle mends what is broken and lets everything come to rest; it has to.
func (w *world) settle() error {
	for n := range w.logs {
		if err := w.mend(n); err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
	}
	still, before := 0, ""
	for {
		busy := ""
		for n := range w.logs {
			for _, o := range w.owners[n] {
				if o == nil {
					continue
				}
				why, err := w.calm(o)
				if err != nil {
					return fmt.Errorf("in the end: %w", err)
				}
				if why != "" {
					busy = fmt.Sprintf("partition %d does not come to rest: %s", n, why)
				}
			}
		}
		if err := w.checkOutputs(); err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
		if busy == "" {
			break
		}
		if now := busy + w.String(); now != before {
			still, before = 0, now
		} else if still++; still == stillRounds {
			return errors.New(busy)
		}
		w.pass(tick)
	}
	return w.checkAll()
}

// mend ends the faults of one partition.
func (w *world) mend(partition int) error {
	for _, s := range w.outputs {
		s.arrive()
		s.refusing = 0
	}
	if err := w.bringBack(partition); err != nil {
		return err
	}
	if err := w.produce(partition, len(w.plan.payloads[partition])); err != nil {
		return err
	}
	if err := w.untilTold(partition); err != nil {
		return err
	}
	for range 3 { // one may find only when it starts that its log was rewritten, and stops the other for the repair
		for _, o := range w.owners[partition] {
			if o == nil {
				continue
			}
			o.disk.mend()
			if err := o.bringUp(); err != nil {
				return err
			}
		}
	}
	for _, o := range w.owners[partition] {
		if o != nil && !o.up() {
			return fmt.Errorf("partition %d does not start", partition)
		}
	}
	return nil
}

// bringUp starts an owner that is down, by the way out where it needs that.
func (o *owner) bringUp() error {
	switch {
	case o.up():
		return nil
	case o.lossSeen:
		return o.startAfresh()
	}
	return o.start()
}

// calm drives an owner on, and says what it is still busy with.
func (w *world) calm(o *owner) (string, error) {
	if !o.up() { // it saw only now what its log has lost
		return "it starts", o.bringUp()
	}
	if err := o.apply(7); err != nil || !o.up() {
		return "it stopped", err
	}
	for kind := range kinds {
		w.say(o, kind, say)
	}
	if err := o.commit(); err != nil || !o.up() {
		return "it stopped", err
	}
	end := uint64(len(w.logs[o.partition].messages))
	outbox := 0
	if err := o.db.Outputs(func(uint64, []byte) bool { outbox++; return true }); err != nil {
		return "", err
	}
	switch at := o.applied.Position().Whole(); {
	case at < end:
		return fmt.Sprintf("it is at %d of %d", at, end), nil
	case outbox > 0:
		return fmt.Sprintf("%d outputs are in the outbox", outbox), nil
	}
	return "", nil
}

// checkAll is what has to be so in the end.
func (w *world) checkAll() error {
	for n, r := range w.references {
		for _, o := range w.owners[n] {
			if o == nil {
				continue
			}
			if err := w.checkCommitted(o); err != nil {
				return err
			}
			if err := r.compare(o.db); err != nil {
				return err
			}
		}
		if err := w.checkComplete(n); err != nil {
			return err
		}
		if err := r.checkTold(); err != nil {
			return fmt.Errorf("partition %d: %w", n, err)
		}
		if err := w.checkFollower(n); err != nil {
			return err
		}
	}
	return nil
}

// checkComplete wants every output of the undisturbed partition in its stream, also where the log was rewritten.
func (w *world) checkComplete(partition int) error {
	var there [len(kinds)]map[uint64]bool
	for kind, s := range w.outputs {
		there[kind] = map[uint64]bool{}
		for _, n := range s.of(partition) {
			if _, ordinal, err := parseName(s.messages[n-1].msg.Header.Get(stream.HeaderOutput)); err == nil {
				there[kind][ordinal] = true
			}
		}
	}
	for _, o := range w.references[partition].voice.outputs {
		if !there[o.Kind][o.Ordinal] {
			return fmt.Errorf("partition %d: %s %d was never said: %s", partition, o.Kind, o.Ordinal, o.Data)
		}
	}
	return nil
}

// checkFollower wants that a reader which takes a command only where its revision is the next of
// its channel, SKU and location ends with what the undisturbed partition last directed.
func (w *world) checkFollower(partition int) error {
	type place struct{ channel, sku, location string }
	follow := func(last map[place]inventory.Command, data []byte) error {
		c, err := codec.DecodeCommand(data)
		if err != nil {
			return err
		}
		at := place{c.Channel, c.SKU, c.Location}
		if c.Revision != last[at].Revision+1 {
			return fmt.Errorf("command %s has revision %d after %d", c.ID, c.Revision, last[at].Revision)
		}
		last[at] = c
		return nil
	}
	got, want := map[place]inventory.Command{}, map[place]inventory.Command{}
	for _, n := range w.outputs[0].of(partition) {
		m := &w.outputs[0].messages[n-1]
		if err := follow(got, m.msg.Data); err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
	}
	for _, o := range w.references[partition].voice.outputs {
		if o.Kind != stream.Command {
			continue
		}
		if err := follow(want, o.Data); err != nil {
			return fmt.Errorf("partition %d, undisturbed: %w", partition, err)
		}
	}
	for at, c := range want {
		if got[at].ID != c.ID {
			return fmt.Errorf("partition %d: a reader ends with %q for %v, not with %q", partition, got[at].ID, at, c.ID)
		}
	}
	return nil
}

// run carries out a plan, and returns why what came of it is wrong.
func (p *plan) run(m *mutant) error { return p.follow(m, func(int, step, *world) {}) }

// follow is run that shows each step once it is taken.
func (p *plan) follow(m *mutant, show func(n int, s step, w *world)) (err error) {
	w, err := newWorld(p, m)
	defer func() {
		if e := w.close(); err == nil && e != nil {
			err = fmt.Errorf("close: %w", e)
		}
	}()
	for i := 0; i < len(p.steps) && err == nil; i++ {
		if err = w.take(p.steps[i]); err != nil {
			err = fmt.Errorf("step %d (%s): %w", i+1, p.steps[i], err)
		}
		show(i+1, p.steps[i], w)
	}
	if err == nil {
		err = w.settle()
	}
	return err
}
