package role

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// Storm is a bad feed: it sells, at once, one unit of each of many SKUs that nobody has, so that
// each trips an exception and makes one command.
const Storm = "storm"

// Run is the question whose answer is what became of a role's work.
const Run = "run"

// StormConfig configures a [Storm].
type StormConfig struct {
	URL        string
	Prefix     string
	Exceptions int
	Packing    int              // deltas a message, at most
	Time       inventory.Millis // event time of all
}

// Stormed answers [Run]. All times are from the moment at which all deltas were due.
type Stormed struct {
	Published   time.Duration // until JetStream had them all
	First, Last time.Duration // until the command was received
}

// stormSKU begins the SKUs of a storm.
const stormSKU = "storm-"

// stormMax bounds the wait for the commands.
const stormMax = 5 * time.Minute

func playStorm(ctx context.Context, h *process.Host) error {
	var c StormConfig
	if err := h.Config(&c); err != nil {
		return err
	}
	nc, err := nats.Connect(c.URL, nats.Name("bench storm"))
	if err != nil {
		return err
	}
	defer nc.Close()
	listening, err := nats.Connect(c.URL, nats.Name("bench storm receiver"))
	if err != nil {
		return err
	}
	defer listening.Close()
	producer, err := client.NewProducer(nc, client.Prefix(c.Prefix), client.MessageDeltas(c.Packing))
	if err != nil {
		return err
	}
	if err := h.Ready(nil); err != nil {
		return err
	}
	return h.Serve(ctx, map[string]process.Handler{
		Run: func(ctx context.Context) (any, error) { return storm(ctx, c, producer, listening) },
	})
}

func storm(ctx context.Context, c StormConfig, producer *client.Producer, listening *nats.Conn) (s Stormed, err error) {
	ctx, cancel := context.WithTimeout(ctx, stormMax)
	defer cancel()
	// The subscription's goroutine writes times before it closes done.
	var due time.Time
	var first, last time.Time
	seen, done := 0, make(chan struct{})
	sub, err := listening.Subscribe(c.Prefix+".command.>", func(msg *nats.Msg) {
		command, err := codec.DecodeCommand(msg.Data)
		if err != nil || !strings.HasPrefix(command.SKU, stormSKU) || seen == c.Exceptions {
			return // the network goes on beside the storm
		}
		last = time.Now()
		if seen == 0 {
			first = last
		}
		if seen++; seen == c.Exceptions {
			close(done)
		}
	})
	if err != nil {
		return s, err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return s, err
	}
	if err := listening.Flush(); err != nil {
		return s, err
	}
	due = time.Now()
	for i := range c.Exceptions {
		d := inventory.Delta{
			ID: strconv.Itoa(i), Source: "bad-feed", Time: c.Time,
			SKU: stormSKU + strconv.Itoa(i), Location: "store-10",
			Kind: inventory.Sale, Channel: "web", Quantity: 1,
		}
		if err := producer.Publish(ctx, &d); err != nil {
			return s, err
		}
	}
	if err := producer.Close(ctx); err != nil {
		return s, err
	}
	s.Published = time.Since(due)
	select {
	case <-done:
	case <-ctx.Done():
		return s, fmt.Errorf("not all %d commands came: %w", c.Exceptions, ctx.Err())
	}
	s.First, s.Last = first.Sub(due), last.Sub(due)
	return s, nil
}
