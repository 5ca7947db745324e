package console

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/access"
)

// Why a call was refused for who sent it, as the metrics say it.
const (
	refusedNoToken = "no_token"
	refusedUnknown = "unknown_token"
	refusedRole    = "role"
	refusedTooMany = "too_many"
)

// admit returns who sent r, or the problem that says why that is not enough for what needs
// a role. Without a tokens file nobody is asked, and everybody may do everything.
func (s *Server) admit(r *http.Request, needs access.Role) (access.Identity, error) {
	if needs == access.Anyone {
		return access.Identity{}, nil
	}
	id, given := s.identify(r)
	switch {
	case id.Role.Allows(needs):
		return id, nil
	case !given:
		s.metrics.refused.WithLabelValues(refusedNoToken).Inc()
		return id, unauthorized("Bearer", "This call needs a token of role %s: send it as Authorization: Bearer, or sign in at the console.", needs)
	}
	reason, p := refusedRole, forbidden(id, needs)
	if id.Role == access.Anyone {
		reason, p = refusedUnknown, unauthorized(`Bearer error="invalid_token"`, "The tokens file does not know the token that came with this call.")
	}
	if wait := s.attempts.Fail(remote(r), time.Now()); wait > 0 {
		s.metrics.refused.WithLabelValues(refusedTooMany).Inc()
		return id, tooManyAttempts(wait)
	}
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.logger.WarnContext(r.Context(), "a call was refused", "reason", reason, "name", id.Name, "needs", needs.String(), "route", r.Pattern, "remote", r.RemoteAddr)
	return id, p
}

// identify returns whose token r has, which is nobody's where id's role is Anyone; given says
// whether it has one at all.
func (s *Server) identify(r *http.Request) (id access.Identity, given bool) {
	if s.tokens == nil {
		return access.Identity{Role: access.Admin}, false
	}
	token, given := s.tokenOf(r)
	id, _ = s.tokens.Find(token)
	return id, given
}

// tokenOf returns the token of a header, or else of the console's cookie. A header that is
// no bearer's is a token that nobody has.
func (s *Server) tokenOf(r *http.Request) (token string, given bool) {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		scheme, token, _ := strings.Cut(headers[0], " ")
		if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return "", true
		}
		return strings.TrimLeft(token, " "), true
	}
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return "", false
	}
	return cookie.Value, true
}

// remote is the address that r came from, without its port; the zero Addr where it has none.
func remote(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr()
}

func unauthorized(challenge, format string, args ...any) *problem {
	return &problem{status: http.StatusUnauthorized, kind: "unauthorized", title: "Say who you are",
		detail: fmt.Sprintf(format, args...), headers: map[string]string{"WWW-Authenticate": challenge}}
}

func forbidden(id access.Identity, needs access.Role) *problem {
	return &problem{status: http.StatusForbidden, kind: "forbidden", title: "Your role does not allow that",
		detail: fmt.Sprintf("This call needs role %s; %s has role %s.", needs, id.Name, id.Role)}
}

func tooManyAttempts(wait time.Duration) *problem {
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return &problem{status: http.StatusTooManyRequests, kind: "too-many-attempts", title: "Too many refused calls",
		detail:  "Too many calls from this address were refused. Calls with the right token are answered; another wrong one is in " + seconds + " s.",
		headers: map[string]string{"Retry-After": seconds}}
}
