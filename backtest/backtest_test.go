package backtest

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
	"github.com/holdfast-atp/holdfast/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWhatAPolicyWouldHaveDone: beside what was done, policies that came through the log and a person's decision among it.
func TestWhatAPolicyWouldHaveDone(t *testing.T) {
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: t.TempDir(), Port: -1, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	topology := stream.Topology{Prefix: "holdfast", Partitions: 1, Replicas: 1}
	if err := topology.Ensure(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	publish := func(subject string, data []byte) {
		t.Helper()
		if _, err := js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
	}
	start := inventory.MillisOf(time.Now().Add(-30 * 24 * time.Hour))
	hour := func(n int) inventory.Millis { return start + inventory.Millis(n)*inventory.Hour }
	delta := func(n int, kind inventory.Kind, sku string, quantity int64) {
		t.Helper()
		d := inventory.Delta{ID: fmt.Sprint(n, sku), Source: "s", SKU: sku, Location: "leeds", Kind: kind, Channel: "web", Ref: "r", Quantity: quantity, Time: hour(n)}
		publish(topology.DeltaSubject(0), codec.AppendDelta(nil, &d))
	}
	send := func(m control.Message) {
		t.Helper()
		text, err := control.Encode(&m)
		if err != nil {
			t.Fatal(err)
		}
		publish(topology.ControlSubject(0), text)
	}

	// Two are held by the built-in policy: one until it is over, one until somebody says that it is none.
	delta(0, inventory.Sale, "tea", 1)
	delta(1, inventory.Sale, "coffee", 1)
	delta(4, inventory.Receipt, "tea", 2)
	send(control.Message{ID: "1", By: "kim", Decision: control.Decision{Exception: "x0-2-0-0", Action: control.Reject}})
	// Then people are asked, and one is held until the end of the log.
	send(control.Message{ID: "2", By: "kim", Policy: "name: asks\nclasses:\n  oversell: {autonomy: recommend}\n"})
	delta(10, inventory.Sale, "milk", 1)
	send(control.Message{ID: "3", By: "kim", Decision: control.Decision{Exception: "x0-6-0-0", Action: control.Approve}})
	delta(12, inventory.Sale, "sugar", 1)
	delta(20, inventory.Receipt, "flour", 2)

	quiet, err := policy.Parse("name: quiet\nclasses:\n  oversell: {autonomy: recommend, dwell: 2h}\n")
	if err != nil {
		t.Fatal(err)
	}
	done := uint64(0)
	report, err := Run(t.Context(), js, topology, quiet, func(n uint64) { done += n })
	if err != nil {
		t.Fatal(err)
	}
	want := Row{
		Class: "oversell", Channel: "web",
		Was:   Figures{Exceptions: 4, Awaiting: 2, Holds: 3, Releases: 2, HeldHours: 4 + 3 + 10},
		Would: Figures{Exceptions: 4, Awaiting: 4, Holds: 1, HeldHours: 10},
	}
	if len(report.Rows) != 1 || report.Rows[0] != want || report.Messages != 9 || done != 9 || len(report.Missing) != 0 || report.Policy != quiet.Version {
		t.Errorf("%+v, want %+v", report, want)
	}

	// Without its first messages the log begins in the middle.
	s, err := js.Stream(t.Context(), topology.DeltaStream(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context(), jetstream.WithPurgeSequence(6)); err != nil {
		t.Fatal(err)
	}
	report, err = Run(t.Context(), js, topology, quiet, func(uint64) {})
	if err != nil || report.Messages != 4 || len(report.Missing) != 1 || report.Rows[0].Was.Exceptions != 2 {
		t.Errorf("of half a log: %+v, %v", report, err)
	}
}
