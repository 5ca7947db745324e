package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// Config says what is examined.
type Config struct {
	StateDir string // the folder that the partitions' state is in
	Topology stream.Topology
	JS       jetstream.JetStream // nil: there is no broker to ask, and NoBroker says why
	NoBroker error

	// SampleBytes is how much of each partition is read, so that its checksums are compared; 0: SampleBytesDefault.
	SampleBytes int64

	Log *slog.Logger // takes what the storage layer complains of; nil: slog.Default()
}

// SampleBytesDefault is what a disk reads in some tenths of a second.
const SampleBytesDefault = 64 << 20

// Status is how a check came out.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Skipped Status = "skipped" // could not be done, which is not wrong by itself
	Warning Status = "warning" // holdfast runs with it
	Failed  Status = "failed"  // holdfast, or a partition, does not run with it
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`             // folder, space, files, streams, log, outputs, clock
	About  string `json:"about"`             // what was looked at
	Status Status `json:"status"`            //
	Detail string `json:"detail"`            // what was found
	WayOut string `json:"way_out,omitempty"` // what to do, in one line

	// Rebuild is set where Repair can mend it by moving the partition's folder aside.
	Rebuild bool `json:"rebuild,omitempty"`
	// TakeBack is set where Repair can mend it by deleting what was said about messages that the log lost.
	TakeBack  bool `json:"take_back,omitempty"`
	Partition int  `json:"partition"` // -1: it is about none
}

// Report is all that was found.
type Report struct {
	Findings []Finding `json:"findings"`
	OK       bool      `json:"ok"` // nothing failed
}

func (r *Report) add(f Finding) {
	if f.Status == Failed {
		r.OK = false
	}
	r.Findings = append(r.Findings, f)
}

// Examine looks at everything. Its error is ctx's; all else that goes wrong is a Finding.
func Examine(ctx context.Context, config Config) (*Report, error) {
	if config.SampleBytes == 0 {
		config.SampleBytes = SampleBytesDefault
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	e := &examination{Config: config, report: &Report{OK: true}, parts: make([]part, config.Topology.Partitions)}
	e.space()
	e.folder()
	e.streams(ctx)
	for p := range e.parts {
		e.together(ctx, p)
	}
	return e.report, ctx.Err()
}

// examination is a Report being made.
type examination struct {
	Config
	report *Report
	parts  []part
	asked  bool // the broker answered
	heard  heard
}

// part is what is known of one partition.
type part struct {
	open     bool // its files could be read
	absent   bool // it has none
	position *state.Position
	status   engine.Status
	said     uint64 // ordinal of its last output
	waiting  int    // outputs in its outbox
	stored   uint64 // ordinal up to which the streams have to have its outputs

	first, last uint64 // of its log
	logged      bool   // the two are known
	bytesEach   uint64 // of its messages
	broken      bool   // some of it can't be read
}

func (e *examination) add(check, about string, status Status, wayOut, format string, args ...any) {
	e.report.add(Finding{Check: check, About: about, Status: status, Detail: fmt.Sprintf(format, args...), WayOut: wayOut, Partition: -1})
}

func (e *examination) addPart(p int, check string, status Status, wayOut, format string, args ...any) {
	e.report.add(Finding{Check: check, About: fmt.Sprintf("partition %d", p), Status: status, Detail: fmt.Sprintf(format, args...), WayOut: wayOut, Partition: p})
}

// Repair moves aside the folders of the partitions that a report says can be rebuilt, takes back what was said about messages
// that their logs lost, and tells say of each before it does. Nothing may run. name tells this repair from others.
func Repair(ctx context.Context, config Config, report *Report, name string, say func(string)) error {
	for _, f := range report.Findings {
		if f.TakeBack {
			if err := stream.TakeBack(ctx, config.JS, config.Topology, f.Partition, say); err != nil {
				return err
			}
		}
	}
	var inspector *state.Inspector
	done := map[int]bool{}
	for _, f := range report.Findings {
		if !f.Rebuild || done[f.Partition] {
			continue
		}
		done[f.Partition] = true
		if inspector == nil {
			var err error
			if inspector, err = inspect(&config); err != nil {
				return err
			}
			defer inspector.Close() //nolint:errcheck // it only gives back memory and the lock
		}
		say(fmt.Sprintf("partition %d: moving its folder aside; it is built from its log at the next start, and nothing is deleted", f.Partition))
		to, err := inspector.Quarantine(f.Partition, name)
		if err != nil {
			return err
		}
		say(fmt.Sprintf("partition %d: its old folder is %s", f.Partition, to))
	}
	return nil
}

func inspect(config *Config) (*state.Inspector, error) {
	return state.Inspect(config.StateDir, state.Options{
		Partitions: config.Topology.Partitions,
		Prefix:     config.Topology.Prefix,
		Log:        config.Log,
	})
}

// Stamp is a name for a repair that sorts by time.
func Stamp(now time.Time) string { return now.UTC().Format("20060102T150405Z") }
