package handwritten

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	durable = "handwritten"

	// What is pulled at once, by each partition: packed messages are large, and the server drops a client
	// that lets 64 MiB wait.
	pullMessages = 5000
	pullBytes    = 1 << 20

	ackPendingMax = 4 * pullMessages
	ackWait       = 2 * time.Minute
)

// consumer handles the messages of one partition, on the one goroutine that the client library gives it.
type consumer struct {
	*run
	ctx       context.Context
	partition *partition
	stream    string
	consuming jetstream.ConsumeContext

	reader    bytes.Reader
	dec       *msgpack.Decoder
	delta     delta
	did       Result                   // with the message at hand
	published []jetstream.PubAckFuture // for it, and not known to be stored
}

func (r *run) consume(ctx context.Context, db *pebble.DB, number int) (c *consumer, err error) {
	c = &consumer{run: r, ctx: ctx}
	c.dec = msgpack.NewDecoder(&c.reader)
	c.partition = openPartition(db, number, c.command)
	if c.stream, err = r.js.StreamNameBySubject(ctx, fmt.Sprintf("%s.delta.%d", r.config.Prefix, number)); err != nil {
		return nil, err
	}
	pull, err := r.js.CreateOrUpdateConsumer(ctx, c.stream, jetstream.ConsumerConfig{
		Durable:       durable,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxAckPending: ackPendingMax,
	})
	if err != nil {
		return nil, err
	}
	c.consuming, err = pull.Consume(c.handle, jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes))
	return c, err
}

// close waits for the message at hand and removes the durable.
func (c *consumer) close(ctx context.Context) {
	c.consuming.Stop()
	<-c.consuming.Closed()
	if err := c.js.DeleteConsumer(ctx, c.stream, durable); err != nil {
		c.fail(err)
	}
}

// handle applies a message and acknowledges it once what it did is written, and stored where it said something.
func (c *consumer) handle(msg jetstream.Msg) {
	if c.partition.err != nil {
		return
	}
	c.did = Result{}
	c.apply(msg.Data())
	c.awaitStored()
	if err := c.partition.err; err != nil {
		c.fail(fmt.Errorf("partition %d: %w", c.partition.number, err))
		return
	}
	c.partition.err = msg.Ack()
	c.add(c.did)
}

// apply applies all deltas of a message.
func (c *consumer) apply(payload []byte) {
	c.reader.Reset(payload)
	c.dec.Reset(&c.reader)
	for c.did.Deltas == 0 || c.reader.Len() > 0 {
		c.did.Deltas++
		rest := payload[len(payload)-c.reader.Len():]
		if err := c.delta.decode(c.dec); err != nil {
			// Where the next one begins is not known.
			c.reject(rest, &inventory.Invalid{Reason: inventory.Malformed, Detail: err.Error()})
			return
		}
		switch became, bad := c.partition.take(&c.delta); became {
		case applied:
			c.did.Applied++
		case duplicate:
			c.did.Duplicates++
		case rejected:
			c.reject(rest[:len(rest)-c.reader.Len()], bad)
		}
	}
}

// reject publishes a delta that can't be used.
func (c *consumer) reject(raw []byte, bad *inventory.Invalid) {
	c.did.Rejected++
	c.publish("rejected."+string(bad.Reason), bytes.Clone(raw))
}

// command publishes a command.
func (c *consumer) command(command *inventory.Command) {
	c.did.Commands++
	data, err := json.Marshal(command)
	if err != nil {
		c.partition.err = err
		return
	}
	channel := strings.NewReplacer(".", "_", "*", "_", ">", "_", " ", "_").Replace(command.Channel)
	c.publish(fmt.Sprintf("command.%d.%s.%s", c.partition.number, channel, command.Action), data)
}

func (c *consumer) publish(subject string, data []byte) {
	future, err := c.js.PublishAsync(c.config.Prefix+".handwritten."+subject, data)
	if err != nil {
		c.partition.err = err
		return
	}
	c.published = append(c.published, future)
}

// awaitStored waits until the stream has what was published.
func (c *consumer) awaitStored() {
	for _, future := range c.published {
		select {
		case <-future.Ok():
		case c.partition.err = <-future.Err():
		case <-c.ctx.Done():
			c.partition.err = c.ctx.Err()
		}
	}
	clear(c.published)
	c.published = c.published[:0]
}
