package console

import (
	"net"
	"sync"
)

// limitedListener accepts a connection only while fewer than cap(slots) are
// open; those beyond wait in the kernel's queue.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	close  sync.Once
}

func limitListener(l net.Listener, connectionsMax int) *limitedListener {
	return &limitedListener{Listener: l, slots: make(chan struct{}, connectionsMax), closed: make(chan struct{})}
}

// Accept waits for a slot, then for a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close also ends an Accept that waits for a slot.
func (l *limitedListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	free func()
}

// Close gives the slot back, once.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
