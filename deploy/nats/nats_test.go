// Package nats_test holds nats-server.conf against a running holdfast: each user can do what it
// has to, and nothing else.
package nats_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const partitions = 2

// world is a server with the configuration, and a holdfast on it.
type world struct {
	t         *testing.T
	server    *server.Server
	ca        string
	processor *stream.Processor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, ca: filepath.Join(dir, "cert.pem")}
	writeCertificate(t, w.ca, filepath.Join(dir, "key.pem"))
	t.Setenv("NATS_TLS_CERT", w.ca)
	t.Setenv("NATS_TLS_KEY", filepath.Join(dir, "key.pem"))
	for _, user := range []string{"holdfast", "operator", "producer", "subscriber"} {
		t.Setenv("NATS_"+strings.ToUpper(user)+"_PASSWORD", "secret-of-"+user)
	}
	options, err := server.ProcessConfigFile("nats-server.conf")
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port, options.StoreDir, options.NoSigs, options.NoLog = "127.0.0.1", -1, filepath.Join(dir, "nats"), true, true
	options.SyncAlways = false // the disk is not what is tested
	if w.server, err = server.NewServer(options); err != nil {
		t.Fatal(err)
	}
	w.server.Start()
	t.Cleanup(func() { w.server.Shutdown(); w.server.WaitForShutdown() })
	if !w.server.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	w.processor, err = stream.Start(w.context(), stream.Config{
		Topology: stream.Topology{Prefix: "holdfast", Partitions: partitions, Replicas: 1},
		Connect:  func(name string) (*nats.Conn, error) { return w.dial("holdfast") },
		DataDir:  filepath.Join(dir, "state"),
		Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal("holdfast does not start as user holdfast: ", err)
	}
	t.Cleanup(func() {
		if err := w.processor.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) context() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

func (w *world) dial(user string, options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect(w.server.ClientURL(), append(options, nats.UserInfo(user, "secret-of-"+user), nats.RootCAs(w.ca))...)
}

func writeCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) user(name string, options ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	w.t.Helper()
	nc, err := w.dial(name, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		w.t.Fatal(err)
	}
	return nc, js
}

func sale(id, sku string, n int64) inventory.Delta {
	return inventory.Delta{ID: id, Source: "test", SKU: sku, Location: "leeds", Kind: inventory.Sale, Channel: "web", Quantity: n, Time: inventory.MillisOf(time.Now())}
}

func TestEachUserCanDoItsWork(t *testing.T) {
	w := newWorld(t)
	nc, _ := w.user("producer")
	producer, err := client.NewProducer(nc, client.Partitions(partitions)) // it may not ask for their number
	if err != nil {
		t.Fatal(err)
	}
	acks, err := producer.PublishAll(w.context(), []inventory.Delta{sale("1", "tea", 3)})
	if err != nil || len(acks) != 1 {
		t.Fatal(acks, err)
	}
	if err := producer.Close(w.context()); err != nil {
		t.Error(err)
	}
	d := sale("2", "coffee", 2)
	reply, err := nc.Request("holdfast.in."+codec.Token("coffee"), codec.AppendDeltaJSON(nil, &d), 20*time.Second)
	if err != nil || !strings.Contains(string(reply.Data), `"stored":true`) {
		t.Errorf("a request to holdfast.in: %v, %v", reply, err)
	}

	subscriber, _ := w.user("subscriber", nats.CustomInboxPrefix("_INBOX_subscriber"))
	for range 2 { // the second has it from the table of directives, if the first had it from the stream
		held := map[string]bool{}
		for update, err := range client.Commands(w.context(), subscriber) {
			if err != nil {
				t.Fatal(err)
			}
			held[update.Command.SKU] = update.Command.Action == inventory.Hold
			if held["tea"] && held["coffee"] {
				break
			}
		}
		if err := w.processor.Settle(w.context()); err != nil {
			t.Fatal(err)
		}
	}

	open, _, err := w.processor.Exceptions("", 1, func(x *inventory.Exception) bool { return x.Status == inventory.Acting })
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	m := control.Message{ID: "1", By: "kim", Decision: control.Decision{Exception: open[0].ID, Action: control.Reject}}
	if x, done, err := w.processor.Decide(w.context(), &m); err != nil || !done {
		t.Errorf("holdfast stores a decision: %+v, %v, %v", x, done, err)
	}

	_, operator := w.user("operator")
	names := 0
	list := operator.StreamNames(w.context())
	for range list.Name() {
		names++
	}
	if list.Err() != nil || names != partitions+5 {
		t.Errorf("the operator sees %d streams, %v", names, list.Err())
	}
}

// TestNobodyCanDoMore: what a user may not say is refused by the server, and what it may not hear too.
func TestNobodyCanDoMore(t *testing.T) {
	w := newWorld(t)
	outputs := []string{"holdfast.command.0.web.hold", "holdfast.exception.0.oversell", "holdfast.audit.0", "holdfast.rejected.late", "$KV.holdfast-directives.web.tea.leeds"}
	changes := []string{
		"$JS.API.STREAM.DELETE.HOLDFAST_DELTA_0000", "$JS.API.STREAM.PURGE.HOLDFAST_COMMANDS", "$JS.API.STREAM.UPDATE.HOLDFAST_COMMANDS",
		"$JS.API.STREAM.MSG.DELETE.HOLDFAST_AUDIT", "$JS.API.STREAM.RESTORE.X", "$JS.API.STREAM.SNAPSHOT.HOLDFAST_COMMANDS",
		"$JS.API.STREAM.PEER.REMOVE.HOLDFAST_COMMANDS", "$JS.API.STREAM.LEADER.STEPDOWN.HOLDFAST_COMMANDS", "$JS.API.META.LEADER.STEPDOWN",
		"$JS.API.CONSUMER.DURABLE.CREATE.HOLDFAST_COMMANDS.x", "$JS.API.CONSUMER.PAUSE.HOLDFAST_COMMANDS.directives",
		"$SYS.REQ.SERVER.PING", "anything.else",
	}
	creates := []string{"$JS.API.STREAM.CREATE.X", "$JS.API.CONSUMER.CREATE.HOLDFAST_COMMANDS", "holdfast.in"}
	projector := []string{
		"$JS.API.CONSUMER.CREATE.HOLDFAST_COMMANDS.directives", "$JS.API.CONSUMER.CREATE.HOLDFAST_COMMANDS.directives.holdfast.command.>",
		"$JS.API.CONSUMER.DELETE.HOLDFAST_COMMANDS.directives", "$JS.API.CONSUMER.MSG.NEXT.HOLDFAST_COMMANDS.directives",
		"$JS.ACK.HOLDFAST_COMMANDS.directives.1.1.1.1.1",
	}
	deltas := []string{"holdfast.delta.0", "holdfast.in.tea"}
	decisions := []string{"holdfast.control.0"} // who sends deltas decides nothing
	for _, c := range []struct {
		user   string
		say    [][]string
		listen []string
	}{
		{"holdfast", [][]string{changes, {"holdfast.delta.0.x", "holdfast.in.tea", "_INBOX_subscriber.x"}}, []string{">", "holdfast.>", "holdfast.delta.*", "_INBOX_subscriber.>"}},
		{"operator", [][]string{changes, creates, outputs, deltas, decisions, projector, {"$JS.API.CONSUMER.CREATE.HOLDFAST_AUDIT.x"}}, []string{">", "holdfast.>", "_INBOX_subscriber.>", "$JS.ACK.>"}},
		{"producer", [][]string{changes, creates, outputs, decisions, projector, {"$JS.API.STREAM.INFO.HOLDFAST_COMMANDS", "$JS.API.CONSUMER.CREATE.HOLDFAST_COMMANDS.x"}}, []string{">", "holdfast.>", "holdfast.in.>", "holdfast.command.>"}},
		{"subscriber", [][]string{changes, creates, outputs, deltas, decisions, projector, {
			"$JS.API.CONSUMER.CREATE.HOLDFAST_AUDIT.x", "$JS.API.CONSUMER.CREATE.HOLDFAST_DELTA_0000.x", "$JS.API.STREAM.MSG.GET.HOLDFAST_AUDIT", "$JS.API.STREAM.NAMES",
		}}, []string{">", "holdfast.>", "holdfast.in.>", "holdfast.command.>", "_INBOX.>", "_R_.>"}},
	} {
		refusals := make(chan error, 1)
		nc, _ := w.user(c.user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refusals <- err }))
		for _, subjects := range c.say {
			for _, subject := range subjects {
				if err := nc.Publish(subject, []byte("{}")); err != nil {
					t.Fatal(err)
				}
				w.refused(refusals, c.user+" says "+subject)
			}
		}
		for _, subject := range c.listen {
			if _, err := nc.SubscribeSync(subject); err != nil {
				t.Fatal(err)
			}
			w.refused(refusals, c.user+" listens to "+subject)
		}
	}
	for _, kind := range []stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected} {
		if last := w.lastOf(kind); last != 0 {
			t.Errorf("stream of kind %s holds %d messages that nobody may have sent", kind, last)
		}
	}
	for _, login := range []nats.Option{nats.UserInfo("holdfast", "wrong"), nats.UserInfo("nobody", ""), nats.UserInfo("", "")} {
		if nc, err := nats.Connect(w.server.ClientURL(), nats.RootCAs(w.ca), login); !errors.Is(err, nats.ErrAuthorization) {
			nc.Close()
			t.Errorf("a stranger is let in: %v", err)
		}
	}
}

// refused waits for the server to refuse what was just done.
func (w *world) refused(refusals <-chan error, what string) {
	w.t.Helper()
	select {
	case err := <-refusals:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			w.t.Errorf("%s: %v", what, err)
		}
	case <-w.context().Done():
		w.t.Fatalf("%s, and is not refused", what)
	}
}

// lastOf is the last sequence of the stream of a kind.
func (w *world) lastOf(kind stream.Kind) uint64 {
	w.t.Helper()
	_, js := w.user("operator")
	s, err := js.Stream(w.context(), stream.Topology{Prefix: "holdfast"}.OutputStream(kind))
	if err != nil {
		w.t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// TestAnAnswerGoesToItsAccount: JetStream acknowledges to whatever subject it is told to, which
// for a producer is one of its own account and not of the streams'.
func TestAnAnswerGoesToItsAccount(t *testing.T) {
	w := newWorld(t)
	nc, _ := w.user("producer")
	tick := inventory.Delta{ID: "1", Source: "test", Kind: inventory.Tick, Time: inventory.MillisOf(time.Now())}
	payload := codec.AppendDelta(nil, &tick)
	for _, subject := range []string{"holdfast.delta.0", "holdfast.in.tea"} {
		if err := nc.PublishRequest(subject, "holdfast.command.0.web.hold", payload); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"holdfast.delta.0", "holdfast.in.tea"} { // and one behind each, so that those have been answered
		if _, err := nc.Request(subject, payload, 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if last := w.lastOf(stream.Command); last != 0 {
		t.Errorf("an acknowledgement is stored as command %d", last)
	}
}
