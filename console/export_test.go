package console

import "net"

// Patterns returns every call of the table of routes, as http.ServeMux has it.
func Patterns() (all []string) {
	for _, rt := range new(Server).routes() {
		all = append(all, rt.method+" "+rt.path)
	}
	return all
}

// NewServerOn is NewServer on a listener that is there already, such as one of pipes
// for a test whose time is its own.
func NewServerOn(config Config, listener net.Listener) (*Server, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	return s.on(listener), nil
}
