package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// TestWhatWaitsIsToldOfWhereNothingComes: a feed gone wrong opens thousands of exceptions and falls silent. All is held at once, the
// figures say how many wait, and the log's clock goes by for them, though event time does not.
func TestWhatWaitsIsToldOfWhereNothingComes(t *testing.T) {
	t.Parallel()
	const skus = 1500 // more than one tick lets be told of
	w := newWorld(t, 1)
	var payload []byte
	for i := range skus {
		payload = append(payload, packed(sale(fmt.Sprint(i), fmt.Sprint("sku-", i)))...)
	}
	w.publish(w.topology.DeltaSubject(0), payload)
	folder := t.TempDir()
	slow, fast := policy.Default(), policy.Default()
	slow.ExceptionsPerSecond, slow.ExceptionsAtOnce = 1, 10
	fast.ExceptionsPerSecond, fast.ExceptionsAtOnce = policy.ExceptionsMax, policy.ExceptionsMax

	p := w.startProcessor(func(c *Config) { c.DataDir, c.Policy = folder, slow })
	must(t, p.Settle(testContext(t)))
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(NewCollector(p)))
	got := figures(t, registry)
	if told := w.size(w.topology.OutputStream(Exception)); told < 10 || float64(told) != skus-got["holdfast_exceptions_untold"] {
		t.Errorf("%d are told of, %v wait, of %d", told, got["holdfast_exceptions_untold"], skus)
	}
	if got["holdfast_holds"] != skus || got["holdfast_exceptions_open"] != skus || got["holdfast_exceptions_deferred_total"] != skus-10 {
		t.Errorf("%v are held, %v stand, %v had to wait, of %d", got["holdfast_holds"], got["holdfast_exceptions_open"], got["holdfast_exceptions_deferred_total"], skus)
	}
	must(t, p.Close())

	p = w.startProcessor(func(c *Config) { c.DataDir, c.Policy, c.TickEvery = folder, fast, 20*time.Millisecond })
	eventually(t, "all are told of", func() bool {
		p.freshen()
		return w.size(w.topology.OutputStream(Exception)) == skus
	})
	a, err := p.Location("sku-0", "store 1")
	if want := sale("", "").Time; err != nil || a.Position.EventTime != want {
		t.Errorf("event time is %v, %v; want %v, the deltas'", a.Position.EventTime, err, want)
	}
	if at := inventory.Millis(time.Now().UnixMilli()); p.live(a.Position.EventTime, at) {
		t.Error("the deltas are of now: nothing is shown of a past that is replayed")
	}
}
