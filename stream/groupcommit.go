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

// groupCommit lets all partitions share the syncs of one stream, which stores one message after the other. While all that is under way
// would be stored message by message in less time than a batch takes, what is given goes at once. Else it waits for what is under
// way and goes as one atomic batch, which is synced once. Where very much is waiting there are several batches at a time: a server
// takes in the next while it stores one.
type groupCommit struct {
	sender *batches
	ctx    context.Context
	stop   context.CancelFunc
	rounds sync.WaitGroup

	mu      sync.Mutex
	waiting []*offer
	behind  int // messages that wait
	running int // rounds that are under way, or about to be
	singles int // messages under way one by one
	batches int // batches under way

	// How long it takes to store one message, and a batch.
	single, batch average
}

// behindStep is how many messages must wait for each round beside the first, of which there are besidesMax at most.
const (
	behindStep = groupMessagesMax / 2
	besidesMax = 3
)

// most is how many rounds there may be beside the first. Under the lock.
func (c *groupCommit) most() int {
	if c.batches == 0 && c.sooner(c.behind) {
		return c.running
	}
	return min(c.behind/behindStep, besidesMax)
}

// sooner reports whether so many messages are stored one by one, behind those that are under way, before a batch would be. Under
// the lock.
func (c *groupCommit) sooner(messages int) bool {
	return time.Duration(c.singles+messages)*time.Duration(c.single) <= time.Duration(c.batch)
}

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
	return &groupCommit{sender: newBatches(js), ctx: ctx, stop: stop, single: average(single), batch: average(batch)}
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

// round is what is sent at a time; without offers there is nothing to send.
type round struct {
	offers   []*offer
	messages int
	together bool // as one batch
	singles  int  // messages that are under way one by one with them, their own included; 0: a batch is, too
}

// run sends what is waiting until nothing is, or not enough for so many rounds.
func (c *groupCommit) run() {
	for {
		r := c.take()
		if len(r.offers) == 0 {
			return
		}
		began := time.Now()
		stored := true
		if r.together {
			stored = c.together(r)
		} else {
			c.apart(r)
		}
		c.ended(r, stored, time.Since(began))
		for _, o := range r.offers {
			close(o.done)
		}
	}
}

// take begins a round with what is waiting, as far as it fits into one batch; or ends the rounds where nothing is.
func (c *groupCommit) take() (r round) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running > 1+c.most() {
		c.running--
		return round{}
	}
	bytes := 0
	for _, o := range c.waiting {
		for _, msg := range o.group {
			bytes += len(msg.Data)
		}
		if len(r.offers) > 0 && (r.messages+len(o.group) > groupMessagesMax || bytes > groupBytesMax) {
			break
		}
		r.offers = append(r.offers, o)
		r.messages += len(o.group)
	}
	c.waiting = c.waiting[len(r.offers):]
	c.behind -= r.messages
	switch {
	case len(r.offers) == 0:
		c.running--
	case r.messages > 1 && !c.sooner(r.messages):
		r.together = true
		c.batches++
	default:
		c.singles += r.messages
		if c.batches == 0 {
			r.singles = c.singles
		}
	}
	return r
}

// ended learns from a round what it takes to store a batch, or one of the messages that were under way together.
func (c *groupCommit) ended(r round, stored bool, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.together {
		c.batches--
		if stored {
			c.batch.add(took)
		}
		return
	}
	c.singles -= r.messages
	if r.singles > 0 {
		c.single.add(took / time.Duration(r.singles))
	}
}

// together sends offers as one batch and reports whether that is stored. Where the stream refuses it for what one of them has to follow,
// each is sent by itself.
func (c *groupCommit) together(r round) (stored bool) {
	all := make([]*nats.Msg, 0, r.messages)
	for _, o := range r.offers {
		all = append(all, o.group...)
	}
	ack, err := c.sender.send(c.ctx, all)
	if refused := (*jetstream.APIError)(nil); len(r.offers) > 1 && errors.As(err, &refused) {
		for _, o := range r.offers {
			o.ack, o.err = c.sender.send(c.ctx, o.group)
		}
		return false
	}
	after := uint64(r.messages)
	for _, o := range r.offers {
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
func (c *groupCommit) apart(r round) {
	var sending sync.WaitGroup
	for _, o := range r.offers {
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
		if ack, err = c.sender.send(c.ctx, group[i:i+1]); err != nil || ack.Duplicate {
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
