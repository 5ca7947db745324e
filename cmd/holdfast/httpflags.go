package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/access"
	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/internal/reload"
)

// httpFlags say where HTTP is served, and to whom.
type httpFlags struct {
	HTTP     string `name:"http" help:"Address of the HTTP API and the console." default:"127.0.0.1:8470"`
	Tokens   string `help:"File of the tokens that may call (see holdfast token new); without one, only this machine is answered." type:"existingfile" placeholder:"FILE"`
	TLSCert  string `name:"tls-cert" help:"Certificate (PEM) to serve HTTP over TLS with; read again when it changes." type:"existingfile" placeholder:"FILE"`
	TLSKey   string `name:"tls-key" help:"Private key (PEM) of --tls-cert." type:"existingfile" placeholder:"FILE"`
	HTTPOpen bool   `name:"http-open" help:"Without tokens, answer everybody who reaches the address all the same, because something before it asks them."`
	Pprof    bool   `name:"pprof" help:"Serve Go's profiles under /debug/pprof of the HTTP address, to admins."`
}

// serving returns what the flags say of a server of HTTP.
func (f *httpFlags) serving(log *slog.Logger) (config console.Config, err error) {
	config = console.Config{Addr: f.HTTP, Logger: log, Version: version(), Profiles: f.Pprof, Open: f.HTTPOpen}
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return config, usageError{errors.New("--tls-cert and --tls-key go together")}
	}
	if f.Tokens != "" {
		if config.Tokens, err = access.Open(f.Tokens, log); err != nil {
			return config, err
		}
	}
	if f.TLSCert != "" {
		if config.TLS, err = serverTLS(f.TLSCert, f.TLSKey, log); err != nil {
			return config, err
		}
	}
	return config, config.CheckAddr()
}

// serverTLS serves a certificate as its files have it now.
func serverTLS(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	load := func() (*tls.Certificate, error) {
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &certificate, err
	}
	certificate, err := reload.New(log, load, certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate.Get(), nil },
	}, nil
}

// callFlags say where the API of a running holdfast is, and with which token to call it.
type callFlags struct {
	HTTP      string `name:"http" help:"Address of a running holdfast's API: host:port, or https://host:port." default:"127.0.0.1:8470"`
	HTTPCA    string `name:"http-ca" help:"Certificates (PEM) of whom to trust about it, instead of the system's." type:"existingfile" placeholder:"FILE"`
	TokenFile string `name:"token-file" help:"File with the token to call with; or put the token into HOLDFAST_TOKEN." type:"existingfile" placeholder:"FILE"`
}

const (
	tokenVariable     = "HOLDFAST_TOKEN" // a flag would show it to all who list processes
	tokenFileBytesMax = 4 << 10
)

// api returns what calls the API.
func (f *callFlags) api() (*api, error) {
	base, err := f.baseURL()
	if err != nil {
		return nil, err
	}
	a := &api{base: base, client: &http.Client{Timeout: 30 * time.Second}}
	if f.HTTPCA != "" {
		text, err := os.ReadFile(f.HTTPCA)
		if err != nil {
			return nil, fmt.Errorf("--http-ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, usageError{fmt.Errorf("--http-ca %s: it holds no certificate in PEM", f.HTTPCA)}
		}
		a.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	}
	if a.token, err = f.token(); err != nil {
		return nil, err
	}
	return a, nil
}

func (f *callFlags) token() (string, error) {
	if f.TokenFile == "" {
		return strings.TrimSpace(os.Getenv(tokenVariable)), nil
	}
	file, err := os.Open(f.TokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, tokenFileBytesMax))
	token := strings.TrimSpace(string(text))
	if err == nil && (token == "" || strings.ContainsAny(token, " \t\r\n")) {
		err = errors.New("one token belongs there, and nothing else")
	}
	if err != nil {
		return "", fmt.Errorf("--token-file %s: %w", f.TokenFile, err)
	}
	return token, nil
}

// baseURL is the API's, without a slash at its end.
func (f *callFlags) baseURL() (string, error) {
	scheme, address := "http", f.HTTP
	if u, err := url.Parse(f.HTTP); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		scheme, address = u.Scheme, u.Host
		if u.Port() == "" {
			return scheme + "://" + address, nil
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", usageError{fmt.Errorf("--http %q: host:port belongs here, such as 127.0.0.1:8470, or https://host:port", f.HTTP)}
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}
