package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/stream"
)

// Options of a run.
type Options struct {
	Deltas     int           // of the packed catch-up; the other takes a quarter
	Keys       int           // SKU-locations, Zipf-distributed
	Partitions int           // of every deployment that is made
	Packing    int           // deltas a message where they are packed
	Rate       int           // deltas a second of the latency run
	Duration   time.Duration // of the latency run
	Seed       uint64
	Say        func(line string) // what is being done; nil: nobody listens
	Log        *slog.Logger      // nil: slog.Default()
}

// Report is what a run found.
type Report struct {
	Machine Machine   `json:"machine"`
	CatchUp []CatchUp `json:"catch_up"`
	Latency []Latency `json:"latency"`
}

// Machine is where it was found.
type Machine struct {
	Go    string `json:"go"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`

	// DiskSync is the median time that the disk takes to sync 4 KiB appended to a file: what
	// each acknowledgement costs at least where the broker syncs always.
	DiskSync time.Duration `json:"disk_sync_ns"`
}

type bench struct {
	options Options
	dir     string
	url     string
}

// Run measures, in a folder that it removes afterwards.
func Run(ctx context.Context, o Options) (report Report, err error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	dir, err := os.MkdirTemp("", "holdfast-bench-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir}
	report.Machine = Machine{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.GOMAXPROCS(0)}
	if report.Machine.DiskSync, err = diskSync(dir); err != nil {
		return report, err
	}

	// Filling under SyncAlways would take minutes and measure nothing of ours; reading does not sync.
	err = b.withBroker("catch-up", false, func() error {
		for _, run := range []struct{ packing, deltas int }{{1, o.Deltas / 4}, {o.Packing, o.Deltas}} {
			c, err := b.catchUp(ctx, run.packing, run.deltas)
			if err != nil {
				return err
			}
			report.CatchUp = append(report.CatchUp, c)
		}
		return nil
	})
	if err != nil {
		return report, fmt.Errorf("catch-up: %w", err)
	}
	for _, syncAlways := range []bool{true, false} {
		err = b.withBroker("live", syncAlways, func() error {
			l, err := b.latency(ctx)
			l.SyncAlways = syncAlways
			report.Latency = append(report.Latency, l)
			return err
		})
		if err != nil {
			return report, fmt.Errorf("latency: %w", err)
		}
	}
	return report, nil
}

// diskSync times what the broker has to wait for.
func diskSync(dir string) (median time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	took := make([]time.Duration, 0, 101)
	block := make([]byte, 4096)
	for range cap(took) {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// withBroker runs fn with a broker of its own.
func (b *bench) withBroker(name string, syncAlways bool, fn func() error) (err error) {
	dir := filepath.Join(b.dir, "nats-"+name)
	server, err := stream.StartEmbedded(stream.EmbeddedConfig{Dir: dir, Port: -1, SyncAlways: syncAlways, Log: b.options.Log})
	if err != nil {
		return err
	}
	b.url = server.URL()
	defer func() { err = errors.Join(err, server.Close(), os.RemoveAll(dir)) }()
	return fn()
}

func (b *bench) connect(name string) (*nats.Conn, error) {
	return nats.Connect(b.url, nats.Name(name))
}

func (b *bench) say(format string, args ...any) { b.options.Say(fmt.Sprintf(format, args...)) }
