package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/doctor"
	"github.com/holdfast-atp/holdfast/stream"
)

const partitions = 3

// world is a deployment, and who publishes to it.
type world struct {
	loaded atomic.Bool // the latest load is published, or was given up

	t        *testing.T
	program  string // holdfast
	rnd      *rand.Rand
	topology stream.Topology
	js       jetstream.JetStream
	producer *producer

	streams  string // the broker's folder
	data     string // holdfast's
	port     int    // the broker's, the same for each that comes back
	broker   *child
	holdfast *child
	url      string // of holdfast's HTTP

	// begun is the sequence from which on each partition of the running holdfast applied its log; nil: where it was killed,
	// nobody knows.
	begun []uint64
}

// newWorld starts a broker and a holdfast.
func newWorld(t *testing.T, program string, seed uint64) *world {
	dir := t.TempDir()
	w := &world{
		t:        t,
		program:  program,
		rnd:      rand.New(rand.NewPCG(seed, 2)),
		topology: stream.Topology{Prefix: "holdfast", Partitions: partitions, Replicas: 1},
		streams:  filepath.Join(dir, "streams"),
		data:     filepath.Join(dir, "data"),
		port:     -1,
	}
	w.startBroker()
	nc, err := nats.Connect(w.brokerURL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if w.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	w.producer = newProducer(w.js, w.topology, seed)
	w.startHoldfast()
	w.begun = make([]uint64, partitions)
	return w
}

func (w *world) brokerURL() string { return fmt.Sprintf("nats://127.0.0.1:%d", w.port) }

var brokerIsAt = regexp.MustCompile(`broker: nats://.*:(\d+)`)

func (w *world) startBroker() {
	w.t.Helper()
	w.launchBroker()
	port, err := strconv.Atoi(w.broker.await(brokerIsAt))
	if err != nil {
		w.t.Fatal(err)
	}
	w.port = port
}

// launchBroker starts one, which may not be ready.
func (w *world) launchBroker() {
	w.t.Helper()
	cmd := exec.Command(os.Args[0], w.streams, strconv.Itoa(w.port))
	cmd.Env = append(os.Environ(), asBroker+"=1")
	if _, err := cmd.StdinPipe(); err != nil { // it is held open for as long as we live
		w.t.Fatal(err)
	}
	w.broker = launch(w.t, "the broker", cmd)
}

// command is holdfast with what every subcommand is given.
func (w *world) command(subcommand string, more ...string) *exec.Cmd {
	args := append([]string{subcommand, "--nats", w.brokerURL(), "--data", w.data, "--partitions", strconv.Itoa(partitions), "--retention", "0"}, more...)
	return exec.Command(w.program, args...)
}

var httpIsAt = regexp.MustCompile(`console and API: (http://\S+)/`)

// startHoldfast starts one, and returns when it serves.
func (w *world) startHoldfast() {
	w.t.Helper()
	w.serve(w.command("run", "--http", "127.0.0.1:0", "--cache", "8MiB"))
}

func (w *world) serve(cmd *exec.Cmd) {
	w.t.Helper()
	w.begun = nil
	w.holdfast = launch(w.t, "holdfast", cmd)
	w.url = w.holdfast.await(httpIsAt)
}

// stopHoldfast stops it in order: what it read is on the disk then.
func (w *world) stopHoldfast() (ends []uint64) {
	w.t.Helper()
	w.holdfast.stop()
	return w.ends()
}

// ends returns the sequence of the last message of each log.
func (w *world) ends() (all []uint64) {
	w.t.Helper()
	for p := range partitions {
		var info *jetstream.StreamInfo
		eventually(w.t, "the broker says where a log ends", func() error {
			ctx, cancel := context.WithTimeout(w.t.Context(), answerMax)
			defer cancel()
			s, err := w.js.Stream(ctx, w.topology.DeltaStream(p))
			if err == nil {
				info = s.CachedInfo()
			}
			return err
		})
		all = append(all, info.State.LastSeq)
	}
	return all
}

// load publishes messages to all partitions, or to some, and meanwhile does what is to be done.
func (w *world) load(messages int, meanwhile func(), to ...int) {
	w.t.Helper()
	if len(to) == 0 {
		to = []int{0, 1, 2}
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	published := make(chan error, 1)
	w.loaded.Store(false)
	go func() {
		err := w.producer.load(ctx, messages, to)
		w.loaded.Store(true)
		published <- err
	}()
	meanwhile()
	if err := <-published; err != nil {
		w.t.Fatal(err)
	}
}

// moreAcked waits until n messages more are stored, a try is not answered, or the load is over.
func (w *world) moreAcked(n int64) {
	w.t.Helper()
	acked, refused := w.producer.acked.Load()+n, w.producer.refused.Load()
	eventually(w.t, "more messages are stored", func() error {
		if w.producer.acked.Load() < acked && w.producer.refused.Load() == refused && !w.loaded.Load() {
			return fmt.Errorf("%d of %d are", w.producer.acked.Load(), acked)
		}
		return nil
	})
}

// overview is how holdfast stands.
type overview struct {
	Ready      bool
	Partitions []struct {
		Partition int
		Position  uint64
		CaughtUp  bool `json:"caught_up"`
		Error     string
	}
}

var web = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// get asks holdfast.
func (w *world) get(path string) (body []byte, err error) {
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := web.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return body, nil
}

func (w *world) getJSON(path string, answer any) error {
	body, err := w.get(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

// examined is what holdfast doctor says: the partitions in which a check failed. What else fails is a fault of the test.
func (w *world) examined(check string) (failed map[int]bool) {
	w.t.Helper()
	report := w.doctor()
	failed = map[int]bool{}
	for _, f := range report.Findings {
		if f.Status != doctor.Failed {
			continue
		}
		if f.Check != check && !f.TakeBack || f.Partition < 0 || !f.Rebuild && !f.TakeBack {
			w.t.Errorf("doctor finds %s of %s failed, which nobody broke: %s", f.Check, f.About, f.Detail)
		}
		failed[f.Partition] = true
	}
	if report.OK != (len(failed) == 0) {
		w.t.Errorf("doctor says that all is well: %v, with %d partitions failed", report.OK, len(failed))
	}
	return failed
}

// doctor runs it on a folder on which no holdfast runs.
func (w *world) doctor(more ...string) (report doctor.Report) {
	w.t.Helper()
	cmd := w.command("doctor", append([]string{"--json", "--sample", "1GiB"}, more...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		w.t.Fatalf("doctor: %v: %s\n%s", err, out, &complaints)
	}
	if report.OK != (exit == nil) {
		w.t.Errorf("doctor ended with %v and says that all is well: %v", err, report.OK)
	}
	return report
}

// repaired has the doctor move aside what it can, and starts holdfast on what is left.
func (w *world) repaired(failed map[int]bool) {
	w.t.Helper()
	if report := w.doctor("--repair"); !report.OK {
		w.t.Errorf("after its repair doctor still finds %+v", report.Findings)
	}
	ends := w.ends()
	w.startHoldfast()
	w.begun = ends
	for p := range failed {
		w.begun[p] = 0
	}
}
