package stream

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestAnEmbeddedServerKeepsWhatItHolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := testContext(t)
	for _, want := range []uint64{1, 2} {
		e, err := StartEmbedded(EmbeddedConfig{Dir: dir, Port: -1, SyncAlways: true})
		must(t, err)
		nc, err := nats.Connect(e.URL())
		must(t, err)
		js, err := jetstream.New(nc)
		must(t, err)
		_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
		must(t, err)
		ack, err := js.Publish(ctx, "s", []byte("x"))
		must(t, err)
		if ack.Sequence != want {
			t.Errorf("stored as %d, want %d", ack.Sequence, want)
		}
		nc.Close()
		must(t, e.Close())
	}
}

func TestASecondEmbeddedServerOnAFolderIsRefused(t *testing.T) {
	t.Parallel()
	w := newServer(t)
	_, err := StartEmbedded(EmbeddedConfig{Dir: w.dir, Port: -1})
	if err == nil || !strings.Contains(err.Error(), w.dir) || !strings.Contains(err.Error(), "another holdfast has it") {
		t.Errorf("got %v, want an error that names the folder and says who has it", err)
	}
	if !w.nc.IsConnected() {
		t.Error("the first one is gone")
	}
}

func TestAnEmbeddedServerIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"0.0.0.0", "::", "192.0.2.1", "example.com"} {
		dir := filepath.Join(t.TempDir(), "nats")
		e, err := StartEmbedded(EmbeddedConfig{Dir: dir, Host: host, Port: -1, Log: quiet(io.Discard)})
		if err == nil {
			t.Errorf("it listens on %s", host)
			must(t, e.Close())
			continue
		}
		if !strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), "--nats") {
			t.Errorf("%q does not name %s and the way out", err, host)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("on %s it made a folder: %v", host, err)
		}
	}
}

func TestAPortThatIsTakenIsSaid(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	_, err = StartEmbedded(EmbeddedConfig{Dir: dir, Port: port, Log: quiet(io.Discard)})
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), strconv.Itoa(port)) || !strings.Contains(err.Error(), "--nats-port") {
		t.Errorf("got %v, want an error that says that the port is in use", err)
	}
	// It leaves nothing locked.
	e, err := StartEmbedded(EmbeddedConfig{Dir: dir, Port: -1, Log: quiet(io.Discard)})
	must(t, err)
	must(t, e.Close())
}

// TestAServerThatNeverComesPastADamagedStreamIsGivenUp, and it says meanwhile that it waits.
func TestAServerThatNeverComesPastADamagedStreamIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		problem, returned := begin(func() { <-release }, func(time.Duration) bool {
			t.Error("asked whether it is ready before it had started")
			return false
		}, nil, quiet(&log))
		if returned || !strings.Contains(problem, "holdfast doctor") || time.Since(began) != embeddedStartMax {
			t.Errorf("after %v: %q, returned %v", time.Since(began), problem, returned)
		}
		if said := strings.Count(log.String(), "still reads its streams"); said < 10 {
			t.Errorf("it said %d times that it waits:\n%s", said, log.String())
		}
	})
}

// TestAServerThatIsNeverReadyIsGivenUp once it had as long as one that reads.
func TestAServerThatIsNeverReadyIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		problem, returned := begin(func() { time.Sleep(embeddedStartMax / 2) }, func(d time.Duration) bool {
			time.Sleep(d)
			return false
		}, nil, quiet(io.Discard))
		if !returned || problem == "" || time.Since(began) != embeddedStartMax {
			t.Errorf("after %v: %q, returned %v", time.Since(began), problem, returned)
		}
	})
}
