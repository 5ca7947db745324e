package stream

import (
	"testing"

	"github.com/nats-io/nats.go"
)

func TestParseAckReply(t *testing.T) {
	for _, c := range []struct {
		reply     string
		sequence  uint64
		unixNanos int64
		ok        bool
	}{
		{"$JS.ACK.S.C.1.42.7.1764000000000000001.3", 42, 1764000000000000001, true},
		{"$JS.ACK._.acc.S.C.1.42.7.1764000000000000001.3", 42, 1764000000000000001, true},
		{"$JS.ACK.hub.acc.S.C.1.42.7.1764000000000000001.3.random", 42, 1764000000000000001, true},
		{"$JS.ACK.S.C.1.0.7.1764000000000000001.3", 0, 0, false},
		{"$JS.ACK.S.C.1.-4.7.1764000000000000001.3", 0, 0, false},
		{"$JS.ACK.S.C.1.42.7.now.3", 0, 0, false},
		{"$JS.ACK.S.C.1.42.7.1764000000000000001", 0, 0, false},
		{"$JS.ACK.S.C.1.42.7.1764000000000000001.3.4", 0, 0, false},
		{"_INBOX.S.C.1.42.7.1764000000000000001.3", 0, 0, false},
		{"", 0, 0, false},
	} {
		sequence, unixNanos, ok := parseAckReply(c.reply)
		if ok != c.ok || ok && (sequence != c.sequence || unixNanos != c.unixNanos) {
			t.Errorf("%q is %d, %d, %v, want %d, %d, %v", c.reply, sequence, unixNanos, ok, c.sequence, c.unixNanos, c.ok)
		}
	}
}

func TestParseAckReplyMakesNothing(t *testing.T) {
	const reply = "$JS.ACK._.acc.HOLDFAST_DELTA_0001.consumer.1.42.7.1764000000000000001.3"
	if n := testing.AllocsPerRun(100, func() { parseAckReply(reply) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzParseAckReply holds what it reads against what the client library reads.
func FuzzParseAckReply(f *testing.F) {
	f.Add("$JS.ACK.S.C.1.42.7.1764000000000000001.3")
	f.Add("$JS.ACK.hub.acc.S.C.1.42.7.1764000000000000001.3.random")
	f.Add("$JS.ACK..........")
	f.Add("$JS.ACK....1..+1.")
	f.Fuzz(func(t *testing.T, reply string) {
		sequence, unixNanos, ok := parseAckReply(reply)
		if !ok {
			return
		}
		want, err := (&nats.Msg{Reply: reply, Sub: &nats.Subscription{}}).Metadata()
		if err != nil {
			return // the library wants the other fields to be right too
		}
		if want.Sequence.Stream != sequence || want.Timestamp.UnixNano() != unixNanos {
			t.Errorf("%q is %d at %d, the library says %d at %d", reply, sequence, unixNanos, want.Sequence.Stream, want.Timestamp.UnixNano())
		}
	})
}
