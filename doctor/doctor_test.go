package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sales = 40 // of each partition

// ward is a deployment that ran, and was stopped.
type ward struct {
	t      *testing.T
	ctx    context.Context
	config Config
	url    string
	log    *slog.Logger

	streams string // the broker's folder
	broker  *stream.Embedded
	nc      *nats.Conn
}

func newWard(t *testing.T) *ward {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &ward{t: t, ctx: ctx, streams: t.TempDir(), log: quiet, config: Config{
		StateDir: filepath.Join(t.TempDir(), "state"),
		Topology: stream.Topology{Prefix: "holdfast", Partitions: 2, Replicas: 1},
		Log:      quiet,
	}}
	w.startBroker()
	t.Cleanup(func() { w.stopBroker() })
	p := w.start()
	for partition := range 2 {
		w.sell(partition, "")
	}
	must(t, p.Settle(ctx))
	must(t, p.Close())
	return w
}

func (w *ward) startBroker() {
	w.t.Helper()
	var err error
	w.broker, err = stream.StartEmbedded(stream.EmbeddedConfig{Dir: w.streams, Port: -1, Log: w.log})
	must(w.t, err)
	w.url = w.broker.URL()
	w.nc, err = nats.Connect(w.url)
	must(w.t, err)
	w.config.JS, err = jetstream.New(w.nc)
	must(w.t, err)
}

func (w *ward) stopBroker() {
	w.t.Helper()
	w.nc.Close()
	must(w.t, w.broker.Close())
}

func (w *ward) start() *stream.Processor {
	w.t.Helper()
	p, err := stream.Start(w.ctx, stream.Config{
		Topology:  w.config.Topology,
		Connect:   func(name string) (*nats.Conn, error) { return nats.Connect(w.url, nats.Name(name)) },
		DataDir:   w.config.StateDir,
		TickEvery: -1,
		Log:       w.log,
	})
	must(w.t, err)
	return p
}

// sell puts sales of one unit each into a partition's log, which oversell it.
func (w *ward) sell(partition int, id string) {
	w.t.Helper()
	for n := range sales {
		d := inventory.Delta{
			ID: fmt.Sprint(id, n), Source: "pos", SKU: w.sku(partition), Location: fmt.Sprint("store-", n%4),
			Kind: inventory.Sale, Channel: "web", Quantity: 1, Time: 1_764_000_000_000 + inventory.Millis(n),
		}
		_, err := w.config.JS.Publish(w.ctx, w.config.Topology.DeltaSubject(partition), codec.AppendDelta(nil, &d))
		must(w.t, err)
	}
}

func (w *ward) sku(partition int) string {
	for i := 0; ; i++ {
		if sku := fmt.Sprint("sku-", i); codec.Partition(sku, w.config.Topology.Partitions) == partition {
			return sku
		}
	}
}

func (w *ward) examine() *Report {
	w.t.Helper()
	report, err := Examine(w.ctx, w.config)
	must(w.t, err)
	return report
}

// wrong returns what did not come out well, a line a finding.
func wrong(r *Report) string {
	var lines []string
	for _, f := range r.Findings {
		if f.Status != OK {
			lines = append(lines, fmt.Sprintf("%s %s of %s: %s → %s", f.Status, f.Check, f.About, f.Detail, f.WayOut))
		}
	}
	return strings.Join(lines, "\n")
}

// want fails unless exactly one thing failed, its line says all of that, and it can be rebuilt or not.
func (w *ward) want(r *Report, rebuild bool, words ...string) {
	w.t.Helper()
	var failed []Finding
	for _, f := range r.Findings {
		if f.Status == Failed {
			failed = append(failed, f)
		}
	}
	if r.OK || len(failed) != 1 || failed[0].Rebuild != rebuild || failed[0].WayOut == "" {
		w.t.Fatalf("ok: %v, want one failure that can be rebuilt: %v\n%s", r.OK, rebuild, wrong(r))
	}
	for _, word := range words {
		if line := failed[0].About + ": " + failed[0].Detail + failed[0].WayOut; !strings.Contains(line, word) {
			w.t.Errorf("%q does not say %q", line, word)
		}
	}
}

// repair repairs, and wants the deployment to be well after it and after its next start.
func (w *ward) repair(r *Report) {
	w.t.Helper()
	var said []string
	must(w.t, Repair(w.ctx, w.config, r, "test", func(line string) {
		if !strings.Contains(line, "taking back") {
			said = append(said, line)
		}
	}))
	if len(said) != 2 || !strings.Contains(said[0], "partition 1: moving its folder aside") {
		w.t.Errorf("it said %q", said)
	}
	if _, err := os.Stat(filepath.Join(w.config.StateDir, "partitions", "0001.quarantine-test")); err != nil {
		w.t.Errorf("the old folder: %v", err)
	}
	if after := w.examine(); !after.OK {
		w.t.Fatalf("after the repair:\n%s", wrong(after))
	}
	p := w.start()
	must(w.t, p.Settle(w.ctx))
	for partition := range 2 {
		a, err := p.Location(w.sku(partition), "store-1")
		if err != nil || a.OnHand != -sales/4 {
			w.t.Errorf("partition %d: %d on hand, %v; want %d", partition, a.OnHand, err, -sales/4)
		}
	}
	must(w.t, p.Close())
	if after := w.examine(); wrong(after) != "" {
		w.t.Errorf("after the next start:\n%s", wrong(after))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAHealthyDeployment(t *testing.T) {
	w := newWard(t)
	r := w.examine()
	if !r.OK || wrong(r) != "" {
		t.Errorf("it is well, and yet\n%s", wrong(r))
	}
	seen := map[string]int{}
	for _, f := range r.Findings {
		seen[f.Check]++
	}
	for check, times := range map[string]int{"space": 1, "folder": 1, "files": 2, "streams": 1, "clock": 1, "log": 2, "outputs": 2} {
		if seen[check] != times {
			t.Errorf("%s was looked at %d times, want %d", check, seen[check], times)
		}
	}
	p := w.start()
	if running := w.examine(); !running.OK || !strings.Contains(wrong(running), "a holdfast runs on it") {
		t.Errorf("while it runs:\n%s", wrong(running))
	}
	if err := Repair(w.ctx, w.config, &Report{Findings: []Finding{{Rebuild: true}}}, "x", func(string) {}); err == nil {
		t.Error("a folder was repaired that a holdfast runs on")
	}
	must(t, p.Close())
}

func TestAFlippedByte(t *testing.T) {
	w := newWard(t)
	var largest string
	var size int64
	must(t, filepath.WalkDir(filepath.Join(w.config.StateDir, "partitions", "0001"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".sst") {
			if info, err := entry.Info(); err == nil && info.Size() > size {
				largest, size = path, info.Size()
			}
		}
		return err
	}))
	coded, err := os.ReadFile(largest)
	must(t, err)
	coded[len(coded)/4] ^= 0x10
	must(t, os.WriteFile(largest, coded, 0o600))

	r := w.examine()
	w.want(r, true, "partition 1", "--repair")
	w.repair(r)
}

func TestALogThatLostItsTail(t *testing.T) {
	w := newWard(t)
	must(t, w.config.JS.DeleteStream(w.ctx, w.config.Topology.DeltaStream(1)))
	must(t, w.config.Topology.Ensure(w.ctx, w.config.JS))
	r := w.examine()
	w.want(r, true, "partition 1", "the log lost its tail", "--repair")

	w.sell(1, "other-")
	r = w.examine()
	w.want(r, true, "partition 1", "fingerprint", "--repair")
	w.repair(r)
}

// TestALogThatIsNotWhole: where the log no longer has its beginning, no folder is moved aside, and there is a way out all the same.
func TestALogThatIsNotWhole(t *testing.T) {
	w := newWard(t)
	s, err := w.config.JS.Stream(w.ctx, w.config.Topology.DeltaStream(1))
	must(t, err)
	must(t, s.Purge(w.ctx, jetstream.WithPurgeSequence(sales/2)))
	if r := w.examine(); !r.OK {
		t.Errorf("retention took what is applied, and yet\n%s", wrong(r))
	}
	must(t, os.RemoveAll(filepath.Join(w.config.StateDir, "partitions", "0001")))
	r := w.examine()
	w.want(r, false, "partition 1", "this partition has no state", "restore the streams")
	must(t, Repair(w.ctx, w.config, r, "test", func(line string) { t.Errorf("it repairs: %s", line) }))
}

func TestAnotherNumberOfPartitions(t *testing.T) {
	w := newWard(t)
	w.config.Topology.Partitions = 3
	r := w.examine()
	text := wrong(r)
	for _, words := range []string{"failed folder", "made for 2 partitions, not 3", "failed streams", "HOLDFAST_DELTA_0002 is not there"} {
		if r.OK || !strings.Contains(text, words) {
			t.Errorf("it does not say %q:\n%s", words, text)
		}
	}
	w.config.Topology.Partitions = 1
	if r := w.examine(); r.OK || !strings.Contains(wrong(r), "none of the 1 partitions") {
		t.Errorf("with one partition:\n%s", wrong(r))
	}
}

func TestNoBroker(t *testing.T) {
	w := newWard(t)
	w.config.JS, w.config.NoBroker = nil, errors.New("nobody answers")
	w.want(w.examine(), false, "nobody answers", "--nats")
}

// TestWhatIsSaidOfWhatWasLost: a log loses messages of which outputs were said, and the state had not stored that
// they were applied. What comes in their place must not be taken for said: the partition stands still, and the
// doctor takes back what was said.
func TestWhatIsSaidOfWhatWasLost(t *testing.T) {
	w := newWard(t)
	log := filepath.Join(w.streams, "jetstream", "$G", "streams", w.config.Topology.DeltaStream(1))
	older := t.TempDir()
	w.stopBroker()
	must(t, os.CopyFS(filepath.Join(older, "log"), os.DirFS(log)))
	must(t, os.CopyFS(filepath.Join(older, "state"), os.DirFS(w.config.StateDir)))
	w.startBroker()
	lost := inventory.Delta{
		ID: "lost", Source: "wms", SKU: w.sku(1), Location: "store-1", Kind: inventory.Count, Quantity: 100, Time: 1_764_000_000_000 + inventory.Hour,
	}
	_, err := w.config.JS.Publish(w.ctx, w.config.Topology.DeltaSubject(1), codec.AppendDelta(nil, &lost)) // which releases what is held
	must(t, err)
	_, err = w.config.JS.Publish(w.ctx, w.config.Topology.DeltaSubject(1), []byte("no delta"))
	must(t, err)
	p := w.start()
	must(t, p.Settle(w.ctx))
	must(t, p.Close())

	w.stopBroker()
	for _, dir := range []string{log, w.config.StateDir} {
		must(t, os.RemoveAll(dir))
	}
	must(t, os.CopyFS(log, os.DirFS(filepath.Join(older, "log"))))
	must(t, os.CopyFS(w.config.StateDir, os.DirFS(filepath.Join(older, "state"))))
	w.startBroker()
	for _, more := range []string{"", "other-"} { // as the log is, and with others in their place
		if more != "" {
			w.sell(1, more)
		}
		p = w.start()
		failed := p.Failed()
		if err := failed[1]; len(failed) != 1 || !errors.Is(err, stream.ErrLogDiffers) || !strings.Contains(err.Error(), "is about it") || !strings.Contains(err.Error(), "holdfast doctor --repair") {
			t.Errorf("with %q published since, what stands still is %v", more, failed)
		}
		must(t, p.Close())
	}

	r := w.examine()
	if r.OK || !strings.Contains(wrong(r), "failed outputs of partition 1") || !strings.Contains(wrong(r), "takes back what was said") {
		t.Fatalf("it finds\n%s", wrong(r))
	}
	var said []string
	must(t, Repair(w.ctx, w.config, r, "test", func(line string) { said = append(said, line) }))
	if len(said) == 0 || !strings.Contains(said[0], "taking back") {
		t.Errorf("it said %q", said)
	}
	if r := w.examine(); !r.OK {
		t.Fatalf("after the repair it finds\n%s", wrong(r))
	}
	p = w.start()
	must(t, p.Settle(w.ctx))
	if a, err := p.Location(w.sku(1), "store-1"); err != nil || a.OnHand != -sales/2 {
		t.Errorf("%d on hand, %v; want %d", a.OnHand, err, -sales/2)
	}
	must(t, p.Close())
	if r := w.examine(); wrong(r) != "" {
		t.Errorf("after the next start it finds\n%s", wrong(r))
	}
}

func TestLostOutputs(t *testing.T) {
	w := newWard(t)
	for kind := range stream.Rejected {
		s, err := w.config.JS.Stream(w.ctx, w.config.Topology.OutputStream(kind))
		must(t, err)
		must(t, s.Purge(w.ctx))
	}
	r := w.examine()
	if !r.OK || !strings.Contains(wrong(r), "holds may be missing") {
		t.Errorf("the streams of outputs are empty, and it says\n%s", wrong(r))
	}
}

// TestAStreamOfOutputsThatWasEmptied: the others go on, to beyond what it had, and what it had is missed.
func TestAStreamOfOutputsThatWasEmptied(t *testing.T) {
	w := newWard(t)
	commands := w.config.Topology.OutputStream(stream.Command)
	s, err := w.config.JS.Stream(w.ctx, commands)
	must(t, err)
	must(t, s.Purge(w.ctx))
	_, err = w.config.JS.Publish(w.ctx, w.config.Topology.DeltaSubject(1), []byte("no delta"))
	must(t, err)
	p := w.start()
	must(t, p.Settle(w.ctx))
	must(t, p.Close())
	r := w.examine()
	if !r.OK || strings.Count(wrong(r), "in none of the four streams") == 0 || !strings.Contains(wrong(r), "nothing in "+commands) {
		t.Errorf("%s is empty, and it says\n%s", commands, wrong(r))
	}
}

// TestWhatIsMissing: what retention took is not.
func TestWhatIsMissing(t *testing.T) {
	at := func(minutes ...int) (said []output) { // of the ordinals 1, 2, …; 0: it is gone
		for i, m := range minutes {
			if m > 0 {
				said = append(said, output{uint64(i + 1), time.Unix(int64(m)*60, 0)})
			}
		}
		return said
	}
	for name, c := range map[string]struct {
		said           []output
		known          int // minute
		last           uint64
		first, missing uint64
	}{
		"all there":                        {said: at(1, 2, 3), last: 3},
		"nothing said":                     {},
		"one in the midst":                 {said: at(1, 0, 3), last: 3, first: 2, missing: 1},
		"the head":                         {said: at(0, 0, 3), last: 3, first: 1, missing: 2},
		"the tail":                         {said: at(1, 0, 0), last: 3, first: 2, missing: 2},
		"all":                              {last: 3, first: 1, missing: 3},
		"not yet stored":                   {said: at(1, 2, 0, 4), last: 2},
		"retention took the head":          {said: at(0, 0, 30, 40), known: 20, last: 4},
		"and of one stream more":           {said: at(0, 10, 0, 15, 30, 40), known: 20, last: 6},
		"and one after it was lost":        {said: at(0, 10, 0, 30, 0, 40), known: 20, last: 6, first: 5, missing: 1},
		"retention took all":               {known: 20, last: 4},
		"all that is left may lack others": {said: at(1, 0, 3, 0), known: 20, last: 4},
	} {
		h := heard{parts: map[int][]output{0: c.said}}
		if c.known > 0 {
			h.known = time.Unix(int64(c.known)*60, 0)
		}
		if first, missing := h.missing(0, c.last); first != c.first || missing != c.missing {
			t.Errorf("%s: %d from %d on, want %d from %d on", name, missing, first, c.missing, c.first)
		}
	}
}

// TestWhatAnotherVersionWrote: a format that this program does not know is told before anything runs into it.
func TestWhatAnotherVersionWrote(t *testing.T) {
	w := newWard(t)
	folder, err := state.OpenFolder(w.config.StateDir, state.Options{Partitions: 2, Prefix: "holdfast", CacheBytes: 1 << 20, Log: w.log})
	must(t, err)
	db, err := folder.OpenPartition(1)
	must(t, err)
	b := db.NewBatch()
	must(t, b.Set([]byte("k!"), []byte{99})) // a network's key, before all others
	must(t, db.Commit(b))
	must(t, errors.Join(b.Close(), db.Close(), folder.Close()))

	r := w.examine()
	w.want(r, true, "partition 1", "its networks: format 99, this program reads 7", "--repair")
	w.repair(r)
}

// TestALogThatTheBrokerCanNotRead: a block of it lost its end. The partition has applied what is gone, so it runs; but it can't be
// built anew, and nothing must be moved aside.
func TestALogThatTheBrokerCanNotRead(t *testing.T) {
	w := newWard(t)
	w.stopBroker()
	blocks, err := filepath.Glob(filepath.Join(w.streams, "jetstream", "*", "streams", w.config.Topology.DeltaStream(1), "msgs", "*.blk"))
	must(t, err)
	if len(blocks) != 1 {
		t.Fatalf("the log has blocks %v", blocks)
	}
	info, err := os.Stat(blocks[0])
	must(t, err)
	must(t, os.Truncate(blocks[0], info.Size()/2))
	w.startBroker()
	r := w.examine()
	w.want(r, false, "partition 1", "can't be had", "restore the stream from a backup")
	must(t, Repair(w.ctx, w.config, r, "test", func(line string) { t.Errorf("it does something: %s", line) }))
}
