package stream

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// followPullMax bounds how many commands a follower holds ahead of its reader.
const followPullMax = 64

// Follower reads the stream of commands for one reader, in order.
type Follower struct {
	messages jetstream.MessagesContext
}

// Follow reads the commands behind the stream sequence after; where the stream no longer
// holds that far back, from the oldest that is left. The caller closes it.
func Follow(ctx context.Context, js jetstream.JetStream, t Topology, after uint64) (*Follower, error) {
	stream := t.OutputStream(Command)
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   after + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("follow stream %s: %w", stream, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followPullMax))
	if err != nil {
		return nil, fmt.Errorf("follow stream %s: %w", stream, err)
	}
	return &Follower{messages}, nil
}

// Next waits for the next command and returns it with its stream sequence. When ctx
// ends first it returns ctx's error, and may be called again.
func (f *Follower) Next(ctx context.Context) (uint64, inventory.Command, error) {
	msg, err := f.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return 0, inventory.Command{}, err
	}
	sequence, _, ok := parseAckReply(msg.Reply())
	if !ok {
		return 0, inventory.Command{}, fmt.Errorf("reply subject %q is none of JetStream's", msg.Reply())
	}
	command, err := codec.DecodeCommand(msg.Data())
	if err != nil {
		return 0, command, fmt.Errorf("command at sequence %d: %w", sequence, err)
	}
	return sequence, command, nil
}

// Close stops reading.
func (f *Follower) Close() { f.messages.Stop() }

// LastCommand returns the stream sequence of the newest command; 0 where there was
// never one.
func LastCommand(ctx context.Context, js jetstream.JetStream, t Topology) (uint64, error) {
	now, err := streamState(ctx, js, t.OutputStream(Command))
	return now.LastSeq, err
}
