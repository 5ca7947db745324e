package stream

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/nats-io/nats-server/v2/server"
)

// EmbeddedConfig says how the embedded NATS server is run.
type EmbeddedConfig struct {
	// Dir holds the streams. It is created where there is none, and locked.
	Dir string

	// Host to listen on; "" means 127.0.0.1. The embedded server asks nobody for a
	// password, so it is for this machine alone: an address that others can reach is refused.
	Host string

	// Port to listen on; 0 means 4222, -1 any free one.
	Port int

	// SyncAlways makes an acknowledgement mean "on disk". Without it the server syncs
	// every two minutes, and a power cut takes what it acknowledged since; a crash of
	// the process alone takes nothing.
	SyncAlways bool

	// MaxMemory and MaxStore bound what JetStream uses, in bytes; 0 leaves it to the
	// server (three quarters of the memory, of the disk).
	MaxMemory, MaxStore int64

	// Log takes the server's warnings and errors; nil means slog.Default().
	Log *slog.Logger
}

const (
	// embeddedPayloadBytesMax bounds a message; the contract's payloads are half of it.
	embeddedPayloadBytesMax = 1 << 20

	// embeddedStartMax bounds the start. After a hard kill the server reads all its
	// streams again, at a few hundred MB/s, before it is ready.
	embeddedStartMax = 10 * time.Minute

	// embeddedSayEvery is how often a start that takes long says so.
	embeddedSayEvery = 15 * time.Second

	// embeddedReadyCheck is how often the start looks for a failure meanwhile.
	embeddedReadyCheck = 100 * time.Millisecond

	embeddedLockFile = "HOLDFAST-LOCK"
)

// errStillStarting marks that the server is still at its folder, which stays locked until this process ends.
var errStillStarting = errors.New("the folder stays locked until this process ends")

// Embedded is a NATS server with JetStream in this process. Its clients connect over
// loopback TCP: an in-process connection is an unbuffered pipe, and reading over it
// was no faster in one run and half as fast in another.
type Embedded struct {
	server *server.Server
	lock   io.Closer
}

// StartEmbedded starts a server and returns when it is ready.
func StartEmbedded(config EmbeddedConfig) (*Embedded, error) {
	if config.Host == "" {
		config.Host = "127.0.0.1"
	}
	if ip := net.ParseIP(config.Host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("embedded server on %q: it asks nobody for a password, so it listens on a loopback address alone, such as 127.0.0.1; for other machines run a nats-server (deploy/nats) and name it with --nats", config.Host)
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the embedded server's folder: %w", err)
	}
	// The server itself takes no lock: two on one folder would destroy it.
	lock, err := vfs.Default.Lock(filepath.Join(config.Dir, embeddedLockFile))
	if err != nil {
		return nil, fmt.Errorf("lock the embedded server's folder %s: %w: another holdfast has it: stop that one, give this one a folder of its own, or point it at the other's server", config.Dir, err)
	}
	e, err := startEmbedded(config)
	if errors.Is(err, errStillStarting) {
		return nil, err
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e.lock = lock
	return e, nil
}

func startEmbedded(config EmbeddedConfig) (*Embedded, error) {
	s, err := server.NewServer(&server.Options{
		ServerName:         "holdfast",
		Host:               config.Host,
		Port:               config.Port,
		NoSigs:             true, // signals are the program's
		JetStream:          true,
		StoreDir:           config.Dir,
		SyncAlways:         config.SyncAlways,
		JetStreamMaxMemory: config.MaxMemory,
		JetStreamMaxStore:  config.MaxStore,
		MaxPayload:         embeddedPayloadBytesMax,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	failed := make(chan string, 1)
	s.SetLoggerV2(&serverLogger{log: config.Log, failed: failed}, false, false, false)
	problem, returned := begin(s.Start, s.ReadyForConnections, failed, config.Log)
	switch {
	case problem == "":
		return &Embedded{server: s}, nil
	case returned:
		s.Shutdown()
		s.WaitForShutdown()
	default:
		err = errStillStarting // nor would Shutdown return
	}
	if strings.Contains(problem, "address already in use") {
		problem += ": stop the server that is there, give --nats-port another, or use that server with --nats"
	}
	return nil, errors.Join(fmt.Errorf("embedded server in %s on %s port %d: %s", config.Dir, config.Host, config.Port, problem), err)
}

// begin starts a server and waits until it is ready. problem is "" once it is, else why it is not. A damaged stream can
// keep start, which reads all of them, for good: where it had not returned by then, returned is false.
func begin(start func(), ready func(time.Duration) bool, failed <-chan string, log *slog.Logger) (problem string, returned bool) {
	end := time.Now().Add(embeddedStartMax)
	started := make(chan struct{})
	go func() {
		defer close(started)
		start()
	}()
	timeout, say := time.NewTimer(embeddedStartMax), time.NewTicker(embeddedSayEvery)
	defer timeout.Stop()
	defer say.Stop()
	for !returned {
		select {
		case <-started:
			returned = true
		case <-say.C:
			log.Warn("the embedded server still reads its streams", "gives up in", time.Until(end).Round(time.Second))
		case <-timeout.C:
			return fmt.Sprintf("it has read its streams for %v and is not done: a file of a stream is damaged so that it never comes past it, or the disk is very slow: see with holdfast doctor what the state has, and restore this folder from a backup", embeddedStartMax), false
		}
	}
	for time.Now().Before(end) {
		if ready(embeddedReadyCheck) {
			return "", true
		}
		if failure := firstOf(failed); failure != "" {
			return failure, true
		}
	}
	return fmt.Sprintf("not ready after %v", embeddedStartMax), true
}

// firstOf returns what is in c; "" for nothing.
func firstOf(c <-chan string) string {
	select {
	case s := <-c:
		return s
	default:
		return ""
	}
}

// URL is where clients connect.
func (e *Embedded) URL() string { return e.server.ClientURL() }

// Close stops the server and returns when all is written and released. Clients are
// drained by those who own them, before.
func (e *Embedded) Close() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return e.lock.Close()
}

// serverLogger passes on what needs somebody's attention. The server goes on after
// Fatalf where its host does not exit, so the first one is kept for the starter.
type serverLogger struct {
	log    *slog.Logger
	failed chan<- string
	once   sync.Once
}

func (*serverLogger) Noticef(string, ...any) {}
func (*serverLogger) Debugf(string, ...any)  {}
func (*serverLogger) Tracef(string, ...any)  {}

func (l *serverLogger) Warnf(format string, args ...any) {
	l.log.Warn("nats-server: " + fmt.Sprintf(format, args...))
}

func (l *serverLogger) Errorf(format string, args ...any) {
	l.log.Error("nats-server: " + fmt.Sprintf(format, args...))
}

func (l *serverLogger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	l.once.Do(func() { l.failed <- fmt.Sprintf(format, args...) })
}
