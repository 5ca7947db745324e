package stream

import "time"

// stages are the times that fetches of one partition take. Its worker observes, once a fetch or commit;
// anybody reads.
type stages struct {
	inStream histogram // from the broker's taking in of a fetch's first message until the worker takes the fetch
	decode   histogram // of a fetch's first message
	apply    histogram // of a fetch, its outputs handed over
	commit   histogram // of what is open
}

// taken observes what is known of a fetch when the worker takes it, and returns when that was.
func (s *stages) taken(f *Fetch) time.Time {
	now := time.Now()
	s.inStream.observe(time.Duration(now.UnixNano() - f.Messages[0].UnixNanos))
	s.decode.observe(f.decoding)
	return now
}

// applied observes that a fetch which was taken then is applied.
func (s *stages) applied(taken time.Time) { s.apply.observe(time.Since(taken)) }

// committed observes that a commit which began then is done.
func (s *stages) committed(began time.Time) { s.commit.observe(time.Since(began)) }

// commandTimes are the times that commands of one partition take. Its publisher observes, once a command;
// anybody reads.
type commandTimes struct {
	publish histogram // from Publish until stored
	whole   histogram // from the broker's taking in of the cause until stored
}

// stored observes that outputs, all of one kind, are in their stream.
func (c *commandTimes) stored(outputs []Output) {
	if len(outputs) == 0 || outputs[0].Kind != Command {
		return
	}
	now := time.Now()
	for i := range outputs {
		c.publish.observe(now.Sub(outputs[i].said))
		if cause := outputs[i].cause; cause > 0 {
			c.whole.observe(time.Duration(now.UnixNano() - cause))
		}
	}
}
