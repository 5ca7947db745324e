package faultsim

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/stream"
)

const partitionsMax = 2

var topology = stream.Topology{Prefix: "sim", Partitions: partitionsMax, Replicas: 1}

// kinds are the kinds of output.
var kinds = [...]stream.Kind{stream.Command, stream.Exception, stream.Audit, stream.Rejected}

// world is where a plan is carried out.
type world struct {
	plan   *plan
	mutant *mutant
	rng    *rand.Rand // of which bytes survive a crash that are no matter; nothing else may draw from it
	clock  clock

	logs       []*deltaLog
	produced   []int // payloads, by partition
	decisions  int   // of all partitions
	references []*reference
	owners     [][2]*owner
	outputs    [len(kinds)]*outputStream
	checked    [len(kinds)]int // messages of an output stream
	history    []history       // by partition
}

// newWorld returns a world in which nothing has happened.
func newWorld(p *plan, m *mutant) (*world, error) {
	w := &world{plan: p, mutant: m, rng: rand.New(rand.NewPCG(p.seed, 1))}
	w.clock.now = gen.Start.Time().Add(time.Minute)
	for kind := range kinds {
		w.outputs[kind] = &outputStream{clock: &w.clock, name: topology.OutputStream(kinds[kind]), ids: map[string]int{}}
	}
	for n := range p.payloads {
		w.logs = append(w.logs, &deltaLog{})
		w.produced = append(w.produced, 0)
		w.history = append(w.history, history{})
		w.owners = append(w.owners, [2]*owner{{world: w, partition: n, disk: newDisk(vfs.NewCrashableMem())}})
		w.references = append(w.references, nil)
		if err := w.refer(n); err != nil {
			return w, err
		}
		if err := w.owners[n][0].start(); err != nil {
			return w, err
		}
	}
	return w, nil
}

// refer begins a partition's reference anew, and lets it apply what its log has.
func (w *world) refer(partition int) error {
	if old := w.references[partition]; old != nil {
		if err := old.close(); err != nil {
			return err
		}
	}
	r, err := newReference(w.partitionConfig(partition), w.logs[partition])
	w.references[partition] = r
	if err != nil {
		return err
	}
	return r.follow()
}

// close ends everything.
func (w *world) close() error {
	var errs []error
	for n := range w.owners {
		for _, o := range w.owners[n] {
			if o != nil {
				errs = append(errs, o.close())
			}
		}
		if r := w.references[n]; r != nil {
			errs = append(errs, r.close())
		}
	}
	return errors.Join(errs...)
}

func (w *world) partitionConfig(partition int) stream.PartitionConfig {
	return stream.PartitionConfig{
		Topology: topology, Partition: partition, Engine: w.plan.config, Commands: codec.JSON, Now: w.clock.steady,
	}
}

// outputLog is the stream of a kind, as a publisher sees it.
func (w *world) outputLog(kind stream.Kind) stream.OutputLog {
	return w.mutant.outputs(w.outputs[kind])
}

// pass lets time pass. What is late comes while its id would still be known: no message is on its way for longer.
func (w *world) pass(d time.Duration) {
	for _, s := range w.outputs {
		if len(s.late) > 0 && w.clock.past+d-s.late[0].since > duplicateWindow/2 {
			s.arrive()
		}
	}
	w.clock.pass(d)
}
