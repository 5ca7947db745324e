package stream

import (
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/inventory"
)

// startProcessor runs all partitions of w, without ticks.
func (w *world) startProcessor(change ...func(*Config)) *Processor {
	w.t.Helper()
	config := Config{
		Topology:  w.topology,
		Connect:   func(name string) (*nats.Conn, error) { return nats.Connect(w.server.URL(), nats.Name(name)) },
		DataDir:   w.t.TempDir(),
		TickEvery: -1,
		Log:       w.log,
	}
	for _, c := range change {
		c(&config)
	}
	p, err := Start(testContext(w.t), config)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, p.Close()) })
	return p
}

// figures are what a scrape gives: values, and the counts of histograms, by name and labels as in
// `name{outcome="applied"}`, added up over partitions.
func figures(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := ""
			for _, l := range m.GetLabel() {
				if l.GetName() != "partition" && l.GetValue() != "" {
					labels += fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
				}
			}
			all[family.GetName()+labels] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

// TestScrapesSeeWhatIsDone: whoever scrapes while partitions work disturbs nothing, and in the end the
// figures add up.
func TestScrapesSeeWhatIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	p := w.startProcessor()
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(NewCollector(p)))

	const rounds, scrapers = 50, 2
	stop := make(chan struct{})
	var scraping sync.WaitGroup
	for range scrapers {
		scraping.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := registry.Gather(); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for i := range rounds {
		for partition := range 2 {
			sku := w.skuOf(partition)
			d := sale(fmt.Sprint("sale-", i), sku) // nothing is there to sell: an oversell
			bad := inventory.Delta{ID: "bad", Source: "pos-1", Kind: inventory.Sale}
			w.publish(w.topology.DeltaSubject(partition), packed(d, d, bad))
		}
	}
	gatewayed := sale("by the gateway", w.skuOf(0))
	_, err := w.nc.RequestWithContext(testContext(t), "holdfast.in.any", packed(gatewayed))
	must(t, err)
	must(t, p.Settle(testContext(t)))
	close(stop)
	scraping.Wait()

	var got map[string]float64
	eventually(t, "all is in the bucket of directives, and the ends of the logs are seen", func() bool {
		got = figures(t, registry)
		return got["holdfast_directives_pending"] == 0 && got["holdfast_lag_messages"] == 0 && got["holdfast_commands_total"+`{action="hold"}{class="oversell"}`] > 0
	})
	for name, want := range map[string]float64{
		`holdfast_deltas_total{outcome="applied"}`:                          2*rounds + 1,
		`holdfast_deltas_total{outcome="duplicate"}`:                        2 * rounds,
		`holdfast_position`:                                                 2*rounds + 1,
		`holdfast_lag_seconds`:                                              0,
		`holdfast_partition_caught_up`:                                      2,
		`holdfast_partition_stopped`:                                        0,
		`holdfast_outputs_failing`:                                          0,
		`holdfast_outputs_waiting{kind="command"}`:                          0,
		`holdfast_gateway_messages_total{outcome="accepted"}`:               1,
		`holdfast_gateway_messages_total{outcome="refused"}`:                0,
		`holdfast_broker_answers`:                                           1,
		`holdfast_cache_misses_total{table="records"}`:                      2,
		`holdfast_stage_seconds{stage="decode"}`:                            got[`holdfast_stage_seconds{stage="apply"}`],
		`holdfast_stage_seconds{stage="in_stream"}`:                         got[`holdfast_stage_seconds{stage="apply"}`],
		`holdfast_stage_seconds{stage="publish"}`:                           got[`holdfast_command_seconds`],
		`holdfast_commands_total{action="hold"}{class="oversell"}`:          got[`holdfast_command_seconds`],
		`holdfast_deltas_total{outcome="rejected"}{reason="missing_field"}`: 2 * rounds,
	} {
		if g, ok := got[name]; !ok || g != want {
			t.Errorf("%s is %v (%v), want %v", name, g, ok, want)
		}
	}
	for _, name := range []string{`holdfast_stage_seconds{stage="apply"}`, `holdfast_stage_seconds{stage="commit"}`, `holdfast_command_seconds`, `holdfast_holds`, `holdfast_exceptions_open`, `holdfast_state_disk_bytes`} {
		if got[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestAScrapeWithoutTheBroker leaves out what only the broker knows, and says so.
func TestAScrapeWithoutTheBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	p := w.startProcessor()
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(NewCollector(p)))
	if got := figures(t, registry); got["holdfast_broker_answers"] != 1 {
		t.Fatalf("with the broker: %v", got)
	}
	must(t, w.server.Close())
	eventually(t, "a scrape is without the broker", func() bool {
		got := figures(t, registry)
		_, lag := got["holdfast_lag_messages"]
		_, position := got["holdfast_position"]
		return got["holdfast_broker_answers"] == 0 && !lag && position
	})
	w.restart()
}
