package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the server's own; /metrics shows them with all others of the registry.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	deltas   *prometheus.CounterVec
	streams  prometheus.Gauge
	dropped  prometheus.Counter
	refused  *prometheus.CounterVec
	page     http.Handler
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_http_requests_total",
			Help: "HTTP requests answered, by route, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "holdfast_http_request_seconds",
			Help:    "Time from a request's header to the end of its answer, by route; event streams left out.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		deltas: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_http_deltas_total",
			Help: "Deltas that came by HTTP and were answered with 202, by what became of them.",
		}, []string{"result"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "holdfast_http_streams",
			Help: "Event streams of commands that are open.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_http_streams_dropped_total",
			Help: "Event streams that were closed because their reader was too slow.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_http_refused_total",
			Help: "Calls refused for who sent them: no_token, unknown_token, role, or too_many of those from one address.",
		}, []string{"reason"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.deltas, m.streams, m.dropped, m.refused} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	for _, reason := range []string{refusedNoToken, refusedUnknown, refusedRole, refusedTooMany} {
		m.refused.WithLabelValues(reason) // so that the first refusal is a rise, too
	}
	m.page = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
	return m, nil
}

// request counts one answered request. The route is its pattern, never its
// path: names of SKUs are no labels.
func (m *metrics) request(r *http.Request, status int, took time.Duration) {
	route := r.Pattern
	if i := strings.IndexByte(route, ' '); i >= 0 {
		route = route[i+1:]
	}
	if route == "" || (route == "/" && r.URL.Path != "/") {
		route = "none"
	}
	m.requests.WithLabelValues(route, methodLabel(r.Method), strconv.Itoa(status)).Inc()
	if route != "/v1/commands/stream" {
		m.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// methodLabel keeps made-up methods from becoming labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func (s *Server) getMetrics(w http.ResponseWriter, r *http.Request, _ query) error {
	w.Header().Set("Cache-Control", "no-store")
	s.metrics.page.ServeHTTP(w, r)
	return nil
}
