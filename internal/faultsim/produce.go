package faultsim

import (
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

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
