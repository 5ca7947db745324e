package torture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/doctor"
	"github.com/holdfast-atp/holdfast/stream"
)

// comesUpMax is how long a broker may take to begin on a damaged folder. Version 2.15.2 of nats-server goes round in circles on some.
const comesUpMax = 20 * time.Second

// saysSoMax is how long a partition may take to find that its log can't be read.
const saysSoMax = 30 * time.Second

// damageBlock truncates a block of one of the logs, or flips a bit of it, while both are down. Either all is right after that,
// or holdfast stands still and says why, or the doctor finds it. The way out is a backup.
func (w *world) damageBlock() {
	w.load(roundMessages/4, func() {})
	eventually(w.t, "all is applied and said", w.settled)
	ends := w.stopHoldfast()
	w.broker.kill()
	whole := map[string]string{w.streams: w.streams + ".whole", w.data: w.data + ".whole"}
	for folder, copied := range whole {
		if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
			w.t.Fatal(err)
		}
	}
	damaged := w.damage()
	if said := w.saysWhatIsDamaged(damaged); said == "" {
		w.t.Logf("%s: nothing shows", damaged)
		w.verify()
	} else {
		w.t.Logf("%s: %s", damaged, said)
	}
	w.holdfast.kill()
	w.broker.kill()
	for folder, copied := range whole {
		if err := os.RemoveAll(folder); err != nil {
			w.t.Fatal(err)
		}
		w.rename(copied, folder)
	}
	w.startBroker()
	w.startHoldfast()
	w.begun = ends
	w.load(roundMessages/4, func() {})
}

// damage does it, and returns which stream it was.
func (w *world) damage() (name string) {
	blocks, err := filepath.Glob(filepath.Join(w.streams, "jetstream", "*", "streams", "HOLDFAST_DELTA_*", "msgs", "*.blk"))
	if err != nil {
		w.t.Fatal(err)
	}
	blocks = slices.DeleteFunc(blocks, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.Size() == 0
	})
	if len(blocks) == 0 {
		w.t.Fatal("the broker has no blocks")
	}
	block := blocks[w.rnd.IntN(len(blocks))]
	data, err := os.ReadFile(block)
	if err != nil {
		w.t.Fatal(err)
	}
	at := w.rnd.IntN(len(data))
	if w.rnd.IntN(2) == 0 {
		w.t.Logf("%s ends at byte %d of %d", block, at, len(data))
		data = data[:at]
	} else {
		w.t.Logf("%s: a bit of byte %d of %d is flipped", block, at, len(data))
		data[at] ^= 1 << w.rnd.IntN(8)
	}
	if err := os.WriteFile(block, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return filepath.Base(filepath.Dir(filepath.Dir(block)))
}

// saysWhatIsDamaged returns what is said of a stream by whoever says something first: the broker by not beginning, a partition by
// standing still, or the doctor; "" where nobody has anything to say.
func (w *world) saysWhatIsDamaged(name string) string {
	if !w.brokerComesUp() {
		w.broker.kill()
		report := w.doctor()
		at := slices.IndexFunc(report.Findings, func(f doctor.Finding) bool { return f.Check == "streams" && f.Status == doctor.Failed })
		if at < 0 {
			w.t.Fatalf("the broker does not begin, and doctor finds %+v", report.Findings)
		}
		return "the broker does not begin, " + report.Findings[at].Detail
	}
	w.startHoldfast()
	said := ""
	within(saysSoMax, func() bool {
		var now overview
		if err := w.getJSON("/v1/overview", &now); err != nil {
			return false
		}
		for _, p := range now.Partitions {
			if p.Error == "" {
				continue
			}
			said = p.Error
			if w.topology.DeltaStream(p.Partition) != name || !strings.Contains(p.Error, stream.ErrLogDiffers.Error()) {
				w.t.Errorf("%s is damaged, and partition %d says %s", name, p.Partition, p.Error)
			}
		}
		return said != "" || w.settled() == nil
	})
	if said != "" {
		return said
	}
	w.holdfast.stop()
	for _, f := range w.doctor().Findings {
		about := f.About == name || f.Partition >= 0 && (f.Check == "log" || f.Check == "outputs")
		if about && (f.Status != doctor.OK || strings.Contains(f.Detail, "not there")) {
			return f.Detail
		}
	}
	w.startHoldfast()
	return ""
}

// brokerComesUp starts the broker, and reports whether it begins.
func (w *world) brokerComesUp() bool {
	w.t.Helper()
	w.launchBroker()
	within(comesUpMax, func() bool { return w.broker.ended() || brokerIsAt.MatchString(w.broker.out.String()) })
	return brokerIsAt.MatchString(w.broker.out.String())
}
