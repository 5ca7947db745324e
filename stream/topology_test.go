package stream

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestValidateSaysWhatIsWrong(t *testing.T) {
	good := Topology{Prefix: "holdfast", Partitions: 16, Replicas: 1}
	must(t, good.Validate())
	for _, c := range []struct {
		change func(t *Topology)
		says   string
	}{
		{func(t *Topology) { t.Prefix = "" }, "prefix"},
		{func(t *Topology) { t.Prefix = "Holdfast" }, "prefix"},
		{func(t *Topology) { t.Prefix = "hold.fast" }, "prefix"},
		{func(t *Topology) { t.Prefix = "1st" }, "prefix"},
		{func(t *Topology) { t.Prefix = strings.Repeat("x", 33) }, "prefix"},
		{func(t *Topology) { t.Partitions = 0 }, "0 partitions"},
		{func(t *Topology) { t.Partitions = PartitionsMax + 1 }, "4097 partitions"},
		{func(t *Topology) { t.Replicas = 2 }, "2 replicas"},
		{func(t *Topology) { t.DeltaMaxAge = -1 }, "retention"},
		{func(t *Topology) { t.OutputMaxBytes = -1 }, "retention"},
	} {
		topology := good
		c.change(&topology)
		if err := topology.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: got %v, want an error about %q", topology, err, c.says)
		}
	}
}

func TestNames(t *testing.T) {
	topology := Topology{Prefix: "shop-1", Partitions: 16}
	for _, c := range []struct{ got, want string }{
		{topology.DeltaSubject(3), "shop-1.delta.3"},
		{topology.DeltaStream(3), "SHOP-1_DELTA_0003"},
		{topology.InSubjects(), "shop-1.in.>"},
		{topology.CommandSubject(3, "a.b", "hold"), "shop-1.command.3.a=2Eb.hold"},
		{topology.ExceptionSubject(3, "oversell"), "shop-1.exception.3.oversell"},
		{topology.AuditSubject(3), "shop-1.audit.3"},
		{topology.RejectedSubject("late"), "shop-1.rejected.late"},
		{topology.OutputStream(Command), "SHOP-1_COMMANDS"},
		{topology.OutputStream(Exception), "SHOP-1_EXCEPTIONS"},
		{topology.OutputStream(Audit), "SHOP-1_AUDIT"},
		{topology.OutputStream(Rejected), "SHOP-1_REJECTED"},
		{topology.DirectivesBucket(), "shop-1-directives"},
		{topology.directiveSubject("web", "", "*"), "$KV.shop-1-directives.web.*.=2A"},
		{DirectiveKey("web", "a b", "*"), "web.a=20b.=2A"},
		{Kind(9).String(), "kind 9"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestEnsureMakesWhatIsMissingAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	ctx := testContext(t)
	w.publish(w.topology.DeltaSubject(1), []byte("kept"))
	must(t, w.js.DeleteStream(ctx, w.topology.DeltaStream(2)))
	must(t, w.js.DeleteKeyValue(ctx, w.topology.DirectivesBucket()))
	must(t, w.topology.Ensure(ctx, w.js))
	if got := w.size(w.topology.DeltaStream(1)); got != 1 {
		t.Errorf("a stream that was there holds %d messages, want 1", got)
	}
	for _, config := range w.topology.configs() {
		s, err := w.js.Stream(ctx, config.Name)
		must(t, err)
		if !s.CachedInfo().Config.AllowAtomicPublish {
			t.Errorf("stream %s takes no batches", config.Name)
		}
	}
	_, err := w.js.KeyValue(ctx, w.topology.DirectivesBucket())
	must(t, err)

	other := w.topology
	other.Prefix = "other"
	must(t, other.Ensure(ctx, w.js)) // beside it
}

func TestEnsureRefusesOtherSettings(t *testing.T) {
	t.Parallel()
	w := newServer(t)
	ctx := testContext(t)
	w.topology = Topology{Prefix: "holdfast", Partitions: 2, Replicas: 1, DeltaMaxAge: time.Hour, OutputMaxBytes: 1 << 20}
	must(t, w.topology.Ensure(ctx, w.js))
	for _, c := range []struct {
		name   string
		change func(t *Topology)
		says   []string
	}{
		{"a longer retention", func(t *Topology) { t.DeltaMaxAge = 2 * time.Hour }, []string{"HOLDFAST_DELTA_0000", "maximum age", "1h0m0s", "2h0m0s"}},
		{"no bound on outputs", func(t *Topology) { t.OutputMaxBytes = 0 }, []string{"HOLDFAST_COMMANDS", "maximum bytes", "1048576", "-1"}},
		{"fewer partitions", func(t *Topology) { t.Partitions = 1 }, []string{"HOLDFAST_DELTA_0001", "fixed when a deployment is created"}},
		{"more partitions", func(t *Topology) { t.Partitions = 4 }, []string{"HOLDFAST_DELTA_0000", "number of partitions", `"2"`, `"4"`}},
		{"something that is not valid", func(t *Topology) { t.Partitions = 0 }, []string{"0 partitions"}},
	} {
		topology := w.topology
		c.change(&topology)
		wantError(t, c.name, topology.Ensure(ctx, w.js), c.says...)
	}
	streams := 0
	for range w.js.StreamNames(ctx).Name() {
		streams++
	}
	if want := 2 + kinds + 1; streams != want {
		t.Errorf("there are %d streams, want the %d that were there", streams, want)
	}
	must(t, w.topology.Ensure(ctx, w.js))
}

func TestEnsureRefusesStreamsThatSomebodyElseMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func(w *world) error
		says []string
	}{
		{"a stream on the subject of a partition", func(w *world) error {
			_, err := w.js.CreateStream(testContext(w.t), jetstream.StreamConfig{Name: "MINE", Subjects: []string{"holdfast.delta.0"}})
			return err
		}, []string{"MINE", "another prefix"}},
		{"a stream on the subjects of an output", func(w *world) error {
			_, err := w.js.CreateStream(testContext(w.t), jetstream.StreamConfig{Name: "MINE", Subjects: []string{"holdfast.audit.*"}})
			return err
		}, []string{"HOLDFAST_AUDIT", "overlap"}},
		{"a stream of the same name", func(w *world) error {
			config := w.topology.configs()[0]
			config.Retention = jetstream.WorkQueuePolicy
			_, err := w.js.CreateStream(testContext(w.t), config)
			return err
		}, []string{"HOLDFAST_DELTA_0000", "retention", "WorkQueue", "Limits", "nats stream edit"}},
		{"a bucket that forgets", func(w *world) error {
			_, err := w.js.CreateKeyValue(testContext(w.t), jetstream.KeyValueConfig{Bucket: "holdfast-directives", TTL: time.Hour})
			return err
		}, []string{"holdfast-directives", "time to live of 1h0m0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newServer(t)
			w.topology = Topology{Prefix: "holdfast", Partitions: 1, Replicas: 1}
			must(t, c.make(w))
			wantError(t, c.name, w.topology.Ensure(testContext(t), w.js), c.says...)
		})
	}
}

// TestOutputsLetGoOfTheOldestAndDeltasRefuse holds the two retentions against each other.
func TestOutputsLetGoOfTheOldestAndDeltasRefuse(t *testing.T) {
	t.Parallel()
	w := newServer(t)
	ctx := testContext(t)
	w.topology = Topology{Prefix: "holdfast", Partitions: 1, Replicas: 1, DeltaMaxBytes: 1 << 10, OutputMaxBytes: 1 << 10}
	must(t, w.topology.Ensure(ctx, w.js))
	payload := make([]byte, 400)
	for range 5 {
		w.publish(w.topology.AuditSubject(0), payload)
	}
	if got := w.messages(w.topology.OutputStream(Audit)); len(got) != 2 || got[1].Sequence != 5 {
		t.Errorf("the stream of outputs has %d messages, want the last 2", len(got))
	}
	stored, err := 0, error(nil)
	for ; err == nil && stored < 5; stored++ {
		_, err = w.js.Publish(ctx, w.topology.DeltaSubject(0), payload)
	}
	wantError(t, "a full log", err, "maximum bytes exceeded")
	if got := w.messages(w.topology.DeltaStream(0)); len(got) != 2 || got[0].Sequence != 1 {
		t.Errorf("the log has %d messages, want the first 2", len(got))
	}
}

// wantError wants an error that says all of that.
func wantError(t *testing.T, what string, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one that says %q", what, says)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: the error is %q, want %q in it", what, err, s)
		}
	}
}
