package faultsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/stream"
)

// fewTold is the part of a policy under which most exceptions wait to be told of.
const fewTold = "exceptions_per_second: 1\nexceptions_at_once: 1\n"

// telling returns the policy that is built in, under which few exceptions or all are told of at once.
func telling(few bool) *policy.Policy {
	p := *policy.Default()
	if few {
		p.ExceptionsPerSecond, p.ExceptionsAtOnce = 1, 1
	}
	return &p
}

// untilTold lets quiet time go by until no exception waits to be told of.
func (w *world) untilTold(partition int) error {
	r := w.references[partition]
	for quiet := 0; ; quiet++ {
		status, err := engine.ReadStatus(r.db)
		if err != nil || status.Standing.Untold == 0 {
			return err
		}
		if quiet > int(status.Standing.Deferred) {
			return fmt.Errorf("partition %d: %d exceptions wait to be told of after %d quiet seconds", partition, status.Standing.Untold, quiet)
		}
		w.pass(time.Second)
		d := inventory.Delta{ID: fmt.Sprint("quiet-", partition, "-", w.clock.past), Source: "holdfast", Kind: inventory.Tick, Time: status.Watermark}
		w.logs[partition].append(message{data: codec.AppendDelta(nil, &d)}, w.clock.now.UnixNano())
		if err := r.follow(); err != nil {
			return err
		}
	}
}

// checkTold wants every exception to have been told of as it is.
func (r *reference) checkTold() error {
	last := map[string][]byte{}
	for _, o := range r.voice.outputs {
		if o.Kind != stream.Exception {
			continue
		}
		var x inventory.Exception
		if err := json.Unmarshal(o.Data, &x); err != nil {
			return err
		}
		last[x.ID] = o.Data
	}
	var wrong error
	err := engine.ReadExceptions(r.db, "", func(_ engine.Rank, x *inventory.Exception) bool {
		now, err := codec.EncodeException(x)
		if err == nil && !bytes.Equal(now, last[x.ID]) {
			err = fmt.Errorf("exception %s is\n%s\nand was told of last as\n%s", x.ID, now, last[x.ID])
		}
		wrong = err
		return err == nil
	})
	if err == nil {
		err = wrong
	}
	return err
}
