package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// endedRetention is for how long, in event time, an exception that ended can be looked up here.
	endedRetention = 30 * inventory.Day

	// historyMax bounds an exception's history; the stream of exceptions has all of it.
	historyMax = 32
)

// exception is an inventory.Exception under its id, in the JSON that users see.
type exception struct {
	inventory.Exception
	Turn *turn `json:"turn,omitempty"` // nil: it does not wait to be told of
}

func (x *exception) append(dst []byte) []byte {
	coded, err := json.Marshal(x)
	if err != nil {
		// Its fields are strings, numbers that are finite, and maps of these.
		panic(fmt.Sprintf("exception %s cannot be coded: %v", x.ID, err))
	}
	return append(dst, coded...)
}

func (x *exception) read(r *wire.Reader) {
	in := json.NewDecoder(bytes.NewReader(r.Rest()))
	in.UseNumber()
	if err := in.Decode(x); err != nil {
		r.Fail(fmt.Errorf("exception: %w", err))
	}
	plainNumbers(x.Evidence)
}

// plainNumbers makes every whole number an int64 and every other one a float64. So
// evidence is the same in every encoding of a command, whether or not its exception was read
// back from the store in between.
func plainNumbers(evidence map[string]any) {
	for name, v := range evidence {
		switch v := v.(type) {
		case int:
			evidence[name] = int64(v)
		case float64:
			if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
				evidence[name] = int64(v)
			}
		case json.Number:
			if whole, err := v.Int64(); err == nil {
				evidence[name] = whole
			} else if f, err := v.Float64(); err == nil {
				evidence[name] = f
			}
		}
	}
}

// after returns the moment that comes so long after the watermark, and at most the last that can be
// written: what is stored is read again.
func (e *Engine) after(later inventory.Millis) inventory.Millis {
	return min(e.meta.watermark+later, inventory.MillisMax)
}

// nextID returns the next id under the cause: the same log gives the same one.
func (e *Engine) nextID(prefix string) string {
	id := fmt.Sprintf("%s%d-%d-%d-%d", prefix, e.cause.Partition, e.cause.Sequence, e.cause.Index, e.causeOrdinal)
	e.causeOrdinal++
	return id
}

// rank puts the exception's place in the order of exposure, in place of the one it had.
func (e *Engine) rank(x *inventory.Exception) {
	e.writes = append(e.writes, write{key: rankedKey(x), value: []byte{}})
}

func (e *Engine) unrank(x *inventory.Exception) {
	e.writes = append(e.writes, write{key: rankedKey(x)})
}

func rankedKey(x *inventory.Exception) []byte {
	return appendRankedKey(nil, ended(x.Status), x.Exposure, x.ID)
}

func ended(s inventory.Status) bool { return s == inventory.Resolved || s == inventory.Dismissed }

// note adds to the exception's history.
func note(x *inventory.Exception, c inventory.Change) {
	if len(x.History) >= historyMax {
		x.History = append(x.History[:1], x.History[2:]...)
	}
	x.History = append(x.History, c)
	x.UpdatedAt = c.At
}

// forgetException takes away an exception that ended long ago.
func (e *Engine) forgetException(id []byte) error {
	x, err := e.exceptions.get(id)
	if err != nil || x == nil {
		return err
	}
	if x.value.Turn != nil { // others wait behind it
		e.setTimer(e.meta.watermark+endedRetention, timerEnded, x.value.ID)
		return nil
	}
	e.unrank(&x.value.Exception)
	e.exceptions.remove(x)
	return nil
}
