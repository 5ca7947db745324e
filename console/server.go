package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is what a Server needs. Backend and Registry are required.
type Config struct {
	Addr     string // host:port; port 0 takes a free one
	Backend  Backend
	Registry *prometheus.Registry // shown at /metrics; the server adds its own metrics
	Logger   *slog.Logger         // default: slog.DiscardHandler
	Version  string               // shown in the console and at /healthz
	Profiles bool                 // whether Go's profiles are served under /debug/pprof
}

// Server serves the API and the console on one address.
type Server struct {
	backend  Backend
	logger   *slog.Logger
	version  string
	profiles bool
	limits   limits
	metrics  *metrics
	assets   assets
	bodies   budget
	streams  chan struct{} // a slot for each event stream

	listener net.Listener
	http     *http.Server
	stopping context.Context // ends when Run begins to shut down: the signal for streams to end
	stop     context.CancelFunc
}

// NewServer checks config and binds its address. The caller calls Run, or Close
// if it does not come to that.
func NewServer(config Config) (*Server, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("console: listen on %q (choose another address with --http): %w", config.Addr, err)
	}
	return s.on(listener), nil
}

// newServer makes a Server that has no address yet.
func newServer(config Config) (*Server, error) {
	if config.Backend == nil || config.Registry == nil {
		return nil, errors.New("console: Config needs a Backend and a Registry")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("console: read embedded files: %w", err)
	}
	m, err := newMetrics(config.Registry)
	if err != nil {
		return nil, fmt.Errorf("console: register metrics: %w", err)
	}
	s := &Server{
		backend: config.Backend, logger: config.Logger, version: config.Version, profiles: config.Profiles,
		limits: defaultLimits, metrics: m, assets: files,
		bodies:  budget{bytesMax: defaultLimits.bodiesBytesMax},
		streams: make(chan struct{}, defaultLimits.streamsMax),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// on has s serve what listener accepts.
func (s *Server) on(listener net.Listener) *Server {
	l := &s.limits
	s.listener = listener
	s.http = &http.Server{
		Handler:           s.guarded(s.mux(), isLoopback(listener.Addr())),
		ReadHeaderTimeout: l.headerTimeout,
		ReadTimeout:       l.readTimeout,
		WriteTimeout:      l.writeTimeout,
		IdleTimeout:       l.idleTimeout,
		MaxHeaderBytes:    l.headerBytesMax,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug), // broken connections are a caller's affair
	}
	return s
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Addr is the address that the server is bound to.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is where a browser on this machine finds the console.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// Run serves until ctx ends. Then it takes no new connections, ends the event
// streams, lets the requests under way finish for up to 10 s, cuts off those that have not by
// then, and returns nil. It returns an error if serving fails before that. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(limitListener(s.listener, s.limits.connectionsMax)) }()
	select {
	case err := <-failed:
		s.stop()
		_ = s.http.Close()
		return fmt.Errorf("console: serve on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}

	s.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(grace); err != nil {
		s.logger.Warn("requests were cut off by the shutdown", "waited", s.limits.shutdownTimeout.String())
		_ = s.http.Close()
	}
	<-failed
	return nil
}

// Close frees the address of a Server that was never run.
func (s *Server) Close() error {
	s.stop()
	return s.listener.Close()
}
