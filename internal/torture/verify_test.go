package torture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// verify waits until all that is in the logs is applied and said, and holds what came of it against what was published.
func (w *world) verify() {
	w.t.Helper()
	eventually(w.t, "all is applied and said", w.settled)
	var log [partitions][]entry
	eventually(w.t, "the logs hold what was published, and read = applied + duplicates + rejected", func() (err error) {
		if log, err = w.readLogs(); err != nil { // anew each time: ticks go on coming
			return err
		}
		return w.counted(log)
	})
	eventually(w.t, "ATP is what was counted", w.stocked)
	eventually(w.t, "everything is said once", w.saidOnce)
	eventually(w.t, "what can't be used is in the rejected stream", func() error { return w.rejected(log) })
	eventually(w.t, "commands follow one another", w.commanded)
}

// settled wants every partition at the end of its log, with nothing left to be said.
func (w *world) settled() error {
	if w.holdfast.ended() {
		w.t.Fatalf("holdfast ended: %v\n%s", w.holdfast.err, w.holdfast.tail())
	}
	var now overview
	if err := w.getJSON("/v1/overview", &now); err != nil {
		return err
	}
	ends := w.ends()
	for _, p := range now.Partitions {
		if p.Error != "" || !p.CaughtUp || p.Position < ends[p.Partition] {
			return fmt.Errorf("partition %d is at %d of %d %s", p.Partition, p.Position, ends[p.Partition], p.Error)
		}
	}
	figures, err := w.metrics()
	if err != nil {
		return err
	}
	waiting := figures.of("holdfast_directives_pending", "")
	for p := range partitions {
		waiting += figures.of("holdfast_outputs_waiting", fmt.Sprintf(`partition="%d"`, p))
	}
	if len(now.Partitions) != partitions || waiting > 0 || figures.of("holdfast_broker_answers", "") != 1 {
		return fmt.Errorf("%d partitions, %d outputs wait", len(now.Partitions), waiting)
	}
	return nil
}

// figures are the lines of /metrics.
type figures map[string]uint64

var wholeFigure = regexp.MustCompile(`^(holdfast_\S+) (\d+)$`)

func (w *world) metrics() (figures, error) {
	body, err := w.get("/metrics")
	if err != nil {
		return nil, err
	}
	all := figures{}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		if match := wholeFigure.FindStringSubmatch(lines.Text()); match != nil {
			if all[match[1]], err = strconv.ParseUint(match[2], 10, 64); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// of adds up all that have a name and all of the labels.
func (f figures) of(name string, labels ...string) (sum uint64) {
	for line, n := range f {
		if found, has, _ := strings.Cut(line, "{"); found == name && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(has, l) }) {
			sum += n
		}
	}
	return sum
}

// entry is a message of a log, with what has to become of its items.
type entry struct {
	sequence                     uint64
	applied, duplicate, rejected uint64
	bad                          []refusal
}

// refusal is a rejected item.
type refusal struct {
	partition int
	sequence  uint64
	index     int
	reason    inventory.Reason
}

// readLogs reads the logs out. They have to hold every message that the broker acknowledged.
func (w *world) readLogs() (log [partitions][]entry, err error) {
	sent, found := map[string]*message{}, map[string]bool{}
	for i := range w.producer.sent {
		sent[w.producer.sent[i].id] = &w.producer.sent[i]
	}
	for p := range partitions {
		known := map[string]bool{}
		err := w.read(w.topology.DeltaStream(p), func(msg jetstream.Msg, sequence uint64) error {
			e := entry{sequence: sequence}
			m, ours := sent[msg.Headers().Get(jetstream.MsgIDHeader)]
			if !ours { // a tick of holdfast's: it moves event time on
				e.applied = 1
				log[p] = append(log[p], e)
				return nil
			}
			found[m.id] = true
			for index, i := range m.items {
				switch {
				case i.reason != "":
					e.rejected++
					e.bad = append(e.bad, refusal{p, sequence, index, i.reason})
				case known[i.id]:
					e.duplicate++
				default:
					known[i.id] = true
					e.applied++
				}
			}
			log[p] = append(log[p], e)
			return nil
		})
		if err != nil {
			return log, err
		}
	}
	for id := range sent {
		if !found[id] {
			return log, fmt.Errorf("message %s was acknowledged and is in no log", id)
		}
	}
	return log, nil
}

// read calls visit for each message of a stream.
func (w *world) read(name string, visit func(msg jetstream.Msg, sequence uint64) error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	s, err := w.js.Stream(ctx, name)
	if err != nil {
		return err
	}
	end := s.CachedInfo().State.LastSeq
	if end == 0 {
		return nil
	}
	consumer, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		at, err := msg.Metadata()
		if err != nil {
			return err
		}
		if err := visit(msg, at.Sequence.Stream); err != nil {
			return fmt.Errorf("%s at %d: %w", name, at.Sequence.Stream, err)
		}
		if at.Sequence.Stream >= end {
			return nil
		}
	}
}

// counted wants what a process counted since it started to be what the log has from where it began.
func (w *world) counted(log [partitions][]entry) error {
	all, err := w.metrics()
	if err != nil {
		return err
	}
	for p := range partitions {
		count := func(outcome string) uint64 {
			return all.of("holdfast_deltas_total", fmt.Sprintf(`partition="%d"`, p), fmt.Sprintf(`outcome=%q`, outcome))
		}
		got := entry{applied: count("applied"), duplicate: count("duplicate"), rejected: count("rejected")}
		position := all.of("holdfast_position", fmt.Sprintf(`partition="%d"`, p))
		if n := len(log[p]); n > 0 && position > log[p][n-1].sequence {
			return fmt.Errorf("partition %d is at %d, and its log ended at %d when it was read", p, position, log[p][n-1].sequence)
		}
		var want entry
		same := func() bool {
			return got.applied == want.applied && got.duplicate == want.duplicate && got.rejected == want.rejected
		}
		right := same() && (w.begun == nil || w.begun[p] >= position)
		for _, e := range slices.Backward(log[p]) {
			if e.sequence > position {
				continue // a tick that came since
			}
			want.applied, want.duplicate, want.rejected = want.applied+e.applied, want.duplicate+e.duplicate, want.rejected+e.rejected
			right = right || same() && (w.begun == nil || w.begun[p]+1 == e.sequence)
		}
		if !right {
			return fmt.Errorf("partition %d, at %d, begun after %v, says %d applied, %d duplicates, %d rejected: the log has never that to its end (%d, %d and %d in all)",
				p, position, w.begun, got.applied, got.duplicate, got.rejected, want.applied, want.duplicate, want.rejected)
		}
	}
	return nil
}

// stocked asks for every key.
func (w *world) stocked() error {
	for _, keys := range w.producer.keys {
		for _, key := range keys {
			want, touched := w.producer.atp[key]
			if !touched {
				continue
			}
			var answer inventory.LocationAvailability
			if err := w.getJSON("/v1/atp/"+url.PathEscape(key.SKU)+"/"+key.Location, &answer); err != nil {
				return err
			}
			if answer.ATP != want {
				return fmt.Errorf("%s at %s: ATP %d, %d were counted", key.SKU, key.Location, answer.ATP, want)
			}
			held := slices.ContainsFunc(answer.Channels, func(c inventory.ChannelAvailability) bool { return c.Held })
			if want < 0 && !held {
				return fmt.Errorf("%s at %s: ATP is %d and no channel is held", key.SKU, key.Location, want)
			}
		}
	}
	return nil
}

// saidOnce wants each ordinal of each partition in one of the streams, once.
func (w *world) saidOnce() error {
	var said [partitions]map[int]string
	for p := range said {
		said[p] = map[int]string{}
	}
	for _, kind := range []stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected} {
		err := w.read(w.topology.OutputStream(kind), func(msg jetstream.Msg, _ uint64) error {
			var p, ordinal int
			name := msg.Headers().Get(stream.HeaderOutput)
			if _, err := fmt.Sscanf(name, "%d-%d", &p, &ordinal); err != nil || p < 0 || p >= partitions {
				return fmt.Errorf("output %q: %v", name, err)
			}
			if before, twice := said[p][ordinal]; twice {
				return fmt.Errorf("output %s is here and in %s", name, before)
			}
			said[p][ordinal] = kind.String()
			return nil
		})
		if err != nil {
			return err
		}
	}
	for p := range said {
		for n := range len(said[p]) {
			if said[p][n+1] == "" {
				return fmt.Errorf("of partition %d there are %d outputs up to %d, and %d is none of them",
					p, len(said[p]), slices.Max(slices.Collect(maps.Keys(said[p]))), n+1)
			}
		}
	}
	return nil
}

// rejected wants the items that can't be used, and none other, each with its reason.
func (w *world) rejected(log [partitions][]entry) error {
	missing := map[refusal]bool{}
	for p := range log {
		for _, e := range log[p] {
			for _, r := range e.bad {
				missing[r] = true
			}
		}
	}
	err := w.read(w.topology.OutputStream(stream.Rejected), func(msg jetstream.Msg, _ uint64) error {
		h := msg.Headers()
		p, err := strconv.Atoi(h.Get(stream.HeaderPartition))
		if err != nil {
			return err
		}
		sequence, err := strconv.ParseUint(h.Get(stream.HeaderSequence), 10, 64)
		if err != nil {
			return err
		}
		index, err := strconv.Atoi(h.Get(stream.HeaderIndex))
		if err != nil {
			return err
		}
		r := refusal{p, sequence, index, inventory.Reason(msg.Subject()[strings.LastIndex(msg.Subject(), ".")+1:])}
		if !missing[r] {
			return fmt.Errorf("%+v was not to be rejected, or not so, or not twice: %s", r, h.Get(stream.HeaderError))
		}
		delete(missing, r)
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d are missing: %+v", len(missing), slices.Collect(maps.Keys(missing))[0])
	}
	return err
}

// bound is whom a command binds.
type bound struct{ Channel, SKU, Location string }

// commanded wants revisions without a gap, and the last command of each in the directives where it is in force.
func (w *world) commanded() error {
	last := map[bound]inventory.Command{}
	err := w.read(w.topology.OutputStream(stream.Command), func(msg jetstream.Msg, _ uint64) error {
		var c inventory.Command
		if err := json.Unmarshal(msg.Data(), &c); err != nil {
			return err
		}
		who := bound{c.Channel, c.SKU, c.Location}
		if c.Revision != last[who].Revision+1 {
			return fmt.Errorf("%+v: revision %d comes after %d", who, c.Revision, last[who].Revision)
		}
		last[who] = c
		return nil
	})
	if err != nil {
		return err
	}
	var answer struct{ Directives []inventory.Command }
	if err := w.getJSON("/v1/directives?action=hold&limit=500", &answer); err != nil {
		return err
	}
	for _, c := range answer.Directives {
		if who := (bound{c.Channel, c.SKU, c.Location}); last[who].ID != c.ID {
			return fmt.Errorf("%+v: the directive is %s, the last command %s", who, c.ID, last[who].ID)
		}
	}
	holds := 0
	for _, c := range last {
		if c.Action == inventory.Hold {
			holds++
		}
	}
	if holds != len(answer.Directives) {
		return fmt.Errorf("%d directives hold, and of %d commands", len(answer.Directives), holds)
	}
	return nil
}
