package console

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-atp/holdfast/access"
)

// Config is what a Server needs. Backend and Registry are required.
type Config struct {
	Addr     string // host:port; port 0 takes a free one
	Backend  Backend
	Registry *prometheus.Registry // shown at /metrics; the server adds its own metrics
	Logger   *slog.Logger         // default: slog.DiscardHandler
	Version  string               // shown in the console and at /healthz
	Profiles bool                 // whether Go's profiles are served under /debug/pprof

	// Tokens say who may do what. nil: everybody may do everything, which is served to
	// this machine alone, unless Open says that others may come too.
	Tokens *access.Tokens
	Open   bool

	TLS *tls.Config // nil: plain HTTP
}

// CheckAddr refuses an address that other machines can reach where nobody would be asked for
// a token. NewServer does too; this is for who wants to know before anything else starts.
func (c *Config) CheckAddr() error {
	addr, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("console: address %q: %w", c.Addr, err)
	}
	return c.checkExposure(addr)
}

func (c *Config) checkExposure(addr net.Addr) error {
	if c.Tokens != nil || c.Open || isLoopback(addr) {
		return nil
	}
	return fmt.Errorf("HTTP on %s would answer other machines without asking who they are: "+
		"name a file of tokens with --tokens (holdfast token new makes one), keep to 127.0.0.1 with --http, or say --http-open", c.Addr)
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
	tokens   *access.Tokens
	attempts access.Attempts
	tls      *tls.Config

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
	if err := config.checkExposure(listener.Addr()); err != nil {
		return nil, errors.Join(err, listener.Close())
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
		tokens:  config.Tokens,
		tls:     config.TLS,
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// on has s serve what listener accepts.
func (s *Server) on(listener net.Listener) *Server {
	l := &s.limits
	s.listener = listener
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // a connection of HTTP/2 is many requests at once, and the bounds count connections
	s.http = &http.Server{
		Protocols:         protocols,
		TLSConfig:         s.tls,
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

// Loopback reports whether this machine alone can reach the server.
func (s *Server) Loopback() bool { return isLoopback(s.Addr()) }

// Addr is the address that the server is bound to.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is where a browser on this machine finds the console.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if s.tls != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + "/"
}

// Run serves until ctx ends. Then it takes no new connections, ends the event
// streams, lets the requests under way finish for up to 10 s, cuts off those that have not by
// then, and returns nil. It returns an error if serving fails before that. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	listener := limitListener(s.listener, s.limits.connectionsMax)
	go func() {
		if s.tls != nil {
			failed <- s.http.ServeTLS(listener, "", "")
			return
		}
		failed <- s.http.Serve(listener)
	}()
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
