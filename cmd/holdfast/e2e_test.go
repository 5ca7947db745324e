package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
)

// everything starts a holdfast with all that it embeds, on free ports.
func everything(t *testing.T) (p *process, natsURL string) {
	t.Helper()
	p = start(t, "run", "--data", t.TempDir(), "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "4", "--sync", "lazy")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if _, rest, ok := strings.Cut(line, " on nats://"); ok {
			natsURL, _, _ = strings.Cut(rest, " ")
			return p, "nats://" + natsURL
		}
	}
	t.Fatalf("it did not say where NATS is: %q", p.lines)
	return nil, ""
}

const at = "2025-11-24T09:30:00Z"

func connect(t *testing.T, url string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// TestEveryWayInComesToTheSame: the same life of a key by each way in gives the same stock
// and the same hold.
func TestEveryWayInComesToTheSame(t *testing.T) {
	p, natsURL := everything(t)
	nc := connect(t, natsURL)
	life := func(sku string) []inventory.Delta {
		base := inventory.Delta{Source: "test", SKU: sku, Location: "leeds", Time: inventory.MillisOf(time.Date(2025, 11, 24, 9, 0, 0, 0, time.UTC))}
		count, sale, receipt := base, base, base
		count.ID, count.Kind, count.Quantity = sku+"-1", inventory.Count, 2
		sale.ID, sale.Kind, sale.Quantity, sale.Channel, sale.Time = sku+"-2", inventory.Sale, 5, "web", base.Time+1000
		receipt.ID, receipt.Kind, receipt.Quantity, receipt.Ref, receipt.Time = sku+"-3", inventory.Receipt, 1, "po-1", base.Time+2000
		return []inventory.Delta{count, sale, receipt}
	}
	encode := func(deltas []inventory.Delta, form func([]byte, *inventory.Delta) []byte) (all []byte) {
		for i := range deltas {
			all = form(all, &deltas[i])
		}
		return all
	}
	post := func(contentType string, body []byte) {
		var answer struct{ Accepted int }
		if status := p.post("/v1/deltas", contentType, body, &answer); status != http.StatusAccepted || answer.Accepted != 3 {
			t.Errorf("%s: %d, %d accepted", contentType, status, answer.Accepted)
		}
	}
	delta := func(sku string, payload []byte) {
		if err := nc.Publish(fmt.Sprintf("holdfast.delta.%d", codec.Partition(sku, 4)), payload); err != nil {
			t.Fatal(err)
		}
	}
	ways := map[string]func(sku string){
		"delta, arrays": func(sku string) { delta(sku, encode(life(sku), codec.AppendDelta)) },
		"delta, maps":   func(sku string) { delta(sku, encode(life(sku), codec.AppendDeltaMap)) },
		"delta, JSON":   func(sku string) { delta(sku, encode(life(sku), codec.AppendDeltaJSON)) },
		"in, one request a delta": func(sku string) {
			for _, d := range life(sku) {
				reply, err := nc.Request("holdfast.in."+codec.Token(sku), codec.AppendDeltaJSON(nil, &d), 10*time.Second)
				if err != nil || !strings.Contains(string(reply.Data), `"stored":true`) {
					t.Errorf("request: %v %s", err, reply.Data)
				}
			}
		},
		"HTTP, JSON array": func(sku string) {
			var parts []string
			for _, d := range life(sku) {
				parts = append(parts, string(codec.AppendDeltaJSON(nil, &d)))
			}
			post("application/json", []byte("["+strings.Join(parts, ",")+"]"))
		},
		"HTTP, NDJSON": func(sku string) {
			post("application/x-ndjson", encode(life(sku), func(b []byte, d *inventory.Delta) []byte { return append(codec.AppendDeltaJSON(b, d), '\n') }))
		},
		"HTTP, msgpack": func(sku string) { post("application/msgpack", encode(life(sku), codec.AppendDeltaMap)) },
		"client": func(sku string) {
			producer, err := client.NewProducer(nc)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := producer.PublishAll(t.Context(), life(sku)); err != nil {
				t.Error(err)
			}
			if err := producer.Close(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"publish": func(sku string) {
			cmd := program(t, "publish", "--nats", natsURL)
			cmd.Stdin = bytes.NewReader(encode(life(sku), func(b []byte, d *inventory.Delta) []byte { return append(codec.AppendDeltaJSON(b, d), '\n') }))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("publish: %v %s", err, out)
			}
		},
	}
	for name, publish := range ways {
		t.Run(name, func(t *testing.T) {
			sku := "a b.*>/" + name
			publish(sku)
			var one inventory.LocationAvailability
			eventually(t, "the receipt is applied", func() bool {
				return p.get("/v1/atp/"+url.PathEscape(sku)+"/leeds", &one) == http.StatusOK && one.OnHand == -2
			})
			if one.ATP != -2 || len(one.Channels) != 1 || !one.Channels[0].Held {
				t.Errorf("got %+v, want ATP −2 and web held", one)
			}
			var answer struct{ Directives []inventory.Command }
			eventually(t, "the hold is in the table of directives", func() bool {
				return p.get("/v1/directives?sku="+url.QueryEscape(sku), &answer) == http.StatusOK && len(answer.Directives) == 1
			})
			c := answer.Directives[0]
			if c.Action != inventory.Hold || c.Channel != "web" || c.Location != "leeds" || c.Class != inventory.Oversell || !strings.Contains(c.Reason, "3 units more") {
				t.Errorf("got %+v, want a hold of web at leeds for 3 units too many", c)
			}
		})
	}
	p.stop()
}

// TestWhatCannotBeUsedIsKeptWithItsReason: nothing that is published disappears, and what is
// good among it is applied.
func TestWhatCannotBeUsedIsKeptWithItsReason(t *testing.T) {
	p, natsURL := everything(t)
	nc := connect(t, natsURL)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	good := func(id string) string {
		return `{"id":"` + id + `","source":"test","sku":"tea","location":"leeds","kind":"receipt","ref":"po","quantity":1,"time":"` + at + `"}`
	}
	item := func(fields string) string {
		return `{"id":"x","source":"test","sku":"tea","location":"leeds","time":"` + at + `",` + fields + `}`
	}
	bad := []struct{ payload, reason string }{
		{"\x95\xa1", "malformed"},
		{"\xc1", "malformed"},
		{`[1,2]`, "malformed"},
		{`{"id":`, "malformed"},
		{item(`"kind":"sale","quantity":"many","channel":"web"`), "malformed"},
		{item(`"kind":"teleport","quantity":1`), "unknown_kind"},
		{item(`"kind":"sale","quantity":1`), "missing_field"},
		{item(`"kind":"sale","quantity":0,"channel":"web"`), "out_of_range"},
		{item(`"kind":"receipt","ref":"r","quantity":9007199254740992`), "overflow"},
		{item(`"kind":"receipt","ref":"a\u0000b","quantity":1`), "out_of_range"},
		{strings.Replace(good("y"), "tea", "te\xffa", 1), ""},
		{strings.Replace(good("z"), "tea", "cocoa", 1), "wrong_partition"},
		{strings.Replace(good("old"), at, "2025-11-20T00:00:00Z", 1), "late"},
		{strings.Replace(good("ahead"), at, "2038-01-19T03:14:08Z", 1), "future"},
	}
	partition := codec.Partition("tea", 4)
	if codec.Partition("cocoa", 4) == partition {
		t.Fatal("cocoa must belong to another partition than tea")
	}
	for i, b := range bad {
		// The bad one stands alone in its message, as nobody could tell where broken msgpack ends.
		for _, payload := range []string{good(fmt.Sprint("before-", i)), b.payload, good(fmt.Sprint("after-", i))} {
			if _, err := js.Publish(t.Context(), fmt.Sprintf("holdfast.delta.%d", partition), []byte(payload)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var one inventory.LocationAvailability
	eventually(t, "the good ones are applied", func() bool {
		return p.get("/v1/atp/tea/leeds", &one) == http.StatusOK && one.OnHand == int64(2*len(bad))
	})

	consumer, err := js.OrderedConsumer(t.Context(), "HOLDFAST_REJECTED", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bad {
		msg, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatalf("rejected %d: %v", i, err)
		}
		reason := strings.TrimPrefix(msg.Subject(), "holdfast.rejected.")
		if b.reason != "" && reason != b.reason {
			t.Errorf("%q: rejected as %s, want %s", b.payload, reason, b.reason)
		}
		if !bytes.Equal(msg.Data(), []byte(b.payload)) {
			t.Errorf("%q is kept as %q", b.payload, msg.Data())
		}
		h := msg.Headers()
		if h.Get("Holdfast-Partition") != fmt.Sprint(partition) || h.Get("Holdfast-Sequence") != fmt.Sprint(3*i+2) || !strings.Contains(h.Get("Holdfast-Error"), reason) {
			t.Errorf("%q: headers %v", b.payload, h)
		}
	}

	var problem struct{ Title, Detail string }
	if status := p.post("/v1/deltas", "application/json", bytes.Repeat([]byte(" "), 10<<20), &problem); status != http.StatusRequestEntityTooLarge || problem.Detail == "" {
		t.Errorf("10 MiB: %d %+v", status, problem)
	}
	p.stop()
}

// TestReadYourOwnWrite: the position that a producer gets makes a question wait for it.
func TestReadYourOwnWrite(t *testing.T) {
	p, natsURL := everything(t)
	producer, err := client.NewProducer(connect(t, natsURL))
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(20) {
		acks, err := producer.PublishAll(t.Context(), []inventory.Delta{{
			ID: fmt.Sprint(n), Source: "test", SKU: "tea", Location: "leeds", Kind: inventory.Receipt, Ref: "po", Quantity: 1, Time: 1_763_964_000_000 + inventory.Millis(n),
		}})
		if err != nil {
			t.Fatal(err)
		}
		var one inventory.LocationAvailability
		path := fmt.Sprintf("/v1/atp/tea/leeds?position=%d:%d", acks[0].Partition, acks[0].Sequence)
		if status := p.get(path, &one); status != http.StatusOK || one.OnHand != n+1 || one.Sequence < acks[0].Sequence {
			t.Fatalf("after %d receipts: %d %+v", n+1, status, one)
		}
	}
	if err := producer.Close(t.Context()); err != nil {
		t.Error(err)
	}
	p.stop()
}

// TestAFolderHasOneOwner: a second process is told so.
func TestAFolderHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "run", "--data", dir, "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "2", "--sync", "lazy")
	second := program(t, "run", "--data", dir, "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "2")
	out, err := second.CombinedOutput()
	if code := exitCode(err); code != exitFailed || !strings.Contains(string(out), "another holdfast has it") {
		t.Errorf("the second ended with %d: %s", code, out)
	}
	p.stop()

	other := program(t, "run", "--data", dir, "--nats-port", "0", "--http", "127.0.0.1:0", "--partitions", "3", "--sync", "lazy")
	out, err = other.CombinedOutput()
	if code := exitCode(err); code != exitFailed || !strings.Contains(string(out), "partitions") {
		t.Errorf("with another number of partitions it ended with %d: %s", code, out)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, exitDone, "Commands:"},
		{nil, exitDone, "Commands:"},
		{[]string{"version"}, exitDone, "holdfast "},
		{[]string{"version", "--json"}, exitDone, `"version":`},
		{[]string{"fly"}, exitUsage, "unexpected argument fly"},
		{[]string{"run", "--partitions", "many"}, exitUsage, "--partitions"},
		{[]string{"run", "--cache", "lots"}, exitUsage, "no size in bytes"},
		{[]string{"atp"}, exitUsage, "<sku>"},
		{[]string{"atp", "tea", "--http", "nonsense"}, exitUsage, "host:port"},
		{[]string{"atp", "tea", "--http", "127.0.0.1:1"}, exitFailed, "start holdfast run"},
		{[]string{"replay", "no-such-file"}, exitUsage, "no-such-file"},
		{[]string{"publish", "--nats", "nats://user:secret@127.0.0.1:1"}, exitFailed, "start one with holdfast run"},
		{[]string{"version", "--config", "no-such-file"}, exitUsage, "no-such-file"},
	} {
		var out bytes.Buffer
		code := run(c.args, strings.NewReader(""), &out, &out)
		if code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("holdfast %q: %d %s, want %d and %q", c.args, code, out.String(), c.code, c.says)
		}
		if strings.Contains(out.String(), "secret") {
			t.Errorf("holdfast %q tells the password: %s", c.args, out.String())
		}
		if c.code != exitDone && strings.Count(strings.TrimSpace(out.String()), "\n") > 0 {
			t.Errorf("holdfast %q says more than a line: %s", c.args, out.String())
		}
	}
}

func exitCode(err error) int {
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// TestWatchFollows: commands come to a watcher, those in force first.
func TestWatchFollows(t *testing.T) {
	p, natsURL := everything(t)
	oversell := func(sku string) {
		body := `{"id":"` + sku + `","source":"test","sku":"` + sku + `","location":"leeds","kind":"sale","channel":"web","quantity":1,"time":"` + at + `"}`
		if status := p.post("/v1/deltas", "application/json", []byte(body), nil); status != http.StatusAccepted {
			t.Fatal(status)
		}
	}
	oversell("tea")
	ctx, stop := context.WithCancel(t.Context())
	cmd := program(t, "watch", "--json", "--nats", natsURL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	commands := json.NewDecoder(out)
	for _, sku := range []string{"tea", "coffee"} {
		if sku == "coffee" {
			oversell(sku)
		}
		var c inventory.Command
		if err := commands.Decode(&c); err != nil || c.SKU != sku || c.Action != inventory.Hold {
			t.Errorf("got %+v, %v; want the hold of %s", c, err, sku)
		}
	}
	stop()
	_ = cmd.Wait()
	p.stop()
}
