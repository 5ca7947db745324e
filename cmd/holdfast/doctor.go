package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/doctor"
	"github.com/holdfast-atp/holdfast/stream"
)

type doctorCmd struct {
	nodeFlags
	dataFlag
	Sample byteSize `help:"How much of each partition's files is read to compare checksums." default:"64MiB"`
	Repair bool     `help:"Move aside the folders of partitions that are damaged or do not belong to their log, so that the next start builds them from it. Nothing is deleted."`
}

// errUnwell is what a doctor returns that found something.
var errUnwell = errors.New("something is wrong; the lines above say what to do")

func (c *doctorCmd) Run(t *terminal) (err error) {
	broker, noBroker := c.broker(t)
	defer func() { err = errors.Join(err, broker.close()) }()
	config := doctor.Config{
		StateDir:    filepath.Join(c.Data, "state"),
		Topology:    c.topology(),
		JS:          broker.js,
		NoBroker:    noBroker,
		SampleBytes: int64(c.Sample),
		Log:         t.log,
	}
	report, err := doctor.Examine(t.ctx, config)
	if err != nil {
		return err
	}
	if c.Repair && !report.OK {
		say := func(line string) { fmt.Fprintln(t.err, line) }
		if err := doctor.Repair(t.ctx, config, report, doctor.Stamp(time.Now()), say); err != nil {
			return err
		}
		if report, err = doctor.Examine(t.ctx, config); err != nil {
			return err
		}
	}
	if err := printReport(t, report); err != nil {
		return err
	}
	if !report.OK {
		return errUnwell
	}
	return nil
}

// printReport prints a table, or one object.
func printReport(t *terminal, report *doctor.Report) error {
	if t.json {
		return t.print(report, "")
	}
	about := 0
	for i := range report.Findings {
		about = max(about, len(report.Findings[i].About))
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		status := string(f.Status)
		if f.Status == doctor.Failed {
			status = strings.ToUpper(status)
		}
		t.say("%-8s %-8s %-*s %s", status, f.Check, about, safe(f.About), safe(f.Detail))
		if f.WayOut != "" && f.Status != doctor.OK {
			t.say("%-8s %-8s %-*s   → %s", "", "", about, "", f.WayOut)
		}
	}
	return nil
}

// patient is the broker that a doctor asks.
type patient struct {
	js       jetstream.JetStream // nil: there is none
	nc       *nats.Conn
	embedded *stream.Embedded
}

// broker finds the broker: the one that is named, the embedded one of a holdfast that runs on the folder, or else the
// folder's own streams, served to this process alone. Its error says why there is none.
func (c *doctorCmd) broker(t *terminal) (p *patient, err error) {
	p = &patient{}
	url := c.NATS
	if url == "" {
		dir := filepath.Join(c.Data, "nats")
		if _, err := os.Stat(dir); err != nil {
			return p, fmt.Errorf("there are no streams in %s", dir)
		}
		p.embedded, err = stream.StartEmbedded(stream.EmbeddedConfig{Dir: dir, Port: -1, SyncAlways: true, Log: t.log})
		if err != nil { // most likely a holdfast runs on it
			url = c.clientURL(c.NATSPort)
		} else {
			url = p.embedded.URL()
		}
	}
	nc, dialed := c.dial(url, "holdfast doctor")
	if dialed != nil {
		return p, errors.Join(err, dialed)
	}
	p.nc = nc
	p.js, err = jetstream.New(nc)
	return p, err
}

func (p *patient) close() error {
	if p.nc != nil {
		p.nc.Close()
	}
	if p.embedded != nil {
		return p.embedded.Close()
	}
	return nil
}
