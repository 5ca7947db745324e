package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

// item is a delta, or what can't be one, with what has to become of it.
type item struct {
	id     string
	bytes  []byte           // as it is published
	reason inventory.Reason // why it is rejected; "": it is applied once, and is a duplicate after that
}

// message is what is published at once.
type message struct {
	partition int
	id        string // its Nats-Msg-Id
	payload   []byte
	items     []item
}

// producer publishes a load and keeps count of it. load is for one goroutine; the counters are for any, and all
// else for whoever knows that no load is on.
type producer struct {
	js       jetstream.JetStream
	topology stream.Topology
	rnd      *rand.Rand
	base     inventory.Millis  // event times are around it
	keys     [][]inventory.Key // by partition

	sent    []message
	good    [][]item                // that were drawn, by partition: what duplicates are made of
	atp     map[inventory.Key]int64 // what each key has to come to
	promise map[inventory.Key][]inventory.Delta
	ids     int

	acked, refused atomic.Int64 // messages stored; tries that were not answered
}

const skus = 12

func newProducer(js jetstream.JetStream, t stream.Topology, seed uint64) *producer {
	p := &producer{
		js:       js,
		topology: t,
		rnd:      rand.New(rand.NewPCG(seed, 1)),
		base:     inventory.MillisOf(time.Now().Add(-time.Hour)),
		keys:     make([][]inventory.Key, t.Partitions),
		good:     make([][]item, t.Partitions),
		atp:      map[inventory.Key]int64{},
		promise:  map[inventory.Key][]inventory.Delta{},
	}
	for n := range skus {
		sku := fmt.Sprintf("tea %d", n)
		of := codec.Partition(sku, t.Partitions)
		p.keys[of] = append(p.keys[of], inventory.Key{SKU: sku, Location: "leeds"})
		if n%2 == 0 {
			p.keys[of] = append(p.keys[of], inventory.Key{SKU: sku, Location: "york"})
		}
	}
	return p
}

// load publishes messages to some of the partitions, each until it is stored.
func (p *producer) load(ctx context.Context, messages int, partitions []int) error {
	for n := range messages {
		m := p.draw(partitions[n%len(partitions)])
		p.sent = append(p.sent, m)
		if err := p.publish(ctx, &m); err != nil {
			return err
		}
	}
	return nil
}

// answerMax is how long a broker has for an answer; then it is asked again.
const answerMax = 500 * time.Millisecond

// publish is what a careful producer does: the same message with the same id, until it is known to be stored.
func (p *producer) publish(ctx context.Context, m *message) error {
	for {
		try, cancel := context.WithTimeout(ctx, answerMax)
		_, err := p.js.Publish(try, p.topology.DeltaSubject(m.partition), m.payload, jetstream.WithMsgID(m.id))
		if err != nil {
			<-try.Done() // one that is gone is not asked all the time
		}
		cancel()
		if err == nil {
			p.acked.Add(1)
			return nil
		}
		p.refused.Add(1)
		if ctx.Err() != nil {
			return fmt.Errorf("publish %s: %w", m.id, err)
		}
	}
}

func (p *producer) draw(partition int) message {
	p.ids++
	m := message{partition: partition, id: fmt.Sprintf("m-%d", p.ids)}
	for range 1 + p.rnd.IntN(6) {
		switch roll := p.rnd.IntN(100); {
		case roll < 10 && len(p.good[partition]) > 0:
			m.items = append(m.items, p.good[partition][p.rnd.IntN(len(p.good[partition]))])
		case roll < 18 && len(p.good[partition]) > 0: // then event time is known, and something can be late
			m.items = append(m.items, p.drawBad(partition))
		default:
			i := p.drawGood(partition)
			p.good[partition] = append(p.good[partition], i)
			m.items = append(m.items, i)
		}
	}
	p.rnd.Shuffle(len(m.items), func(i, j int) { m.items[i], m.items[j] = m.items[j], m.items[i] })
	for _, i := range m.items {
		m.payload = append(m.payload, i.bytes...)
	}
	return m
}

// delta is one of a key, somewhere in half an hour: any order of arrival.
func (p *producer) delta(partition int, kind inventory.Kind) inventory.Delta {
	p.ids++
	key := p.keys[partition][p.rnd.IntN(len(p.keys[partition]))]
	return inventory.Delta{
		ID: fmt.Sprintf("d-%d", p.ids), Source: []string{"till", "web"}[p.rnd.IntN(2)],
		SKU: key.SKU, Location: key.Location,
		Kind: kind, Quantity: 1 + p.rnd.Int64N(5),
		Time:    p.base - inventory.Millis(p.rnd.Int64N(int64(30*inventory.Minute))),
		Channel: []string{"web", "store"}[p.rnd.IntN(2)],
		Ref:     fmt.Sprintf("r-%d", p.ids),
	}
}

// drawGood draws what moves ATP around 0, and counts it.
func (p *producer) drawGood(partition int) item {
	d := p.delta(partition, inventory.Sale)
	key := d.Key()
	promises := p.promise[key]
	taken := p.rnd.IntN(7) > 3+int(max(-2, min(2, -p.atp[key]/4)))
	switch {
	case p.rnd.IntN(4) == 0 && len(promises) > 0: // what was promised is cancelled, or goes out
		promise := promises[len(promises)-1]
		p.promise[key] = promises[:len(promises)-1]
		d.Ref, d.Quantity, d.Channel, d.Time = promise.Ref, promise.Quantity, promise.Channel, promise.Time+1
		d.Kind = inventory.Ship
		if taken {
			d.Kind = inventory.Release
			p.atp[key] += d.Quantity
		}
	case taken && p.rnd.IntN(3) == 0:
		d.Kind = inventory.Reserve
		p.promise[key] = append(promises, d)
		p.atp[key] -= d.Quantity
	case taken:
		p.atp[key] -= d.Quantity
	case p.rnd.IntN(3) == 0:
		d.Kind, d.Reason = inventory.Return, "sellable"
		p.atp[key] += d.Quantity
	default:
		d.Kind = inventory.Receipt
		p.atp[key] += d.Quantity
	}
	return item{id: d.ID, bytes: p.encode(&d)}
}

func (p *producer) encode(d *inventory.Delta) []byte {
	return [](func([]byte, *inventory.Delta) []byte){codec.AppendDelta, codec.AppendDeltaMap, codec.AppendDeltaJSON}[p.rnd.IntN(3)](nil, d)
}

// drawBad draws what can't be used.
func (p *producer) drawBad(partition int) item {
	d := p.delta(partition, inventory.Sale)
	reason := inventory.UnknownKind
	switch p.rnd.IntN(6) {
	case 0:
		d.Channel, reason = "", inventory.MissingField
	case 1:
		d.Quantity, reason = 0, inventory.OutOfRange
	case 2:
		d.Quantity, reason = inventory.QuantityMax+1, inventory.Overflow
	case 3:
		d.Time, reason = p.base+2*inventory.Day, inventory.Future
	case 4:
		d.Time, reason = p.base-3*inventory.Day, inventory.Late
	default:
		return item{d.ID, fmt.Appendf(nil, `{"id":%q,"source":"till","sku":%q,"location":"leeds","kind":"teleport","quantity":1,"time":%d}`, d.ID, d.SKU, d.Time), reason}
	}
	return item{d.ID, p.encode(&d), reason}
}
