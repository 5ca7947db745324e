package main

import (
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/stream"
)

// natsFlags say where NATS is.
type natsFlags struct {
	NATS   string `name:"nats" help:"URL of a NATS server or cluster; where there is none, one is run in this process." placeholder:"URL"`
	Prefix string `help:"First token of all subjects, and of the names of streams and buckets." default:"holdfast"`
}

// clientURL is where a client finds the server: --nats, or the embedded one of a
// holdfast run with default flags.
func (f *natsFlags) clientURL(port int) string {
	if f.NATS != "" {
		return f.NATS
	}
	return fmt.Sprintf("nats://127.0.0.1:%d", port)
}

// dial connects as a client that comes back by itself.
func dial(url, name string) (*nats.Conn, error) {
	nc, err := nats.Connect(url, nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w: start one with holdfast run, or name another with --nats", redact(url), err)
	}
	return nc, nil
}

// redact leaves the password out of a URL.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the given URL"
	}
	return u.Redacted()
}

// httpFlags say where HTTP is served.
type httpFlags struct {
	HTTP string `name:"http" help:"Address of the HTTP API and the console." default:"127.0.0.1:8470"`
}

// baseURL is the API's.
func (f *httpFlags) baseURL() (string, error) {
	host, port, err := net.SplitHostPort(f.HTTP)
	if err != nil {
		return "", usageError{fmt.Errorf("--http %q: host:port belongs here, such as 127.0.0.1:8470", f.HTTP)}
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// nodeFlags are those of every subcommand that runs partitions.
type nodeFlags struct {
	natsFlags
	httpFlags
	Partitions int           `help:"Number of partitions; fixed when a deployment is created." default:"16"`
	Replicas   int           `help:"Replicas of every stream: 1, 3 or 5." default:"1"`
	NATSPort   int           `name:"nats-port" help:"Port of the embedded server; 0 takes a free one." default:"4222"`
	Sync       string        `help:"Of the embedded server: always syncs to disk before it acknowledges; lazy syncs every two minutes, and a power cut loses what was acknowledged since." enum:"always,lazy" default:"always"`
	Retention  time.Duration `help:"How long deltas and outputs are kept; 0 is for ever." default:"336h"`
	Cache      byteSize      `help:"Memory for records, dedupe and Pebble's cache, for all partitions together." default:"512MiB"`
	Commands   struct {
		Encoding string `help:"Encoding of commands: json or msgpack." enum:"json,msgpack" default:"json"`
	} `embed:"" prefix:"commands-"`
	Pprof bool `name:"pprof" help:"Serve Go's profiles under /debug/pprof of the HTTP address, to all who reach it."`
}

// dataFlag says where everything is kept.
type dataFlag struct {
	Data string `help:"Folder of the state, and of the embedded server's streams." default:"./holdfast-data" type:"path"`
}

// embeddedPort is the port as the embedded server takes it, for whom 0 is the default one.
func (f *nodeFlags) embeddedPort() int {
	if f.NATSPort == 0 {
		return -1
	}
	return f.NATSPort
}

func (f *nodeFlags) topology() stream.Topology {
	return stream.Topology{
		Prefix:       f.Prefix,
		Partitions:   f.Partitions,
		Replicas:     f.Replicas,
		DeltaMaxAge:  f.Retention,
		OutputMaxAge: f.Retention,
	}
}
