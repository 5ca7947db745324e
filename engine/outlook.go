package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// RiskLeast is the probability below which a key is not at risk: [ReadRisks] leaves it out.
const RiskLeast = 0.001

// outlookPage is how many records are read at a time: a Store does not promise Get within Scan.
const outlookPage = 512

// ReadRisks calls yield for every key at which more may be promised within a window from the watermark than can be found, by what was known at the last
// flush: with a probability of RiskLeast or more, in order of SKU and location, until yield returns false. A key of which an oversell stands is left out, as what
// is foreseen there has happened. It changes nothing; the same state gives the same risks. It reads every record.
func ReadRisks(store Store, window inventory.Millis, yield func(*inventory.Risk) bool) error {
	o, err := newOutlooks(store)
	if err != nil {
		return err
	}
	until := min(o.now+window, inventory.MillisMax)
	return o.each(func(key string, r *record) (bool, error) {
		if len(r.asks) == 0 && !r.belief.Waiting() || r.oversold() {
			return true, nil
		}
		risk, err := o.risk(key, r, until)
		if err != nil || risk.Probability < RiskLeast {
			return true, err
		}
		return yield(risk), nil
	})
}

// outlooks reads what surrounds records from a store, which does not change meanwhile.
type outlooks struct {
	store  Store
	now    inventory.Millis
	places map[string]*place

	// Of the SKU whose records are read.
	sku  string
	net  network
	item inventory.Item

	view detectors.View
}

func newOutlooks(store Store) (*outlooks, error) {
	m, err := readMeta(store)
	return &outlooks{store: store, now: m.watermark, places: map[string]*place{}}, err
}

// each calls with every record.
func (o *outlooks) each(with func(key string, r *record) (more bool, err error)) error {
	type coded struct {
		key   string
		value []byte
	}
	lower := []byte{keyRecord}
	page := make([]coded, 0, outlookPage)
	for {
		page = page[:0]
		err := o.store.Scan(lower, []byte{keyRecord + 1}, func(key, value []byte) bool {
			page = append(page, coded{string(key[1:]), append([]byte{}, value...)})
			return len(page) < outlookPage
		})
		if err != nil {
			return err
		}
		for i := range page {
			r, err := decodeRecord([]byte(page[i].key), page[i].value)
			if err != nil {
				return err
			}
			if more, err := with(page[i].key, r); err != nil || !more {
				return err
			}
		}
		if len(page) < outlookPage {
			return nil
		}
		lower = append(append(append(lower[:0], keyRecord), page[len(page)-1].key...), 0)
	}
}

// oversold reports whether it stands that more is promised here than there is, to all channels.
func (r *record) oversold() bool {
	return slices.ContainsFunc(r.open, func(o opened) bool { return o.scope == detectors.Scope{Class: inventory.Oversell} && o.endsAt == 0 })
}

// risk works out what may become of a key until a time.
func (o *outlooks) risk(key string, r *record, until inventory.Millis) (*inventory.Risk, error) {
	v, err := o.show(key, r)
	if err != nil {
		return nil, err
	}
	supply, from, err := o.due(key, r, until)
	if err != nil {
		return nil, err
	}
	// What comes late in the window does not help before: of both the likelier.
	out := v.Outlook(until, supply.units)
	if supply.units > 0 && supply.first > o.now {
		if before := v.Outlook(supply.first, 0); before.Chance > out.Chance {
			before.Demand, before.Exposure = out.Demand, out.Exposure
			out = before
		}
	}
	risk := &inventory.Risk{
		SKU: v.SKU, Location: v.Location, Supplier: o.item.Supplier, Until: until,
		Probability: detectors.Round4(out.Chance), Empty: detectors.Round4(out.Empty), RunsOut: detectors.Round4(out.RunsOut), Expected: detectors.Round4(out.Demand),
		ATP: v.ATP(), Due: supply.units, Exposure: out.Exposure,
		Channels: make([]inventory.ChannelRisk, 0, len(out.Channels)),
	}
	if risk.Supplier == "" {
		risk.Supplier = from
	}
	risk.Worth = int64(math.Round(risk.Probability * float64(risk.Exposure)))
	for _, c := range out.Channels {
		risk.Channels = append(risk.Channels, inventory.ChannelRisk{Channel: c.Name, Probability: detectors.Round4(c.Chance)})
	}
	slices.SortFunc(risk.Channels, func(a, b inventory.ChannelRisk) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.Channel, b.Channel))
	})
	return risk, nil
}

// show fills a view with what is known of a key. It is good until the next.
func (o *outlooks) show(key string, r *record) (*detectors.View, error) {
	sku, location := splitRecordKey(key)
	if sku != o.sku || o.sku == "" {
		o.sku, o.net, o.item = sku, network{}, inventory.Item{}
		if _, err := readValue(o.store, keyNetwork, sku, &o.net); err != nil {
			return nil, err
		}
		var err error
		if o.item, _, err = ReadItem(o.store, sku); err != nil {
			return nil, err
		}
	}
	pl, err := o.place(location)
	if err != nil {
		return nil, err
	}
	price := r.Price
	if price == 0 {
		price = o.item.Price
	}
	o.view = detectors.View{
		Now: o.now, SKU: sku, Location: location, Quantities: r.Quantities, Price: price, CountedAt: r.Counted.Time,
		Belief: &r.belief, Feed: &pl.feed, Place: &pl.state, Held: r.held(),
		Trade:    stillTrade{r, o.now},
		Channels: appendChannels(o.view.Channels[:0], r, &o.net),
	}
	return &o.view, nil
}

// place reads what is known of a location, its clock as far on as it is vouched for.
func (o *outlooks) place(location string) (*place, error) {
	if pl := o.places[location]; pl != nil {
		return pl, nil
	}
	pl := &place{}
	known, err := readValue(o.store, keyPlace, location, pl)
	if err != nil {
		return nil, err
	}
	if known {
		coded, err := o.store.Get(append([]byte{keyWeek}, location...))
		if err != nil {
			return nil, err
		}
		if coded != nil {
			w := wire.NewReader(coded)
			w.Version(formatWeek)
			pl.feed.ReadWeek(w)
			if err := w.Done(); err != nil {
				return nil, fmt.Errorf("read the week of %q: %w", location, err)
			}
		}
	}
	var src source
	if _, err := readValue(o.store, keySource, pl.feed.Source, &src); err != nil {
		return nil, err
	}
	pl.feed.Vouch(min(max(pl.vouched, src.vouched), o.now))
	o.places[location] = pl
	return pl, nil
}

// due is what of a record's goods is due by a time.
type due struct {
	units int64
	first inventory.Millis // when the first of them are
}

// due returns what is due by then, and who announced what is inbound, "" where nobody did.
func (o *outlooks) due(key string, r *record, until inventory.Millis) (d due, from string, err error) {
	if r.Inbound <= 0 && r.InTransit <= 0 {
		return d, "", nil
	}
	for _, class := range [...]ledger.Class{ledger.Inbound, ledger.InTransit} {
		lower := appendTimelineKey([]byte{keyTimeline}, key, class, "")
		upper := append(lower[:len(lower)-1:len(lower)-1], byte(class)+1)
		var bad error
		err := o.store.Scan(lower, upper, func(_, coded []byte) bool {
			var tl timeline
			in := wire.NewReader(coded)
			tl.read(in)
			if bad = in.Done(); bad != nil || tl.Open() <= 0 {
				return bad == nil
			}
			if class == ledger.Inbound && from == "" {
				from = tl.arrival.From
			}
			if at := tl.Due(); at != 0 && at >= o.now && at <= until {
				if d.units == 0 || at < d.first {
					d.first = at
				}
				d.units = min(d.units+tl.Open(), inventory.QuantityMax)
			}
			return true
		})
		if err == nil {
			err = bad
		}
		if err != nil {
			return d, from, fmt.Errorf("read what is on its way to %q: %w", key, err)
		}
	}
	return d, from, nil
}

// stillTrade is how a record sold up to a time, in a state that stands still.
type stillTrade struct {
	r   *record
	now inventory.Millis
}

func (t stillTrade) Asked(s detectors.Span) (events, units int64) { return t.r.demand(s, t.now) }

// Lag is not asked for: how long feeds take, the location knows.
func (t stillTrade) Lag(string) detectors.Lag { return detectors.Lag{} }
