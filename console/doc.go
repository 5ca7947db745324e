// Package console is holdfast's HTTP side: the API under /v1, metrics and
// health, and the web console, whose files are embedded in the binary.
//
// # Use
//
// A [Server] needs a [Backend] to ask and a Prometheus registry to show:
//
//	server, err := console.NewServer(console.Config{
//		Addr: "127.0.0.1:8470", Backend: backend, Registry: registry,
//		Logger: logger, Version: version,
//	})
//	…
//	err = server.Run(ctx) // until ctx ends; then finishes what it has begun
//
// NewServer binds the address, so a port that is taken is an error before
// anything else starts; Addr says which port ":0" became.
//
// # What is promised to callers
//
//   - POST /v1/deltas answers 202 only once the Backend says that everything it
//     counts as accepted is stored. accepted + duplicates + rejected is the number of
//     items sent. On any other answer nothing is claimed, and sending it all
//     again is safe: a delta's source and id make a repeat a duplicate.
//   - Every error is an RFC 9457 problem that says what was wrong and what would
//     be right, also where no route or method matched and where a handler panicked.
//   - An unknown or malformed query parameter is an error, never ignored.
//   - Everything is bounded: bodies (also after inflating), items, bytes of all
//     bodies in flight, headers, connections, event streams, and the time that each may take.
//     The bounds are in limits.go.
//
// # Who may call
//
// Each call needs a role, which the table in routes.go names. A caller's role is that of the
// token in its Authorization header, or in the cookie that POST /v1/session gave the web
// console for one: pages can't read that cookie, and no other site can have it sent. An event
// stream ends within a heartbeat of its token's being taken back. Without a tokens file nobody
// is asked, and so the address must be this machine's alone, unless Config.Open says otherwise.
//
// On loopback the Host header must name this machine, which stops a web page from reaching it by
// rebinding its own DNS name. On any address, requests that change something are
// refused when a browser sends them for another origin.
//
// # What it never does
//
// It keeps no state, decides nothing, and never makes a partition wait: a slow
// reader of the command stream is dropped. It knows packages inventory and codec
// and nothing of engine, state or stream; all that is behind Backend. The pages
// load nothing from elsewhere and put foreign names into the document as text only.
package console
