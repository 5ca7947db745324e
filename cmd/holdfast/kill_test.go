package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

const killPartitions = 3

// TestAKilledProcessEndsAsOneThatNeverWas: two deployments get the same log. One's process is
// killed again and again while it applies it, the other's is left alone. In the end their
// states have the same digests, and their streams the same outputs, each once.
func TestAKilledProcessEndsAsOneThatNeverWas(t *testing.T) {
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: t.TempDir(), Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := dial(server.URL(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	killed := deployment{t, js, topology("holdfast"), t.TempDir()}
	whole := deployment{t, js, killed.topology, t.TempDir()} // which reads the same log, later
	if err := killed.topology.Ensure(t.Context(), js); err != nil {
		t.Fatal(err)
	}

	log := newLog(15_000)
	const kills = 5
	for n := range kills {
		p := killed.start(server.URL())
		before := killed.said(stream.Exception)
		part := log[n*len(log)/kills : (n+1)*len(log)/kills]
		half := len(part) / 2
		killed.publish(part[:half])
		if n > 0 {
			eventually(t, "something new is said", func() bool { return killed.said(stream.Exception) > before })
		}
		killed.publish(part[half:])
		p.kill()
	}
	last := killed.start(server.URL())
	last.caughtUp()
	last.stop()

	kinds := []stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected}
	said := map[stream.Kind]map[string]string{}
	for _, kind := range kinds {
		said[kind] = killed.outputs(kind)
	}
	killed.forgetOutputs(kinds)

	undisturbed := whole.start(server.URL())
	undisturbed.caughtUp()
	undisturbed.stop()

	if a, b := killed.digests(), whole.digests(); !slices.Equal(a, b) {
		t.Errorf("states differ:\n%q\n%q", a, b)
	}
	for _, kind := range kinds {
		a, b := said[kind], whole.outputs(kind)
		if len(b) == 0 {
			t.Errorf("the log made no %v: nothing is proved about them", kind)
		}
		for _, id := range slices.Sorted(maps.Keys(b)) {
			if a[id] != b[id] {
				t.Errorf("%v %s:\n killed %s\n  whole %s", kind, id, a[id], b[id])
				break
			}
		}
		if len(a) != len(b) {
			t.Errorf("%d %v by the killed, %d by the other", len(a), kind, len(b))
		}
	}
}

func topology(prefix string) stream.Topology {
	return stream.Topology{Prefix: prefix, Partitions: killPartitions, Replicas: 1}
}

// logged is a message of a log.
type logged struct {
	partition int
	payload   []byte
}

// newLog makes messages of many deltas, some of them no deltas, of a simulated network.
func newLog(deltas int) (log []logged) {
	s := sim.New(sim.Config{Seed: 5, Start: 1_732_492_800_000, Stores: 2, SKUs: 30})
	payloads := make([][]byte, killPartitions)
	for n := range deltas {
		d, _ := s.Next()
		for p := range killPartitions {
			if d.SKU != "" && codec.Partition(d.SKU, killPartitions) != p {
				continue
			}
			payloads[p] = codec.AppendDelta(payloads[p], &d)
			if n%500 == 0 {
				payloads[p] = codec.AppendDeltaJSON(payloads[p], &inventory.Delta{ID: fmt.Sprint("bad-", n), Source: "test"})
			}
			if len(payloads[p]) > 100*(1+n%20) {
				log = append(log, logged{p, payloads[p]})
				payloads[p] = nil
			}
		}
	}
	return log
}

// deployment is one prefix on the server.
type deployment struct {
	t        *testing.T
	js       jetstream.JetStream
	topology stream.Topology
	dir      string
}

func (d *deployment) start(url string) *process {
	d.t.Helper()
	return start(d.t, "run", "--nats", url, "--prefix", d.topology.Prefix, "--data", d.dir,
		"--partitions", fmt.Sprint(killPartitions), "--retention", "0", "--http", "127.0.0.1:0", "--cache", "8MiB")
}

func (d *deployment) publish(log []logged) {
	d.t.Helper()
	for _, m := range log {
		if _, err := d.js.Publish(d.t.Context(), d.topology.DeltaSubject(m.partition), m.payload); err != nil {
			d.t.Fatal(err)
		}
	}
}

// forgetOutputs deletes what was said, so that it can be said again.
func (d *deployment) forgetOutputs(kinds []stream.Kind) {
	d.t.Helper()
	for _, kind := range kinds {
		if err := d.js.DeleteStream(d.t.Context(), d.topology.OutputStream(kind)); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := d.js.DeleteKeyValue(d.t.Context(), d.topology.DirectivesBucket()); err != nil {
		d.t.Fatal(err)
	}
}

// said returns how many messages there are of a kind.
func (d *deployment) said(kind stream.Kind) uint64 {
	d.t.Helper()
	s, err := d.js.Stream(d.t.Context(), d.topology.OutputStream(kind))
	if err != nil {
		d.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// digests returns the digest of each partition's state.
func (d *deployment) digests() (all []string) {
	d.t.Helper()
	var skip [][]byte
	for _, prefix := range engine.LaidOutByBatch() {
		skip = append(skip, []byte{prefix})
	}
	folder, err := state.OpenFolder(filepath.Join(d.dir, "state"), state.Options{
		Partitions: killPartitions, Prefix: d.topology.Prefix, DigestSkip: skip,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	defer folder.Close()
	for p := range killPartitions {
		db, err := folder.OpenPartition(p)
		if err != nil {
			d.t.Fatal(err)
		}
		digest, err := db.Digest()
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, digest)
		if err := db.Close(); err != nil {
			d.t.Fatal(err)
		}
	}
	return all
}

// outputs returns what a stream holds by the ordinal that each is published with.
func (d *deployment) outputs(kind stream.Kind) map[string]string {
	d.t.Helper()
	name := d.topology.OutputStream(kind)
	consumer, err := d.js.OrderedConsumer(d.t.Context(), name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]string{}
	for range d.said(kind) {
		msg, err := consumer.Next()
		if err != nil {
			d.t.Fatal(err)
		}
		id := msg.Headers().Get(stream.HeaderOutput)
		if _, twice := all[id]; twice || id == "" {
			d.t.Errorf("%s has output %q twice", name, id)
		}
		all[id] = fmt.Sprint(msg.Subject(), string(msg.Data()), msg.Headers().Get(stream.HeaderError))
	}
	return all
}
