package stream

import (
	"context"
	"crypto/rand"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The headers of an atomic batch (ADR-50).
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// batches sends groups of messages to a stream, each all of it or nothing.
type batches struct {
	js      jetstream.JetStream
	process string        // begins the id of every batch
	begun   atomic.Uint64 // how many were
}

func newBatches(js jetstream.JetStream) *batches { return &batches{js: js, process: rand.Text()} }

// send stores a group and answers as the stream answers its last message. After an error nobody knows whether it is stored.
func (b *batches) send(ctx context.Context, group []*nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	last := len(group) - 1
	if last > 0 {
		batch := b.process + "-" + strconv.FormatUint(b.begun.Add(1), 10)
		for i, msg := range group {
			msg.Header[headerBatchID] = []string{batch}
			msg.Header[headerBatchSequence] = []string{strconv.Itoa(i + 1)}
		}
		group[last].Header[headerBatchCommit] = []string{"1"}
	}
	if last == 0 { // it may have been part of a batch that was refused
		for _, header := range []string{headerBatchID, headerBatchSequence, headerBatchCommit} {
			delete(group[0].Header, header)
		}
	}
	for _, msg := range group[:last] {
		// No answer is asked for: where one is missing, the last is refused.
		if err := b.js.Conn().PublishMsg(msg); err != nil {
			return nil, err
		}
	}
	return b.js.PublishMsg(ctx, group[last], jetstream.WithRetryAttempts(0))
}
