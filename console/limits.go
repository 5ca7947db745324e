package console

import "time"

// Bounds that never change.
const (
	pageLimitDefault = 100
	pageLimitMax     = 1000
	recentMax        = 1000 // commands that a new stream may ask back for
	positionWait     = 10 * time.Second
	positionWaitMax  = 30 * time.Second // below readTimeout, which would end the wait as if the caller had gone
	retryAfter       = "2"              // seconds, with each 503
)

// limits are the bounds of a server.
type limits struct {
	bodyBytesMax    int64 // of one POST, as sent and as inflated
	bodiesBytesMax  int64 // of all bodies, and of the deltas in them, at once
	itemsMax        int   // deltas in one POST
	headerBytesMax  int
	connectionsMax  int           // of which one other machine has half at most
	streamsMax      int           // event streams at once
	headerTimeout   time.Duration // to send a request's header
	readTimeout     time.Duration // to send a whole request
	writeTimeout    time.Duration // from the header's end to the answer's; above readTimeout + positionWaitMax
	idleTimeout     time.Duration // between requests of one connection
	ingestTimeout   time.Duration // for JetStream to acknowledge one POST
	backendTimeout  time.Duration // for any other question to the Backend
	eventTimeout    time.Duration // for a stream's reader to take one event, else it is dropped
	heartbeat       time.Duration // of silence after which a stream sends a comment
	shutdownTimeout time.Duration // for requests under way once Run's context has ended
}

var defaultLimits = limits{
	bodyBytesMax:    8 << 20,
	bodiesBytesMax:  128 << 20,
	itemsMax:        100_000,
	headerBytesMax:  32 << 10,
	connectionsMax:  512,
	streamsMax:      64,
	headerTimeout:   5 * time.Second,
	readTimeout:     60 * time.Second,
	writeTimeout:    150 * time.Second,
	idleTimeout:     2 * time.Minute,
	ingestTimeout:   30 * time.Second,
	backendTimeout:  10 * time.Second,
	eventTimeout:    10 * time.Second,
	heartbeat:       15 * time.Second,
	shutdownTimeout: 10 * time.Second,
}
