package console

import "net/http"

// sessionAnswer says who is signed in. Where nobody is asked for a token, the name is empty.
type sessionAnswer struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// cookieName is of the cookie by which the console is signed in. With the prefix __Host-
// a browser takes it from this very host over TLS alone.
func (s *Server) cookieName() string {
	if s.tls != nil {
		return "__Host-holdfast"
	}
	return "holdfast"
}

// cookie makes the console's cookie. Pages can't read it, no other site's page can have it sent, and it
// ends with the browser. age is that of http.Cookie.
func (s *Server) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: s.tls != nil, SameSite: http.SameSiteStrictMode,
	}
}

// postSession signs the console in: it gives the token of the header back as a cookie, for an
// EventSource and a link can't send a header.
func (s *Server) postSession(w http.ResponseWriter, r *http.Request, q query) error {
	if token, given := s.tokenOf(r); given && s.tokens != nil {
		http.SetCookie(w, s.cookie(token, 0))
	}
	return s.getSession(w, r, q)
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request, _ query) error {
	id, _ := s.identify(r)
	return writeJSON(w, http.StatusOK, sessionAnswer{id.Name, id.Role.String()})
}

// deleteSession signs the console out.
func (s *Server) deleteSession(w http.ResponseWriter, _ *http.Request, _ query) error {
	http.SetCookie(w, s.cookie("", -1))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
