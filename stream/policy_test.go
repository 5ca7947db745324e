package stream

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// TestAPolicyGoesThroughTheLogOnce: where it is in force it is not sent again, also after a start without the file; and a
// partition that is built from the log anew decides each time as it did.
func TestAPolicyGoesThroughTheLogOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	ctx := testContext(t)
	mine, err := policy.Parse("name: mine\nclasses:\n  oversell: {autonomy: recommend, owner: desk}\n")
	must(t, err)

	run := func(dir string, visit func(p *Processor)) {
		t.Helper()
		p, err := Start(ctx, Config{
			Topology: w.topology, Connect: func(string) (*nats.Conn, error) { return nats.Connect(w.server.URL()) },
			DataDir: dir, TickEvery: -1, Log: w.log,
		})
		must(t, err)
		visit(p)
		must(t, p.Settle(ctx))
		must(t, p.Close())
	}
	inForce := func(p *Processor, want string) {
		t.Helper()
		policies, err := p.Policies()
		must(t, err)
		for i, got := range policies {
			if got.Version != want {
				t.Errorf("partition %d has %s, want %s", i, got.Version, want)
			}
		}
	}
	dir := t.TempDir()
	run(dir, func(p *Processor) {
		inForce(p, policy.Default().Version)
		w.publish(w.topology.DeltaSubject(0), packed(sale("1", w.skuOf(0))))
		for _, want := range []int{2, 0} {
			if changed, err := p.SetPolicy(ctx, "kim", mine); err != nil || changed != want {
				t.Errorf("it takes effect in %d partitions, %v, want %d", changed, err, want)
			}
		}
		inForce(p, mine.Version)
	})
	run(dir, func(p *Processor) {
		inForce(p, mine.Version)
		w.publish(w.topology.DeltaSubject(1), packed(sale("2", w.skuOf(1))))
	})
	run(t.TempDir(), func(p *Processor) { // from the log alone
		must(t, p.CatchUp(ctx))
		inForce(p, mine.Version)
		found, _, err := p.Exceptions("", 10, func(*inventory.Exception) bool { return true })
		must(t, err)
		for _, x := range found {
			if old := x.SKU == w.skuOf(0); old != (x.Status == inventory.Acting) || old == (x.Owner == "desk") {
				t.Errorf("%s is %s, owner %s", x.SKU, x.Status, x.Owner)
			}
		}
		if len(found) != 2 {
			t.Errorf("%d exceptions, want 2", len(found))
		}
	})
	for _, msg := range w.messages(w.topology.OutputStream(Command)) {
		c, err := codec.DecodeCommand(msg.Data)
		must(t, err)
		if c.Policy != policy.Default().Version {
			t.Errorf("command %s is under %s", c.ID, c.Policy)
		}
	}
	if got := w.size(w.topology.OutputStream(Command)); got != 1 {
		t.Errorf("%d commands, want the one from before", got)
	}
}
