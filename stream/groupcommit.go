package stream

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The headers that say after which message of which subjects a message has to come.
const (
	headerAfterSequence = "Nats-Expected-Last-Subject-Sequence"
	headerAfterSubject  = "Nats-Expected-Last-Subject-Sequence-Subject"
)

// groupCommit lets all partitions share the syncs of one stream. One send is under way at a time, for a stream stores one message after
// the other anyway; what is given meanwhile goes as one atomic batch, which is synced once, or message by message where that is sooner.
// Where very much is waiting there are more at a time: a server takes in the next batch while it stores one.
type groupCommit struct {
	batches *batches
	ctx     context.Context
	stop    context.CancelFunc
	rounds  sync.WaitGroup

	mu      sync.Mutex
	waiting []*offer
	behind  int // messages that wait
	running int // rounds that are under way, or about to be

	// How long it takes to store one message, and a batch.
	single, batch average
}

// behindStep is how many messages must wait for each round beside the first, of which there are besidesMax at most.
const (
	behindStep = groupMessagesMax / 2
	besidesMax = 3
)

// most is how many rounds there may be beside the first. Under the lock.
func (c *groupCommit) most() int { return min(c.behind/behindStep, besidesMax) }

// offer is a group that is to be stored in its order, and what became of it.
type offer struct {
	group []*nats.Msg
	ack   *jetstream.PubAck // of the last of them
	err   error
	done  chan struct{} // closed when ack or err is there
}

// average is of what was measured lately, of which each measurement replaces an eighth.
type average time.Duration

func (a *average) add(d time.Duration) { *a += (average(d) - *a) / 8 }

const (
	// What is believed before it is measured, where each message is synced: a server makes a file of its own for a batch first.
	singleExpected = 700 * time.Microsecond
	batchExpected  = 6 * time.Millisecond

	closeGrace = time.Second
)

func newGroupCommit(js jetstream.JetStream, single, batch time.Duration) *groupCommit {
	ctx, stop := context.WithCancel(context.Background())
	return &groupCommit{batches: newBatches(js), ctx: ctx, stop: stop, single: average(single), batch: average(batch)}
}

// groupCommits are those of the streams of outputs, by kind.
type groupCommits [kinds]*groupCommit

func newGroupCommits(js jetstream.JetStream) (all groupCommits) {
	for kind := range all {
		all[kind] = newGroupCommit(js, singleExpected, batchExpected)
	}
	return all
}

func (all groupCommits) close() {
	var closing sync.WaitGroup
	for _, c := range all {
		if c != nil {
			closing.Go(c.close)
		}
	}
	closing.Wait()
}

// send stores a group in its order, in one piece with others or in several, and answers as the stream answers its last message. After
// an error nobody knows how much of it is stored. The first message of a group says what it has to follow, so that nothing is
// stored twice, and with it the rest is refused.
func (c *groupCommit) send(ctx context.Context, group []*nats.Msg) (*jetstream.PubAck, error) {
	o := &offer{group: group, done: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, o)
	c.behind += len(group)
	if c.running <= c.most() {
		c.running++
		c.rounds.Go(c.run)
	}
	c.mu.Unlock()
	select {
	case <-o.done:
		return o.ack, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close waits for what is under way, for closeGrace, and gives it up then: a server that shuts down in the middle of a batch may leave the
// files of it open. Nothing may be sent afterwards.
func (c *groupCommit) close() {
	late := time.AfterFunc(closeGrace, c.stop)
	defer late.Stop()
	c.rounds.Wait()
	c.stop()
}

// run sends what is waiting until nothing is, or not enough for so many rounds.
func (c *groupCommit) run() {
	for {
		offers, messages, together := c.take()
		if len(offers) == 0 {
			return
		}
		began := time.Now()
		if !together {
			c.apart(offers)
			c.learn(&c.single, time.Since(began)/time.Duration(messages))
		} else if c.together(offers, messages) {
			c.learn(&c.batch, time.Since(began))
		}
		for _, o := range offers {
			close(o.done)
		}
	}
}

func (c *groupCommit) learn(a *average, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.add(took)
}

// take returns what is waiting, as far as it fits into one batch, and whether it goes as one; or ends the round where nothing
// is.
func (c *groupCommit) take() (offers []*offer, messages int, together bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running > 1+c.most() {
		c.running--
		return nil, 0, false
	}
	bytes := 0
	for _, o := range c.waiting {
		for _, msg := range o.group {
			bytes += len(msg.Data)
		}
		if len(offers) > 0 && (messages+len(o.group) > groupMessagesMax || bytes > groupBytesMax) {
			break
		}
		offers = append(offers, o)
		messages += len(o.group)
	}
	c.waiting = c.waiting[len(offers):]
	c.behind -= messages
	if len(offers) == 0 {
		c.running--
	}
	return offers, messages, messages > 1 && time.Duration(messages)*time.Duration(c.single) > time.Duration(c.batch)
}

// together sends offers as one batch and reports whether that is stored. Where the stream refuses it for what one of them has to follow,
// each is sent by itself.
func (c *groupCommit) together(offers []*offer, messages int) bool {
	all := make([]*nats.Msg, 0, messages)
	for _, o := range offers {
		all = append(all, o.group...)
	}
	ack, err := c.batches.send(c.ctx, all)
	if refused := (*jetstream.APIError)(nil); len(offers) > 1 && errors.As(err, &refused) {
		for _, o := range offers {
			o.ack, o.err = c.batches.send(c.ctx, o.group)
		}
		return false
	}
	after := uint64(messages)
	for _, o := range offers {
		after -= uint64(len(o.group))
		if o.err = err; err == nil {
			own := *ack
			own.Sequence -= after
			o.ack = &own
		}
	}
	return err == nil
}

// apart sends the offers side by side, each message by message.
func (c *groupCommit) apart(offers []*offer) {
	var sending sync.WaitGroup
	for _, o := range offers {
		sending.Go(func() { o.ack, o.err = c.each(o.group) })
	}
	sending.Wait()
}

// each sends a group message by message: each has to follow the one before, or has an id of its own.
func (c *groupCommit) each(group []*nats.Msg) (ack *jetstream.PubAck, err error) {
	for i, msg := range group {
		if i > 0 {
			follow(msg, group[0].Header.Get(headerAfterSubject), ack.Sequence)
		}
		if ack, err = c.batches.send(c.ctx, group[i:i+1]); err != nil || ack.Duplicate {
			return ack, err
		}
	}
	return ack, nil
}

// follow makes the stream refuse msg, and the group that it begins, where the last message that matches filter is another than that of
// the sequence. Where there is no filter, it refuses an output that it has.
func follow(msg *nats.Msg, filter string, sequence uint64) {
	if filter == "" {
		msg.Header[jetstream.MsgIDHeader] = msg.Header[HeaderOutput]
		return
	}
	msg.Header[headerAfterSequence] = []string{strconv.FormatUint(sequence, 10)}
	msg.Header[headerAfterSubject] = []string{filter}
}
