package engine_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// fataler is what a testing.T, a rapid.T and a testing.F have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// partition drives an engine as a worker does: it decodes messages, applies their deltas and
// spoils the bytes that they borrowed, and commits where a batch ends.
type partition struct {
	config engine.Config
	only   inventory.Class // the one detector that looks; "": all of them
	also   inventory.Class // another one
	spoil  byte            // what a message's bytes are overwritten with once it is applied
	store  *enginetest.Store
	engine *engine.Engine

	unfinished func(*partition) // what is done where a step leaves off; nil: nothing

	leaving *enginetest.Batch // begun by freeze; nil: there is none
	landed  bool              // the store has it

	logTime  inventory.Millis // when the log takes in what comes; 0: when the newest of a message happens
	messages uint64           // taken in since the partition began
	said     []engine.Output  // since then
	results  []engine.Result  // since then, one a delta
	before   int              // how many of these are of earlier messages
}

// open begins a partition, or takes up one where its store left off.
func open(t fataler, p partition) *partition {
	t.Helper()
	if p.store == nil {
		p.store = enginetest.NewStore()
	}
	e, err := engine.New(p.config, p.store)
	if err != nil {
		t.Fatalf("open the partition: %v", err)
	}
	if p.only != "" {
		engine.OnlyDetect(e, p.only, p.also)
	}
	p.engine = e
	return &p
}

// take applies one message, the next of the log.
func (p *partition) take(t fataler, m gen.Message) []engine.Result {
	t.Helper()
	payload := encode(m)
	p.messages++
	return p.apply(t, payload)
}

func encode(m gen.Message) []byte {
	var payload []byte
	for i := range m {
		payload = codec.AppendDelta(payload, &m[i])
	}
	return payload
}

func (p *partition) apply(t fataler, payload []byte) []engine.Result {
	t.Helper()
	var batch codec.Batch
	batch.Decode(payload)
	p.before = len(p.results)
	bad := batch.Bad
	logTime := p.logTime
	if logTime == 0 {
		for i := range batch.Deltas {
			logTime = max(logTime, batch.Deltas[i].Time)
		}
		logTime = min(logTime+inventory.Millis(p.messages), inventory.MillisMax)
	}
	for i := range batch.Deltas {
		at := engine.At{Sequence: p.messages, Index: i, LogTime: logTime}
		if len(bad) > 0 && bad[0].Index == i {
			p.results = append(p.results, p.engine.Reject(at, bad[0].Err))
			bad = bad[1:]
			continue
		}
		result, err := p.engine.Step(at, &batch.Deltas[i])
		for err == nil && result.Outcome == engine.Unfinished {
			p.hear()
			if p.unfinished != nil {
				p.unfinished(p)
			}
			result, err = p.engine.Step(at, &batch.Deltas[i])
		}
		if err != nil {
			t.Fatalf("message %d, delta %d: %v", p.messages, i, err)
		}
		p.results = append(p.results, result)
	}
	for i := range payload {
		payload[i] = p.spoil
	}
	p.hear()
	return p.results[p.before:]
}

// hear takes over what was said.
func (p *partition) hear() {
	p.said = append(p.said, p.engine.Outputs()...)
	p.engine.ClearOutputs()
}

// control applies a message that holds no delta, the next of the log.
func (p *partition) control(t fataler, m control.Message) engine.Result {
	t.Helper()
	p.messages++
	at := engine.At{Sequence: p.messages, LogTime: max(p.logTime, 1)}
	text, err := control.Encode(&m)
	if err != nil {
		t.Fatalf("encode %+v: %v", m, err)
	}
	m, bad := control.Parse(text)
	if bad != nil {
		t.Fatalf("parse %s: %v", text, bad)
	}
	result, err := p.engine.Control(at, &m)
	if err != nil {
		t.Fatalf("message %d, %s: %v", p.messages, text, err)
	}
	p.results = append(p.results, result)
	p.said = append(p.said, p.engine.Outputs()...)
	p.engine.ClearOutputs()
	return result
}

// flush returns all that changed, not yet committed.
func (p *partition) flush(t fataler) *enginetest.Batch {
	t.Helper()
	batch := p.store.Batch()
	if err := p.engine.Flush(batch); err != nil {
		t.Fatalf("flush: %v", err)
	}
	return batch
}

// freeze begins a batch that is written while the partition goes on.
func (p *partition) freeze(t fataler) {
	t.Helper()
	p.land(t)
	p.leaving = p.store.Batch()
	if err := p.engine.Freeze(p.leaving, p.depart); err != nil {
		t.Fatalf("freeze: %v", err)
	}
}

// write writes some of it.
func (p *partition) write(t fataler, values int) {
	t.Helper()
	if p.leaving == nil {
		return
	}
	if _, err := p.engine.Write(values); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// depart gets it to the store, and is called by the engine where that can't do without.
func (p *partition) depart() error {
	_, err := p.engine.Write(math.MaxInt)
	p.leaving.Commit()
	p.landed = true
	return err
}

// land gets it to the store, if it is not there.
func (p *partition) land(t fataler) {
	t.Helper()
	if p.leaving == nil {
		return
	}
	if !p.landed {
		if err := p.depart(); err != nil {
			t.Fatalf("land: %v", err)
		}
	}
	p.engine.Committed()
	p.leaving, p.landed = nil, false
}

func (p *partition) commit(t fataler) {
	t.Helper()
	p.land(t)
	p.flush(t).Commit()
	p.engine.Committed()
}

// state is the store's content: all that the log alone lays out, and the timers.
func (p *partition) state(t fataler) string {
	t.Helper()
	var timers []string
	err := engine.LiveTimers(p.store, func(t timer.Timer) { timers = append(timers, fmt.Sprintf("%+v\n", t)) })
	if err != nil {
		t.Fatalf("read the timers: %v", err)
	}
	slices.Sort(timers)
	return p.store.Dump(engine.LaidOutByBatch()...) + strings.Join(slices.Compact(timers), "")
}

// transcript is everything that was said, a line an output, in every encoding in which it can go out.
func (p *partition) transcript(t fataler) string {
	t.Helper()
	var lines strings.Builder
	for i := range p.said {
		lines.WriteString(line(t, &p.said[i]))
		lines.WriteByte('\n')
	}
	return lines.String()
}

func line(t fataler, o *engine.Output) string {
	t.Helper()
	var text, packed []byte
	var err error
	switch {
	case o.Command != nil:
		if text, err = codec.EncodeCommand(o.Command, codec.JSON); err == nil {
			packed, err = codec.EncodeCommand(o.Command, codec.Msgpack)
		}
	case o.Exception != nil:
		text, err = codec.EncodeException(o.Exception)
	case o.Decision != nil:
		text, err = codec.EncodeDecision(o.Decision)
	default:
		text, err = json.Marshal(o.Rejected)
	}
	if err != nil {
		t.Fatalf("encode output %d: %v", o.Ordinal, err)
	}
	return fmt.Sprintf("%d %s, packed %x", o.Ordinal, text, xxh3.Hash(packed))
}

// outcomes is what became of each delta, with the reason where it was rejected.
func outcomes(results []engine.Result) string {
	var words []string
	for _, r := range results {
		words = append(words, outcome(r))
	}
	return strings.Join(words, " ")
}

func outcome(r engine.Result) string {
	if r.Invalid != nil {
		return string(r.Invalid.Reason)
	}
	return r.Outcome.String()
}

// counted holds the counters against the results.
func counted(t fataler, c engine.Counters, results []engine.Result) {
	t.Helper()
	want := engine.Counters{Read: uint64(len(results)), WindowLate: c.WindowLate}
	for _, r := range results {
		switch r.Outcome {
		case engine.Applied:
			want.Applied++
		case engine.Duplicate:
			want.Duplicates++
		case engine.Rejected:
			want.Rejected++
		default:
			t.Fatalf("a delta had no outcome: %+v", r)
		}
		if (r.Outcome == engine.Rejected) != (r.Invalid != nil) {
			t.Fatalf("outcome %s with reason %v", r.Outcome, r.Invalid)
		}
	}
	if c != want || c.Read != c.Applied+c.Duplicates+c.Rejected {
		t.Fatalf("counters are %+v, want %+v", c, want)
	}
}

// sameText fails where two texts differ, and shows the first line that does.
func sameText(t fataler, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if a, b := at(g, i), at(w, i); a != b {
			t.Fatalf("%s differ at line %d of %d and %d:\n got %s\nwant %s", what, i, len(g), len(w), a, b)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no more)"
}
