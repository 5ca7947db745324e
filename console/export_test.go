package console

import "net"

// NewServerOn is NewServer on a listener that is there already, such as one of pipes
// for a test whose time is its own.
func NewServerOn(config Config, listener net.Listener) (*Server, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	return s.on(listener), nil
}
