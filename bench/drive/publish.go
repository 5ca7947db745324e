package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// publisher packs deltas into messages and sends them to their partitions. One goroutine adds
// and sends; the subscription's own takes the acknowledgements in. Nothing is ever sent twice: one message that
// is not stored fails the run, whose figures would mean nothing.
type publisher struct {
	nc      *nats.Conn
	inbox   string // acknowledgements of partition p come to inbox.p
	lanes   []lane
	packing int
	waiting int // bytes of payload that are not sent yet
	stored  func(message)
	fail    context.CancelCauseFunc

	inFlight atomic.Int64  // messages sent and not told to stored yet
	landed   chan struct{} // holds a token once none is
}

// lane is one partition's. JetStream acknowledges its messages in the order in which they were sent.
type lane struct {
	subject, reply string
	waiting        []message    // oldest first, from next on; all but the last are full
	next           int          // those before it were sent
	spare          [][]byte     // payloads of messages that were sent
	sent           chan message // not acknowledged yet; holds as many as may be in flight
}

// message is a payload and what is to be known of it.
type message struct {
	payload []byte // nil once it is on its way
	bytes   int
	deltas  int
	counted int           // of the deltas, those not of a warm-up
	first   time.Duration // when its first delta was due
}

// newPublisher connects. stored is called with each message that was acknowledged, and fail with why one was not.
func newPublisher(url, prefix string, partitions, packing, inFlight int, stored func(message), fail context.CancelCauseFunc) (*publisher, error) {
	nc, err := connect(url, "holdfast bench driver", fail)
	if err != nil {
		return nil, err
	}
	p := &publisher{nc: nc, inbox: nats.NewInbox(), lanes: make([]lane, partitions), packing: packing, stored: stored, fail: fail, landed: make(chan struct{}, 1)}
	for i := range p.lanes {
		p.lanes[i] = lane{
			subject: prefix + ".delta." + strconv.Itoa(i),
			reply:   p.inbox + "." + strconv.Itoa(i),
			sent:    make(chan message, inFlight),
		}
	}
	if _, err := nc.Subscribe(p.inbox+".*", p.acknowledged); err != nil {
		nc.Close()
		return nil, err
	}
	return p, nil
}

// connect connects to the broker and fails the run where anything is lost: what was on its way then, nobody knows.
func connect(url, name string, fail context.CancelCauseFunc) (*nats.Conn, error) {
	nc, err := nats.Connect(url, nats.Name(name), nats.NoReconnect(),
		nats.ClosedHandler(func(nc *nats.Conn) {
			fail(fmt.Errorf("drive: the connection to the broker is gone: %w", errors.Join(nats.ErrConnectionClosed, nc.LastError())))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			fail(fmt.Errorf("drive: the connection to the broker: %w", err))
		}))
	if err != nil {
		return nil, fmt.Errorf("drive: connect to %s: %w", url, err)
	}
	return nc, nil
}

// add puts d into its partition's last message, or into a new one where that is full, and returns the partition's lane.
// counted is 0 in a warm-up, else 1.
func (p *publisher) add(d *inventory.Delta, due time.Duration, counted int) *lane {
	l := &p.lanes[codec.Partition(d.SKU, len(p.lanes))]
	if n := len(l.waiting); n == l.next || l.waiting[n-1].deltas == p.packing {
		m := message{first: due}
		if n := len(l.spare); n > 0 {
			m.payload, l.spare = l.spare[n-1][:0], l.spare[:n-1]
		}
		l.waiting = append(l.waiting, m)
	}
	m := &l.waiting[len(l.waiting)-1]
	m.payload = codec.AppendDelta(m.payload, d)
	m.deltas++
	m.counted += counted
	p.waiting += len(m.payload) - m.bytes
	m.bytes = len(m.payload)
	return l
}

// offer sends a lane's messages that are full or whose first delta was due by then, as far as there is room in flight.
func (p *publisher) offer(ctx context.Context, l *lane, then time.Duration) error {
	for l.next < len(l.waiting) && len(l.sent) < cap(l.sent) {
		if m := &l.waiting[l.next]; m.deltas < p.packing && m.first > then {
			break
		}
		if err := p.send(ctx, l); err != nil {
			return err
		}
	}
	l.compact()
	return nil
}

// push sends a lane's messages that are full, or all of them, and waits for room in flight where there is none.
func (p *publisher) push(ctx context.Context, l *lane, all bool) error {
	for l.next < len(l.waiting) && (all || l.waiting[l.next].deltas == p.packing) {
		if err := p.send(ctx, l); err != nil {
			return err
		}
	}
	l.compact()
	return nil
}

// send sends a lane's next message. Where there is no room in flight it waits.
func (p *publisher) send(ctx context.Context, l *lane) error {
	m := &l.waiting[l.next]
	payload := m.payload
	m.payload = nil
	select {
	case l.sent <- *m: // before it is acknowledged
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.next++
	p.inFlight.Add(1)
	p.waiting -= m.bytes
	l.spare = append(l.spare, payload) // the connection copies it
	if err := p.nc.PublishRequest(l.subject, l.reply, payload); err != nil {
		return fmt.Errorf("drive: publish to %s: %w", l.subject, err)
	}
	return nil
}

// compact forgets the messages that were sent, once they are the most.
func (l *lane) compact() {
	if l.next > len(l.waiting)/2 {
		l.waiting = append(l.waiting[:0], l.waiting[l.next:]...)
		l.next = 0
	}
}

// acknowledged takes in what JetStream says of the oldest message in flight of a lane.
func (p *publisher) acknowledged(msg *nats.Msg) {
	i, err := strconv.Atoi(strings.TrimPrefix(msg.Subject, p.inbox+"."))
	if err != nil {
		p.fail(fmt.Errorf("drive: an acknowledgement came to %s: %w", msg.Subject, err))
		return
	}
	l := &p.lanes[i]
	if err := refusal(msg); err != nil {
		p.fail(fmt.Errorf("drive: publish to %s: %w", l.subject, err))
		return
	}
	p.stored(<-l.sent)
	if p.inFlight.Add(-1) == 0 {
		select {
		case p.landed <- struct{}{}:
		default:
		}
	}
}

// idle reports whether all that was added is acknowledged.
func (p *publisher) idle() bool { return p.waiting == 0 && p.inFlight.Load() == 0 }

// land waits until all that was sent is acknowledged.
func (p *publisher) land(ctx context.Context) error {
	for p.inFlight.Load() > 0 {
		select {
		case <-p.landed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return context.Cause(ctx)
}

// refusal returns why a message was not stored; nil where it was.
func refusal(msg *nats.Msg) error {
	if len(msg.Data) == 0 { // the server's own word, in a header
		return nats.ErrNoResponders
	}
	const refused = `{"error"` // before all else; not looking further saves parsing all that is well
	if !strings.HasPrefix(string(msg.Data), refused) {
		return nil
	}
	var answer struct {
		Error struct{ Description string }
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return err
	}
	return errors.New(answer.Error.Description)
}
