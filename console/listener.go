package console

import (
	"net"
	"net/netip"
	"sync"

	"github.com/holdfast-atp/holdfast/access"
)

// limitedListener accepts a connection only while fewer than cap(slots) are
// open; those beyond wait in the kernel's queue. No other machine has more than half of
// them: what it opens beyond that is closed, so that one alone can't shut the others out.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	close  sync.Once

	mu   sync.Mutex
	open map[netip.Prefix]int // connections of other machines
}

func limitListener(l net.Listener, connectionsMax int) *limitedListener {
	return &limitedListener{
		Listener: l,
		slots:    make(chan struct{}, connectionsMax),
		closed:   make(chan struct{}),
		open:     map[netip.Prefix]int{},
	}
}

// Accept waits for a slot, then for a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		if leave, ok := l.enter(conn.RemoteAddr()); ok {
			return &limitedConn{Conn: conn, free: sync.OnceFunc(func() { leave(); <-l.slots })}, nil
		}
		_ = conn.Close()
	}
}

// enter counts a connection from an address until leave; ok is false where it has too many.
func (l *limitedListener) enter(from net.Addr) (leave func(), ok bool) {
	tcp, isTCP := from.(*net.TCPAddr)
	if !isTCP || tcp.IP.IsLoopback() {
		return func() {}, true
	}
	site := access.SiteOf(tcp.AddrPort().Addr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[site] >= cap(l.slots)/2 {
		return nil, false
	}
	l.open[site]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[site]--; l.open[site] == 0 {
			delete(l.open, site)
		}
	}, true
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
