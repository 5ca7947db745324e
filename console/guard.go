package console

import (
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// contentSecurityPolicy lets the pages load what this server embeds and nothing
// else, run no inline script or style, and (Trusted Types without a policy) turn no
// string into markup, so that a SKU called <script> stays a name.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// guarded wraps mux in what every request meets, from the outside in: counting and
// catching of panics, security headers, who may call, the shape of the path.
func (s *Server) guarded(mux http.Handler, loopback bool) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &statusWriter{ResponseWriter: w}
		begin := time.Now()
		defer func() {
			cause := recover()
			if cause != nil && cause != http.ErrAbortHandler {
				s.logger.Error("handler panicked", "method", r.Method, "path", r.URL.EscapedPath(),
					"cause", cause, "stack", string(debug.Stack()))
			}
			if cause != nil && sw.status == 0 {
				internalError().write(sw, r)
				cause = nil
			}
			s.metrics.request(r, sw.status, time.Since(begin))
			if cause != nil { // half an answer has gone out; only a broken connection says that it is no whole one
				panic(http.ErrAbortHandler)
			}
		}()

		secure(sw.Header())
		switch {
		case loopback && !namesThisMachine(r.Host):
			misdirected(r.Host).write(sw, r)
		case origin.Check(r) != nil:
			crossOrigin().write(sw, r)
		case !wellFormed(r.URL.EscapedPath()):
			notFound("An element of the path is empty or a dot. Percent-encode names: a/b is a%%2Fb, and .. is %%2E%%2E.").write(sw, r)
		default:
			mux.ServeHTTP(sw, r)
		}
	})
}

func misdirected(host string) *problem {
	p := badRequest("This server listens on this machine only and answers to localhost, 127.0.0.1 and [::1], not to Host %q.", host)
	p.status, p.kind, p.title = http.StatusMisdirectedRequest, "misdirected", "This is not the server you mean"
	return p
}

func crossOrigin() *problem {
	p := badRequest("A browser sent this for another origin. Only this server's own pages may change something here.")
	p.status, p.kind, p.title = http.StatusForbidden, "cross-origin", "Not from that page"
	return p
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// namesThisMachine reports whether a Host header is localhost or a loopback
// address. Any other name may be one that an attacker's DNS points here.
func namesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// statusWriter remembers the status that was sent; 0 while none was.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
