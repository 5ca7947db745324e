package role

import (
	"context"
	"errors"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/stream"
)

// Broker is the NATS server that holdfast embeds, alone in its process.
const Broker = "broker"

// BrokerConfig configures a [Broker].
type BrokerConfig struct {
	Dir        string // of its streams
	SyncAlways bool   // it syncs before it acknowledges; else every two minutes
}

// BrokerReady is what a [Broker] says when clients may come.
type BrokerReady struct{ URL string }

func playBroker(ctx context.Context, h *process.Host) (err error) {
	var c BrokerConfig
	if err := h.Config(&c); err != nil {
		return err
	}
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: c.Dir, Port: -1, SyncAlways: c.SyncAlways})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := h.Ready(BrokerReady{server.URL()}); err != nil {
		return err
	}
	return h.Serve(ctx, nil)
}
