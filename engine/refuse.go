package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/inventory"
)

// refuse returns why d can't be applied to what its key holds now, and changes nothing; and d's record, where
// there is one.
func (e *Engine) refuse(d *inventory.Delta) (*item[record], *inventory.Invalid, error) {
	e.key = appendRecordKey(e.key[:0], d.SKU, d.Location)
	rec, err := e.records.get(e.key)
	if err != nil {
		return nil, nil, err
	}
	if bad, err := e.crowded(rec, d); bad != nil || err != nil {
		return nil, bad, err
	}
	if rec != nil {
		e.paged = rec.key
		if bad, err := rec.value.Check(d, e.history); bad != nil || err != nil {
			return nil, bad, err
		}
	}
	switch d.Kind {
	case inventory.TransferOut:
		bad, err := e.overflowsThere(d)
		return rec, bad, err
	case inventory.Reserve:
		if rec == nil {
			return nil, nil, nil
		}
		bad, err := e.revives(rec, d)
		return rec, bad, err
	}
	return rec, nil, nil
}

// overflowsThere returns why a transfer_out would take too far what is in transit to where it goes.
func (e *Engine) overflowsThere(d *inventory.Delta) (*inventory.Invalid, error) {
	e.key = appendRecordKey(e.key[:0], d.SKU, d.Counterparty)
	there, err := e.records.get(e.key)
	if err != nil || there == nil {
		return nil, err
	}
	return there.value.CheckInTransit(d.Quantity), nil
}

// revives returns why a reserve that comes late would take too far what is reserved: it may add more than its own
// quantity, where with it the reservation has not lapsed.
func (e *Engine) revives(rec *item[record], d *inventory.Delta) (*inventory.Invalid, error) {
	if d.Time >= e.meta.watermark || !rec.value.refs.may(refTag(ledger.Reservation, d.Ref)) {
		return nil, nil
	}
	e.key = appendTimelineKey(e.key[:0], rec.key, ledger.Reservation, d.Ref)
	tl, err := e.timelines.get(e.key)
	if err != nil || tl == nil {
		return nil, err
	}
	return rec.value.CheckReserved(tl.value.Gain(d, e.meta.watermark, e.horizon())), nil
}

// crowded returns why d can't make its channel known, where its SKU has as many as it may have.
func (e *Engine) crowded(rec *item[record], d *inventory.Delta) (*inventory.Invalid, error) {
	switch d.Kind {
	case inventory.Sale, inventory.Reserve, inventory.Listing, inventory.Allocate:
	default:
		return nil, nil
	}
	if rec != nil && rec.value.Find(d.Channel) != nil {
		return nil, nil
	}
	net, err := e.networks.get([]byte(d.SKU))
	if err != nil || net == nil || len(net.value.channels) < e.config.ChannelsMax || indexOf(net.value.channels, d.Channel) >= 0 {
		return nil, err
	}
	return &inventory.Invalid{
		Reason: inventory.OutOfRange, Field: "channel",
		Detail: fmt.Sprintf("the SKU has %d channels, which is the most: a channel is where things are sold, not an order or a customer", e.config.ChannelsMax),
	}, nil
}
