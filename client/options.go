package client

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/codec"
)

// Bounds that no option can pass.
const (
	// PayloadBytesMax is the contract's limit for one message.
	PayloadBytesMax = 512 << 10

	// messageBytesMin leaves room for the greatest delta that validates, about
	// 5 KiB with 1 KiB of one-letter attrs.
	messageBytesMin = 8 << 10
)

// defaultPrefix is the first token of holdfast's subjects.
const defaultPrefix = "holdfast"

// A ProducerOption changes one default of [NewProducer].
type ProducerOption interface{ applyToProducer(*producerConfig) }

// A CommandsOption changes one default of [Commands].
type CommandsOption interface{ applyToCommands(*commandsConfig) }

type producerConfig struct {
	prefix          string
	partitions      int // 0: read from the streams
	messageBytes    int
	messageDeltas   int
	bufferBytes     int // a lane
	ackTimeout      time.Duration
	backoffMin      time.Duration
	backoffMax      time.Duration
	retryFor        time.Duration // 0: until the producer is closed
	discoverTimeout time.Duration
}

func defaultProducerConfig() producerConfig {
	return producerConfig{
		prefix:          defaultPrefix,
		messageBytes:    128 << 10,
		messageDeltas:   256,
		bufferBytes:     1 << 20,
		ackTimeout:      5 * time.Second,
		backoffMin:      10 * time.Millisecond,
		backoffMax:      2 * time.Second,
		discoverTimeout: 5 * time.Second,
	}
}

type producerOption func(*producerConfig)

func (o producerOption) applyToProducer(c *producerConfig) { o(c) }

type commandsOption func(*commandsConfig)

func (o commandsOption) applyToCommands(c *commandsConfig) { o(c) }

// PrefixOption is what [Prefix] returns; it suits producers and subscribers.
type PrefixOption string

func (o PrefixOption) applyToProducer(c *producerConfig) { c.prefix = string(o) }
func (o PrefixOption) applyToCommands(c *commandsConfig) { c.prefix = string(o) }

// Prefix sets the first token of subjects, streams and buckets, as given to
// holdfast by --prefix. Default "holdfast".
func Prefix(prefix string) PrefixOption { return PrefixOption(prefix) }

// Partitions sets how many partitions the deployment has. The default is to read
// it from the first delta stream's metadata, which needs the right to ask for that
// stream's info; tell it where a producer shall not have that right. A wrong
// number sends deltas to partitions that refuse them.
func Partitions(n int) ProducerOption {
	return producerOption(func(c *producerConfig) { c.partitions = n })
}

// MessageBytes bounds a message's payload, from 8 KiB to [PayloadBytesMax]. Default
// 128 KiB: past some 32 KiB a larger message gains little, and the server's own
// limit is 1 MiB.
func MessageBytes(n int) ProducerOption {
	return producerOption(func(c *producerConfig) { c.messageBytes = n })
}

// MessageDeltas bounds the deltas in one message, to [codec.MessageItemsMax] at most. Default 256: it is where packing
// was measured to pay in full (about 32 KiB), and what is applied, logged and
// replayed as one stays small.
func MessageDeltas(n int) ProducerOption {
	return producerOption(func(c *producerConfig) { c.messageDeltas = n })
}

// BufferBytes bounds what a lane holds that is not acknowledged yet; Publish blocks
// above it. A lane may exceed it by one delta. Default 1 MiB a lane (partition):
// eight full messages, so that a lane never runs dry behind a round trip.
func BufferBytes(n int) ProducerOption {
	return producerOption(func(c *producerConfig) { c.bufferBytes = n })
}

// AckTimeout bounds the wait for one acknowledgement before the message is sent
// again. Default 5 s: longer than an election of a stream's leader, shorter than
// anybody's patience.
func AckTimeout(d time.Duration) ProducerOption {
	return producerOption(func(c *producerConfig) { c.ackTimeout = d })
}

// Backoff bounds the pause between attempts; it doubles from least to most, with
// jitter, so that the lanes of many producers do not return in step. Default
// 10 ms to 2 s.
func Backoff(least, most time.Duration) ProducerOption {
	return producerOption(func(c *producerConfig) { c.backoffMin, c.backoffMax = least, most })
}

// RetryFor bounds how long one message is tried. After that its lane gives up for
// good, because going on would break the order of its SKUs, and every call that
// concerns it returns the error. Default 0, until the producer is closed: a producer
// that waits out an outage loses nothing, and its callers have contexts.
func RetryFor(d time.Duration) ProducerOption {
	return producerOption(func(c *producerConfig) { c.retryFor = d })
}

func (c *producerConfig) check() error {
	if err := checkPrefix(c.prefix); err != nil {
		return err
	}
	switch {
	case c.partitions < 0:
		return fmt.Errorf("client: %d partitions: the number is 1 or more", c.partitions)
	case c.messageBytes < messageBytesMin || c.messageBytes > PayloadBytesMax:
		return fmt.Errorf("client: MessageBytes %d is not between %d and %d", c.messageBytes, messageBytesMin, PayloadBytesMax)
	case c.messageDeltas < 1 || c.messageDeltas > codec.MessageItemsMax:
		return fmt.Errorf("client: MessageDeltas %d: a message carries from 1 to %d", c.messageDeltas, codec.MessageItemsMax)
	case c.bufferBytes < 1:
		return fmt.Errorf("client: BufferBytes %d: the bound is 1 or more", c.bufferBytes)
	case c.ackTimeout <= 0:
		return fmt.Errorf("client: AckTimeout %s: it is above 0", c.ackTimeout)
	case c.backoffMin <= 0 || c.backoffMax < c.backoffMin:
		return fmt.Errorf("client: Backoff from %s to %s: the first is above 0, the second not below it", c.backoffMin, c.backoffMax)
	case c.retryFor < 0:
		return fmt.Errorf("client: RetryFor %s: it is 0 (until closed) or above", c.retryFor)
	}
	return nil
}

// checkPrefix accepts what can be both a subject token and, in upper case, the
// beginning of a stream's name.
func checkPrefix(prefix string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if prefix == "" || strings.Trim(prefix, allowed) != "" {
		return fmt.Errorf("client: prefix %q: it is made of letters, digits, _ and -", prefix)
	}
	return nil
}
