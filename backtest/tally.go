package backtest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// tally counts what one run says, of all partitions.
type tally struct{ rows map[key]*Figures }

type key struct {
	class   inventory.Class
	channel string
}

func newTally() *tally { return &tally{map[key]*Figures{}} }

func (t *tally) at(class inventory.Class, channel string) *Figures {
	k := key{class, channel}
	if t.rows[k] == nil {
		t.rows[k] = &Figures{}
	}
	return t.rows[k]
}

// place is what a directive binds.
type place struct{ channel, sku, location string }

// hold is a hold that stands.
type hold struct {
	class inventory.Class
	since inventory.Millis
	units float64 // that could be promised when it began
}

// release counts the time for which h stood.
func (t *tally) release(at place, h hold, until inventory.Millis) {
	hours := float64(max(until-h.since, 0)) / float64(inventory.Hour)
	f := t.at(h.class, at.channel)
	f.HeldHours += hours
	f.HeldUnitHours += hours * h.units
}

// voice is a speaker that counts what is said and passes nothing on.
type voice struct {
	tally *tally
	held  map[place]hold
	known map[string]bool // exceptions; one that waited to be told of may have changed by then
	said  uint64
}

func (v *voice) Publish(_ context.Context, o stream.Output) error {
	v.said = o.Ordinal
	switch o.Kind {
	case stream.Exception:
		x, err := codec.DecodeException(o.Data)
		if err == nil && !v.known[x.ID] {
			v.known[x.ID] = true
			v.opened(&x)
		}
		return err
	case stream.Command:
		c, err := codec.DecodeCommand(o.Data)
		if err == nil {
			v.command(&c)
		}
		return err
	}
	return nil
}

func (v *voice) Acked() uint64        { return v.said }
func (v *voice) Said() []stream.Said  { return nil }
func (v *voice) RejectedSeen() uint64 { return 0 }

func (v *voice) opened(x *inventory.Exception) {
	channels := x.Channels
	if len(channels) == 0 {
		channels = []string{""}
	}
	for _, channel := range channels {
		f := v.tally.at(x.Class, channel)
		f.Exceptions++
		if x.Status == inventory.AwaitingApproval {
			f.Awaiting++
		}
	}
}

func (v *voice) command(c *inventory.Command) {
	at := place{c.Channel, c.SKU, c.Location}
	before, held := v.held[at]
	if c.Action == inventory.Hold && held {
		return // a renewal
	}
	f := v.tally.at(c.Class, c.Channel)
	switch c.Action {
	case inventory.Hold:
		f.Holds++
		units, _ := c.Evidence["atp"].(float64)
		v.held[at] = hold{c.Class, c.EventTime, max(units, 0)}
		return
	case inventory.Throttle:
		f.Throttles++
	case inventory.Unhold:
		f.Releases++
	}
	if held {
		delete(v.held, at)
		v.tally.release(at, before, c.EventTime)
	}
}

// rows puts two tallies side by side, by class in the contract's order and channel.
func rows(was, would *tally) []Row {
	keys := maps.Clone(was.rows)
	maps.Copy(keys, would.rows)
	classes := inventory.Classes()
	sorted := slices.SortedFunc(maps.Keys(keys), func(a, b key) int {
		return cmp.Or(cmp.Compare(slices.Index(classes, a.class), slices.Index(classes, b.class)), cmp.Compare(a.channel, b.channel))
	})
	all := make([]Row, len(sorted))
	for i, k := range sorted {
		all[i] = Row{Class: string(k.class), Channel: k.channel, Was: *was.at(k.class, k.channel), Would: *would.at(k.class, k.channel)}
	}
	return all
}
