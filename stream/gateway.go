package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// gatewayBytesMax bounds what all lanes hold, and, once more, what waits before
	// them. A lane's share is never less than two messages.
	gatewayBytesMax = 64 << 20

	// gatewayPatience is for how long a message that can't be stored is tried again.
	// Then whoever asked is told, and may ask again: what comes twice is known by its id.
	gatewayPatience = 10 * time.Second

	// gatewayIDBytesMax leaves room for other headers in what a stream allows.
	gatewayIDBytesMax = headerBytesMax / 2

	// gatewayDrainMax bounds Close. Nothing waits in a lane for longer than
	// gatewayPatience and one attempt.
	gatewayDrainMax = gatewayPatience + 2*publishTimeout
)

// Gateway stores the deltas of those who know no partition. What is published to
// <prefix>.in.<token> is forwarded to the partitions of its SKUs:
//
//   - A delta goes by its own SKU, whatever the token in the subject says. A payload
//     whose deltas are of several partitions is split into one message for each.
//   - A tick without a SKU goes to every partition.
//   - A payload of more than 512 KiB, or of more deltas than a message may have, is refused.
//   - What is no delta goes to the partition of the token in the subject, whole, and is
//     rejected there with its reason.
//
// What one publisher sends is stored in that order in each partition. A Nats-Msg-Id is
// kept where the payload goes whole to one partition; parts have it with "-<partition>"
// behind it. Other headers are not kept.
//
// A request is answered once all of it is stored:
//
//	{"stored":true,"partition":3,"sequence":17}
//	{"stored":true,"positions":[{"partition":3,"sequence":17},{"partition":5,"sequence":4}]}
//	{"stored":false,"error":"…"}
//
// After an error some of it may be stored all the same, and sending it again is safe. The answer goes to inboxes
// alone, which by custom begin with "_": this process may publish where whoever asked may not, such as to a log, a
// person's decisions or JetStream's own subjects.
// What was not sent as a request and can't be stored is logged and counted: core NATS
// promises its publisher nothing. Several processes share the work.
type Gateway struct {
	nc       *nats.Conn
	topology Topology
	log      *slog.Logger
	patience time.Duration
	lanes    []*gatewayLane // by partition
	sub      *nats.Subscription
	drained  chan struct{} // closed when the subscription has handed over its last message

	stop context.CancelFunc
	done sync.WaitGroup

	accepted   atomic.Uint64
	refused    atomic.Uint64
	complaints seldom

	batch codec.Batch // the subscription's goroutine alone
}

// StartGateway subscribes and forwards until Close. The streams have to be there.
func StartGateway(nc *nats.Conn, js jetstream.JetStream, t Topology, log *slog.Logger) (*Gateway, error) {
	if log == nil {
		log = slog.Default()
	}
	return startGateway(nc, js, t, log, gatewayPatience)
}

func startGateway(nc *nats.Conn, js jetstream.JetStream, t Topology, log *slog.Logger, patience time.Duration) (*Gateway, error) {
	run, stop := context.WithCancel(context.Background())
	g := &Gateway{nc: nc, topology: t, log: log, patience: patience, drained: make(chan struct{}), stop: stop}
	share := max(gatewayBytesMax/t.Partitions, 2*PayloadBytesMax)
	for p := range t.Partitions {
		lane := newGatewayLane(js, t.DeltaSubject(p), t.DeltaStream(p), p, share)
		g.lanes = append(g.lanes, lane)
		g.done.Go(func() { lane.run(run) })
	}
	sub, err := nc.QueueSubscribe(t.InSubjects(), t.Prefix+"-gateway", g.handle)
	if err == nil {
		sub.SetClosedHandler(func(string) { close(g.drained) })
		err = errors.Join(sub.SetPendingLimits(-1, gatewayBytesMax), nc.FlushTimeout(publishTimeout))
	}
	if err != nil {
		stop()
		g.done.Wait()
		if sub != nil {
			err = errors.Join(err, sub.Unsubscribe())
		}
		return nil, fmt.Errorf("subscribe to %s: %w", t.InSubjects(), err)
	}
	g.sub = sub
	return g, nil
}

// Accepted is how many messages were stored whole since the start.
func (g *Gateway) Accepted() uint64 { return g.accepted.Load() }

// Refused is how many messages could not be stored since the start, those included
// that came faster than they could be taken.
func (g *Gateway) Refused() uint64 {
	dropped, err := g.sub.Dropped()
	if err != nil {
		dropped = 0 // the subscription is closed
	}
	return g.refused.Load() + uint64(dropped)
}

// Close takes nothing more, stores what it has, answers those who asked, and returns.
// Without a connection it can do none of that and gives up what it has.
func (g *Gateway) Close() error {
	connected, leave := g.nc.IsConnected(), g.sub.Drain
	if !connected {
		leave = g.sub.Unsubscribe
		g.stop()
	}
	if err := leave(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("gateway: leave %s: %w", g.topology.InSubjects(), err)
	}
	stop := time.AfterFunc(gatewayDrainMax, g.stop)
	defer stop.Stop()
	<-g.drained
	for _, lane := range g.lanes {
		lane.close()
	}
	g.done.Wait()
	g.stop()
	if !connected {
		return nil
	}
	return g.nc.FlushTimeout(publishTimeout) // the answers
}

// handle forwards one message. It runs on the subscription's goroutine, so the order
// of messages is the order in which the lanes get them.
func (g *Gateway) handle(msg *nats.Msg) {
	id := msg.Header.Get(jetstream.MsgIDHeader)
	switch {
	case len(msg.Data) > PayloadBytesMax:
		g.refuse(msg, fmt.Errorf("a payload of %d bytes: %d are allowed", len(msg.Data), PayloadBytesMax))
		return
	case len(id) > gatewayIDBytesMax:
		g.refuse(msg, fmt.Errorf("a %s of %d bytes: %d are allowed", jetstream.MsgIDHeader, len(id), gatewayIDBytesMax))
		return
	}
	parts := g.split(msg)
	if g.batch.Full {
		g.refuse(msg, fmt.Errorf("more than %d deltas in a payload: send them in several", codec.MessageItemsMax))
		return
	}
	r := &receipt{gateway: g, msg: msg, missing: len(parts)}
	expires := time.Now().Add(g.patience)
	for _, part := range parts {
		c := consignment{data: part.data, items: part.items, alone: part.bad || id != "", expires: expires, receipt: r}
		if id != "" {
			c.id = id
			if len(parts) > 1 {
				c.id += "-" + strconv.Itoa(part.partition)
			}
		}
		g.lanes[part.partition].add(c)
	}
}

// part is what one partition gets of a payload.
type part struct {
	partition int
	data      []byte
	items     int
	bad       bool // there is something in it that is no delta
}

// split divides a payload by partition, in the order of the first item of each. Every
// item takes along what follows it up to the next, so that text that is broken up to
// its line's end stays just that.
func (g *Gateway) split(msg *nats.Msg) []part {
	g.batch.Reset()
	g.batch.ItemsMax = codec.MessageItemsMax
	g.batch.Decode(msg.Data)
	b, strays := &g.batch, g.subjectPartition(msg.Subject)
	var parts []part
	byPartition := make(map[int]int, 1)
	add := func(partition int, item []byte, bad bool) {
		i, ok := byPartition[partition]
		if !ok {
			i = len(parts)
			byPartition[partition] = i
			parts = append(parts, part{partition: partition})
		}
		parts[i].data = append(parts[i].data, item...)
		parts[i].items++
		parts[i].bad = parts[i].bad || bad
	}
	bad := b.Bad
	for i := range b.Deltas {
		d, end := &b.Deltas[i], len(msg.Data)
		if i+1 < len(b.Deltas) {
			end = b.Spans[i+1].Start
		}
		item := msg.Data[b.Spans[i].Start:end]
		switch {
		case len(bad) > 0 && bad[0].Index == i:
			bad = bad[1:]
			add(strays, item, true)
		case d.Kind == inventory.Tick && d.SKU == "":
			for p := range g.topology.Partitions {
				add(p, item, false)
			}
		default:
			add(codec.Partition(d.SKU, g.topology.Partitions), item, false)
		}
	}
	if len(parts) == 1 {
		parts[0].data = msg.Data // as it came
	}
	return parts
}

// subjectPartition is the partition of the token at the end of a subject.
func (g *Gateway) subjectPartition(subject string) int {
	token := strings.TrimPrefix(subject, g.topology.Prefix+".in.")
	sku, err := codec.ParseToken(token)
	if err != nil {
		sku = token // any partition will do, so long as it is always the same
	}
	return codec.Partition(sku, g.topology.Partitions)
}

// refuse tells whoever asked that nothing was stored.
func (g *Gateway) refuse(msg *nats.Msg, err error) {
	g.refused.Add(1)
	if g.complaints.now() {
		g.log.Warn("deltas were not stored", "subject", msg.Subject, "bytes", len(msg.Data), "refused", g.refused.Load(), "error", err)
	}
	g.answer(msg, reply{Error: err.Error()})
}

func (g *Gateway) answer(msg *nats.Msg, r reply) {
	if msg.Reply == "" {
		return
	}
	err := g.checkInbox(msg.Reply)
	var data []byte
	if err == nil {
		data, err = json.Marshal(r)
	}
	if err == nil {
		err = msg.Respond(data)
	}
	if err != nil && g.complaints.now() {
		g.log.Warn("an answer was not given", "subject", msg.Subject, "error", err)
	}
}

func (g *Gateway) checkInbox(subject string) error {
	if !strings.HasPrefix(subject, "_") || strings.HasPrefix(subject, g.topology.Prefix+".") {
		return fmt.Errorf("reply subject %q is no inbox: let it begin with _INBOX, as client libraries do", subject)
	}
	return nil
}

// reply is the answer to a request.
type reply struct {
	Stored bool `json:"stored"`
	*storedAt
	Positions []storedAt `json:"positions,omitempty"`
	Error     string     `json:"error,omitempty"`
}

type storedAt struct {
	Partition int    `json:"partition"`
	Sequence  uint64 `json:"sequence"`
}

// receipt gathers what became of the parts of one message, on the lanes' goroutines.
type receipt struct {
	gateway *Gateway
	msg     *nats.Msg

	mu        sync.Mutex
	missing   int
	positions []storedAt
	err       error
}

func (r *receipt) stored(at storedAt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.positions = append(r.positions, at)
	r.settle()
}

func (r *receipt) lost(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	r.settle()
}

// settle answers when nothing is missing any more. Under the lock.
func (r *receipt) settle() {
	if r.missing--; r.missing > 0 {
		return
	}
	if r.err != nil {
		r.gateway.refuse(r.msg, r.err)
		return
	}
	r.gateway.accepted.Add(1)
	slices.SortFunc(r.positions, func(a, b storedAt) int { return a.Partition - b.Partition })
	if len(r.positions) == 1 {
		r.gateway.answer(r.msg, reply{Stored: true, storedAt: &r.positions[0]})
		return
	}
	r.gateway.answer(r.msg, reply{Stored: true, Positions: r.positions})
}
