package stream

import (
	"strconv"
	"strings"
)

// parseAckReply reads a message's stream sequence and its time in Unix nanoseconds
// from the reply subject that JetStream delivers it with:
//
//	$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>
//	$JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>[.<random>…]
//
// It reads two fields and makes nothing, where the library's Metadata costs a fifth
// to almost half of the reading speed.
func parseAckReply(reply string) (sequence uint64, unixNanos int64, ok bool) {
	const ack = "$JS.ACK."
	if !strings.HasPrefix(reply, ack) {
		return 0, 0, false
	}
	skip := 3 // stream, consumer, delivered
	switch tokens := strings.Count(reply, ".") + 1; {
	case tokens >= 11:
		skip = 5 // domain and account before them
	case tokens != 9:
		return 0, 0, false
	}
	rest := reply[len(ack):]
	for range skip {
		_, rest, _ = strings.Cut(rest, ".")
	}
	field, rest, _ := strings.Cut(rest, ".")
	sequence, err := strconv.ParseUint(field, 10, 64)
	if err != nil || sequence == 0 {
		return 0, 0, false
	}
	_, rest, _ = strings.Cut(rest, ".")
	field, _, _ = strings.Cut(rest, ".")
	nanos, err := strconv.ParseUint(field, 10, 63)
	return sequence, int64(nanos), err == nil
}
