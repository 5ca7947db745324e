package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// An Update is one command to obey.
type Update struct {
	Command inventory.Command

	// Sequence is the command's place in the stream: give the last one that you have
	// dealt with to [After] to go on from there. It is 0 for a command that came from
	// the directives in force; who stops before the first one above 0 starts anew.
	Sequence uint64
}

type commandsConfig struct {
	prefix    string
	after     uint64
	channels  []string
	skus      []string
	locations []string
}

// After resumes behind the stream sequence of an [Update] that was dealt with, without
// the directives in force. Where the stream has since dropped what follows it, the
// directives come first after all, and stand for what was missed. Default 0: begin
// with the directives.
func After(sequence uint64) CommandsOption {
	return commandsOption(func(c *commandsConfig) { c.after = sequence })
}

// Channels keeps commands for these channels only. Default all. The server filters,
// so the rest costs no traffic.
func Channels(names ...string) CommandsOption {
	return commandsOption(func(c *commandsConfig) { c.channels = names })
}

// SKUs keeps commands for these SKUs only. Default all.
func SKUs(names ...string) CommandsOption {
	return commandsOption(func(c *commandsConfig) { c.skus = names })
}

// Locations keeps commands for these locations, and those that bind the whole
// network, which bind them too. Default all.
func Locations(names ...string) CommandsOption {
	return commandsOption(func(c *commandsConfig) { c.locations = names })
}

func (c *commandsConfig) wants(cmd *inventory.Command) bool {
	return (len(c.channels) == 0 || slices.Contains(c.channels, cmd.Channel)) &&
		(len(c.skus) == 0 || slices.Contains(c.skus, cmd.SKU)) &&
		(len(c.locations) == 0 || cmd.Location == inventory.Network || slices.Contains(c.locations, cmd.Location))
}

// subjects returns the filter by channel; of holdfast.command.<partition>.<channel>.<action>
// the server needs look no further.
func (c *commandsConfig) subjects() []string {
	if len(c.channels) == 0 {
		return []string{c.prefix + ".command.>"}
	}
	var all []string
	for _, ch := range c.channels {
		if s := c.prefix + ".command.*." + codec.Token(ch) + ".*"; !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Commands yields what a channel must obey: first the commands in force, in no
// order, then each new one as it comes, until ctx ends, the loop is left, or an
// error is yielded, which is the last thing it does (ctx's own included). Outages
// of NATS are waited out.
//
// For one channel, SKU and location the revisions only rise: a command that another
// has overtaken is left out, whichever way it came. Commands lapse at ExpiresAt
// by themselves; nothing is yielded then.
//
// There is no gap between the directives and the stream. The bucket is filled from
// the stream by a durable consumer that acknowledges a command after it has been put, so all
// up to that consumer's floor is in the bucket. The floor is read first, the bucket
// next, and the stream is followed from the floor on; what came in twice is known by
// its revision. Memory: about 200 bytes for each channel, SKU and location seen.
func Commands(ctx context.Context, nc *nats.Conn, opts ...CommandsOption) iter.Seq2[Update, error] {
	cfg := commandsConfig{prefix: defaultPrefix}
	for _, o := range opts {
		o.applyToCommands(&cfg)
	}
	return func(yield func(Update, error) bool) {
		f := follower{cfg: cfg, yield: yield, revisions: make(map[binding]uint64)}
		if err := f.run(ctx, nc); !errors.Is(err, errLeft) {
			yield(Update{}, err)
		}
	}
}

// errLeft says that the caller has left the loop: nothing may be yielded any more.
var errLeft = errors.New("client: loop left")

// binding is what a revision counts for.
type binding struct{ channel, sku, location string }

// follower is one run of [Commands].
type follower struct {
	cfg       commandsConfig
	yield     func(Update, error) bool
	js        jetstream.JetStream
	revisions map[binding]uint64 // of the last command yielded
}

func (f *follower) run(ctx context.Context, nc *nats.Conn) error {
	if err := checkPrefix(f.cfg.prefix); err != nil {
		return err
	}
	var err error
	if f.js, err = jetstream.New(nc); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	start, err := f.begin(ctx)
	if err != nil {
		return err
	}
	r := reader{
		js: f.js, stream: commandStream(f.cfg.prefix), subjects: f.cfg.subjects(),
		policy: jetstream.DeliverByStartSequencePolicy, next: start,
	}
	defer r.close(ctx)
	for {
		msg, meta, err := r.read(ctx)
		if err != nil {
			return err
		}
		if err := f.pass(msg.Data(), meta.Sequence.Stream); err != nil {
			return fmt.Errorf("client: %s sequence %d: %w", r.stream, meta.Sequence.Stream, err)
		}
	}
}

// begin returns the sequence from which to follow the stream, having yielded what
// is in force before it where that is not simply the caller's own.
func (f *follower) begin(ctx context.Context) (uint64, error) {
	name := commandStream(f.cfg.prefix)
	stream, err := f.js.Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("client: stream %s: %w; is holdfast running there, with that prefix?", name, err)
	}
	if after := f.cfg.after; after > 0 {
		state := stream.CachedInfo().State
		if after > state.LastSeq {
			return 0, fmt.Errorf("client: stream %s ends at %d, before the sequence %d to go on after: it was made anew or has lost its tail; start without After", name, state.LastSeq, after)
		}
		if after+1 >= state.FirstSeq {
			return after + 1, nil
		}
	}
	var floor uint64
	projector, err := stream.Consumer(ctx, directivesName)
	switch {
	case err == nil:
		floor = projector.CachedInfo().AckFloor.Stream
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		// No directive was ever put: everything is still in the stream.
	default:
		return 0, fmt.Errorf("client: consumer %s of stream %s: %w", directivesName, name, err)
	}
	return floor + 1, f.inForce(ctx)
}

// inForce yields the directives' bucket. It reads the bucket's stream by pulling, as
// a watcher of the bucket would be pushed more than a slow loop can take.
func (f *follower) inForce(ctx context.Context) error {
	bucket := directivesBucket(f.cfg.prefix)
	stream, err := f.js.Stream(ctx, "KV_"+bucket)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("client: bucket %s: %w", bucket, err)
	}
	last := stream.CachedInfo().State.LastSeq
	if stream.CachedInfo().State.Msgs == 0 {
		return nil
	}
	r := reader{
		js: f.js, stream: "KV_" + bucket, subjects: []string{"$KV." + bucket + ".>"},
		policy: jetstream.DeliverLastPerSubjectPolicy,
	}
	defer r.close(ctx)
	for {
		msg, meta, err := r.read(ctx)
		if err != nil {
			return err
		}
		if isValue(msg) {
			if err := f.pass(msg.Data(), 0); err != nil {
				return fmt.Errorf("client: bucket %s, %s: %w", bucket, msg.Subject(), err)
			}
		}
		if meta.Sequence.Stream >= last || meta.NumPending == 0 {
			return nil
		}
	}
}

// isValue reports whether a bucket's message is a value, not the mark of a
// deleted or expired one.
func isValue(msg jetstream.Msg) bool {
	h := msg.Headers()
	return h.Get("KV-Operation") == "" && h.Get("Nats-Marker-Reason") == ""
}

// pass yields the command in payload where it is wanted and news.
func (f *follower) pass(payload []byte, sequence uint64) error {
	cmd, err := codec.DecodeCommand(payload)
	if err != nil {
		return fmt.Errorf("not a command that this version of the client can read: %w", err)
	}
	if !f.cfg.wants(&cmd) {
		return nil
	}
	b := binding{cmd.Channel, cmd.SKU, cmd.Location}
	if seen, ok := f.revisions[b]; ok && cmd.Revision <= seen {
		return nil
	}
	f.revisions[b] = cmd.Revision
	if !f.yield(Update{Command: cmd, Sequence: sequence}, nil) {
		return errLeft
	}
	return nil
}
