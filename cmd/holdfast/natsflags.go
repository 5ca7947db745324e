package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// natsFlags say where NATS is, and as whom holdfast comes.
type natsFlags struct {
	NATS      string `name:"nats" help:"URL of a NATS server or cluster, several with commas between; where there is none, one is run in this process." placeholder:"URL"`
	NATSCA    string `name:"nats-ca" help:"Certificates (PEM) of whom to trust about that server, instead of the system's." type:"existingfile" placeholder:"FILE"`
	NATSCert  string `name:"nats-cert" help:"Certificate (PEM) to show to that server." type:"existingfile" placeholder:"FILE"`
	NATSKey   string `name:"nats-key" help:"Private key (PEM) of --nats-cert." type:"existingfile" placeholder:"FILE"`
	NATSCreds string `name:"nats-creds" help:"Credentials of a NATS user (.creds)." type:"existingfile" placeholder:"FILE"`
	NATSInbox string `name:"nats-inbox" help:"First token of reply subjects, where that user may not use the usual one." default:"_INBOX"`
	Prefix    string `help:"First token of all subjects, and of the names of streams and buckets." default:"holdfast"`
}

// clientURL is where a client finds the server: --nats, or the embedded one of a
// holdfast run with default flags.
func (f *natsFlags) clientURL(port int) string {
	if f.NATS != "" {
		return f.NATS
	}
	return fmt.Sprintf("nats://127.0.0.1:%d", port)
}

// check refuses what does not go together.
func (f *natsFlags) check() error {
	switch {
	case (f.NATSCert == "") != (f.NATSKey == ""):
		return usageError{errors.New("--nats-cert and --nats-key go together")}
	case f.NATS == "" && (f.NATSCA != "" || f.NATSCert != "" || f.NATSCreds != ""):
		return usageError{errors.New("--nats-ca, --nats-cert and --nats-creds are for a server that --nats names; the embedded one asks nobody")}
	case f.NATS != "" && !areURLs(f.NATS):
		return usageError{errors.New("--nats: nats://host:port belongs here, or several with commas between; a password in it is percent-encoded")}
	}
	return nil
}

// dial connects as a client that comes back by itself. The files are read at each connection, so
// that a certificate or credentials that were renewed are used from the next one on.
func (f *natsFlags) dial(url, name string) (*nats.Conn, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	options := []nats.Option{nats.CustomInboxPrefix(f.NATSInbox)}
	if f.NATSCA != "" {
		options = append(options, nats.RootCAs(f.NATSCA))
	}
	if f.NATSCert != "" {
		options = append(options, nats.ClientCert(f.NATSCert, f.NATSKey))
	}
	if f.NATSCreds != "" {
		options = append(options, nats.UserCredentials(f.NATSCreds))
	}
	return dial(url, name, options...)
}

// silenceMax is for how long a server is tried that takes connections and says nothing: it recovers its
// streams, or was paused. One that is not there is tried once.
const silenceMax = 30 * time.Second

func dial(url, name string, options ...nats.Option) (*nats.Conn, error) {
	options = append(options, nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond))
	began := time.Now()
	nc, err := nats.Connect(url, options...)
	for isSilence(err) && time.Since(began) < silenceMax {
		nc, err = nats.Connect(url, options...)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w: start one with holdfast run, or name another with --nats", redact(url), err)
	}
	return nc, nil
}

// isSilence reports whether a connection was taken, and nothing said on it in time.
func isSilence(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "read" && op.Timeout()
}

// parseURLs reads URLs as nats.go does: commas between, and a scheme where there is none.
func parseURLs(raw string) (urls []*url.URL, ok bool) {
	for part := range strings.SplitSeq(raw, ",") {
		part = strings.TrimSpace(part)
		if !strings.Contains(part, "://") {
			part = "nats://" + part
		}
		u, err := url.Parse(part)
		if err != nil || u.Hostname() == "" {
			return nil, false // without the error, which repeats what may be a password
		}
		urls = append(urls, u)
	}
	return urls, true
}

func areURLs(raw string) bool {
	_, ok := parseURLs(raw)
	return ok
}

// redact leaves out of URLs who comes and with what: a user's name alone may be a token.
func redact(raw string) string {
	urls, ok := parseURLs(raw)
	if !ok {
		return "the given URL"
	}
	parts := make([]string, len(urls))
	for i, u := range urls {
		parts[i] = u.Scheme + "://" + u.Host
		if u.User != nil {
			parts[i] = u.Scheme + "://xxxxx@" + u.Host
		}
	}
	return strings.Join(parts, ",")
}
