package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/internal/hugepage"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/stream"
)

// node is holdfast in one process: NATS unless it is elsewhere, the partitions, a
// producer, and HTTP.
type node struct {
	url       string // of NATS
	dir       string
	embedded  *stream.Embedded
	processor *stream.Processor
	producer  *client.Producer
	nc        *nats.Conn // the producer's and the console's
	web       *console.Server
	policy    *policy.Policy // of --policy; nil: none was given

	stopWeb context.CancelFunc
	webDone chan error
}

const (
	startMax = 15 * time.Minute // a great store is read through after a hard kill
	closeMax = 10 * time.Second
)

// startNode starts everything in the folder dir, and HTTP where web says so.
func startNode(ctx context.Context, f *nodeFlags, dir string, web bool, log *slog.Logger) (n *node, err error) {
	ctx, cancel := context.WithTimeout(ctx, startMax)
	defer cancel()
	n = &node{url: f.NATS, dir: dir}
	if err := f.check(); err != nil {
		return n, err
	}
	if n.policy, err = f.startPolicy(); err != nil {
		return n, err
	}
	var serving console.Config
	if web { // what is wrong with it is better said now than after a long start
		if serving, err = f.serving(log); err != nil {
			return n, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	if err := hugepage.Reserve(heapBytes(int64(f.Cache))); err != nil {
		log.Info("no huge pages: fresh memory costs more", "error", err)
	}
	// What is in it is for who runs holdfast; a folder that is there keeps its permissions.
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return n, fmt.Errorf("create the folder of --data: %w", err)
	}
	if f.NATS == "" {
		n.embedded, err = stream.StartEmbedded(stream.EmbeddedConfig{
			Dir:        filepath.Join(dir, "nats"),
			Port:       f.embeddedPort(),
			SyncAlways: f.Sync == "always",
			Log:        log,
		})
		if err != nil {
			return n, err
		}
		n.url = n.embedded.URL()
	}
	n.processor, err = stream.Start(ctx, stream.Config{
		Topology:   f.topology(),
		Connect:    func(name string) (*nats.Conn, error) { return f.dial(n.url, name) },
		DataDir:    filepath.Join(dir, "state"),
		CacheBytes: int64(f.Cache),
		Commands:   codec.Encoding(f.Commands.Encoding),
		Log:        log,
	})
	if err != nil {
		return n, err
	}
	if n.nc, err = f.dial(n.url, "holdfast producer"); err != nil {
		return n, err
	}
	n.producer, err = client.NewProducer(n.nc, client.Prefix(f.Prefix), client.Partitions(f.Partitions))
	if err != nil {
		return n, err
	}
	if web {
		err = n.startWeb(f, serving)
	}
	return n, err
}

// heapBytes is about what the heap grows to: what is cached, as much again until it is collected, and the
// embedded server's.
func heapBytes(cache int64) int64 { return 2*cache + 256<<20 }

func (n *node) startWeb(f *nodeFlags, serving console.Config) (err error) {
	serving.Registry = newRegistry(n.processor)
	if serving.Backend, err = newBackend(n, f.topology()); err != nil {
		return err
	}
	if n.web, err = console.NewServer(serving); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	n.stopWeb, n.webDone = stop, make(chan error, 1)
	go func() { n.webDone <- n.web.Run(ctx) }()
	return nil
}

// close stops taking, commits, hands over and lets go, in the order in which each
// still has what it needs.
func (n *node) close() error {
	var errs []error
	if n.stopWeb != nil {
		n.stopWeb()
		errs = append(errs, <-n.webDone)
	} else if n.web != nil {
		errs = append(errs, n.web.Close())
	}
	if n.producer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeMax)
		errs = append(errs, n.producer.Close(ctx))
		cancel()
	}
	if n.nc != nil {
		n.nc.Close()
	}
	if n.processor != nil {
		errs = append(errs, n.processor.Close())
	}
	if n.embedded != nil {
		errs = append(errs, n.embedded.Close())
	}
	return errors.Join(errs...)
}

// greet says what was started and where to look.
func (n *node) greet(t *terminal, f *nodeFlags) {
	where := redact(n.url)
	if n.embedded != nil {
		where += " (in this process"
		if f.Sync == "lazy" {
			where += "; syncs every two minutes"
		}
		where += ")"
	}
	t.say("holdfast %s: %d partitions on %s, data in %s", version(), f.Partitions, where, n.dir)
	if n.web != nil {
		t.say("console and API: %s", n.web.URL())
		n.warn(t, f)
		if f.Pprof {
			t.say("profiles: %sdebug/pprof/", n.web.URL())
		}
	}
	for partition, err := range n.processor.Failed() {
		fmt.Fprintf(t.err, "partition %d stands still: %v\n", partition, err)
	}
}

// warn says what others on the network could do that whoever started this may not have meant.
func (n *node) warn(t *terminal, f *nodeFlags) {
	if n.web.Loopback() || f.TLSCert != "" {
		return
	}
	if f.Tokens != "" {
		fmt.Fprintln(t.err, "tokens cross the network as they are: give --tls-cert and --tls-key, or have something before this speak TLS")
		return
	}
	fmt.Fprintln(t.err, "whoever reaches that address may do everything: --http-open says that something before it asks them")
}

// serve waits until it is told to stop, or until HTTP fails.
func (n *node) serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.webDone:
		n.webDone <- nil
		return err
	}
}
