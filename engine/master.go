package engine

import (
	"errors"
	"fmt"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// skuItem is what master data say of a SKU, site what they say of a location. They come through the log, whole each time, and are asked
// for when an exception opens, and at looks where the policy goes by them.
type (
	skuItem struct{ inventory.Item }
	site    struct{ inventory.Site }
)

// know takes in master data: from this place of the log on. It returns what is wrong with the message, which changes nothing then.
func (e *Engine) know(m *control.Message) (*inventory.Invalid, error) {
	for i := range m.Master.SKUs {
		sku := m.Master.SKUs[i].SKU
		if e.config.Partitions == 0 {
			continue
		}
		if p := codec.Partition(sku, e.config.Partitions); p != e.config.Partition {
			return &inventory.Invalid{
				Reason: inventory.WrongPartition, Field: fmt.Sprintf("skus[%d].sku", i),
				Detail: fmt.Sprintf("belongs to partition %d of %d, came to %d", p, e.config.Partitions, e.config.Partition),
			}, nil
		}
	}
	for i := range m.Master.SKUs {
		of := &m.Master.SKUs[i]
		it, _, err := e.items.make([]byte(of.SKU))
		if err != nil {
			return nil, err
		}
		e.items.touch(it)
		it.value.Item = of.Item
		if of.Item == (inventory.Item{}) {
			e.items.remove(it)
		}
	}
	for i := range m.Master.Locations {
		of := &m.Master.Locations[i]
		it, _, err := e.sites.make([]byte(of.Location))
		if err != nil {
			return nil, err
		}
		e.sites.touch(it)
		it.value.Site = of.Site
		if of.Site == (inventory.Site{}) {
			e.sites.remove(it)
		}
	}
	e.say(Output{Decision: &inventory.Decision{
		ID:        e.nextID("a"),
		Decision:  "master",
		Commands:  []string{},
		Rule:      "master data are set",
		Inputs:    map[string]any{"skus": int64(len(m.Master.SKUs)), "locations": int64(len(m.Master.Locations))},
		Policy:    e.policy.Version,
		By:        m.By,
		EventTime: e.meta.watermark,
		IssuedAt:  e.logTime,
		Cause:     e.cause,
	}})
	return nil, nil
}

// item returns what is known of a SKU. An error of the store's is kept in e.fault, and ends the step.
func (e *Engine) item(sku string) inventory.Item {
	it, err := e.items.get([]byte(sku))
	e.fault = errors.Join(e.fault, err)
	if it == nil || err != nil {
		return inventory.Item{}
	}
	return it.value.Item
}

// region returns the region of a location, "" where it is not known.
func (e *Engine) region(location string) string {
	it, err := e.sites.get([]byte(location))
	e.fault = errors.Join(e.fault, err)
	if it == nil || err != nil {
		return ""
	}
	return it.value.Region
}

// at returns a place as policies see it, with master data where the policy in force asks for any.
func (e *Engine) at(sku, location, channel string) policy.At {
	at := policy.At{SKU: sku, Location: location, Channel: channel}
	if e.asksMaster {
		at.Item, at.Region = e.item(sku), e.region(location)
	}
	return at
}

// The flags of a written item.
const (
	itemRegulated = 1 << iota
	itemLotControlled
)

func (s *skuItem) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatItem)
	dst = wire.AppendString(dst, s.Category)
	dst = wire.AppendString(dst, s.Supplier)
	dst = wire.AppendInt(dst, s.Price)
	dst = wire.AppendInt(dst, s.Margin)
	dst = wire.AppendInt(dst, s.LeadHours)
	flags := uint64(0)
	if s.Regulated {
		flags |= itemRegulated
	}
	if s.LotControlled {
		flags |= itemLotControlled
	}
	return wire.AppendUint(dst, flags)
}

func (s *skuItem) read(in *wire.Reader) {
	in.Version(formatItem)
	s.Category = in.String()
	s.Supplier = in.String()
	s.Price, s.Margin, s.LeadHours = in.Int(), in.Int(), in.Int()
	flags := in.Uint()
	if flags > itemRegulated|itemLotControlled {
		in.Fail(fmt.Errorf("an item has flags %b", flags))
	}
	s.Regulated, s.LotControlled = flags&itemRegulated != 0, flags&itemLotControlled != 0
}

func (s *site) append(dst []byte) []byte {
	return wire.AppendString(wire.AppendUint(dst, formatSite), s.Region)
}

func (s *site) read(in *wire.Reader) {
	in.Version(formatSite)
	s.Region = in.String()
}

// ReadItem returns what master data said of a SKU as of the last flush; false where they said nothing.
func ReadItem(store Store, sku string) (inventory.Item, bool, error) {
	var s skuItem
	known, err := readValue(store, keyItem, sku, &s)
	return s.Item, known, err
}

// ReadSite is ReadItem for a location.
func ReadSite(store Store, location string) (inventory.Site, bool, error) {
	var s site
	known, err := readValue(store, keySite, location, &s)
	return s.Site, known, err
}

func readValue(store Store, prefix byte, key string, into interface{ read(*wire.Reader) }) (known bool, err error) {
	coded, err := store.Get(append([]byte{prefix}, key...))
	if err != nil || coded == nil {
		return false, err
	}
	r := wire.NewReader(coded)
	into.read(r)
	if err := r.Done(); err != nil {
		return false, fmt.Errorf("read %c %q: %w", prefix, key, err)
	}
	return true, nil
}
