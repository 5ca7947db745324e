package stream

import (
	"fmt"
	"strconv"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
)

// The headers of a rejected delta.
const (
	HeaderError     = "Holdfast-Error"     // the reason, the field and what is wrong with it
	HeaderPartition = "Holdfast-Partition" // whose log it stood in
	HeaderSequence  = "Holdfast-Sequence"  // of its message there
	HeaderIndex     = "Holdfast-Index"     // of the delta within the message
)

// encoder makes messages of what an engine says.
type encoder struct {
	topology  Topology
	partition int
	commands  codec.Encoding

	// The cause that was named last: a message of half a megabyte may be that of thousands of outputs.
	sequence uint64
	cause    string
}

// encode returns o as it is published. A rejected delta goes whole, so it is cut out
// of the message that it stood in.
func (e *encoder) encode(o *engine.Output, f *Fetch, m *Message) (Output, error) {
	out := Output{Ordinal: o.Ordinal, cause: m.UnixNanos}
	var err error
	switch {
	case o.Command != nil:
		out.Kind = Command
		out.Subject = e.topology.CommandSubject(e.partition, o.Command.Channel, string(o.Command.Action))
		out.Data, err = codec.EncodeCommand(o.Command, e.commands)
	case o.Exception != nil:
		out.Kind = Exception
		out.Subject = e.topology.ExceptionSubject(e.partition, string(o.Exception.Class))
		out.Data, err = codec.EncodeException(o.Exception)
	case o.Decision != nil:
		out.Kind = Audit
		out.Subject = e.topology.AuditSubject(e.partition)
		out.Data, err = codec.EncodeDecision(o.Decision)
	case o.Rejected != nil:
		at := o.Rejected.At
		out.Kind = Rejected
		out.Subject = e.topology.RejectedSubject(string(o.Rejected.Invalid.Reason))
		out.Headers = []Header{
			{HeaderError, headerText(o.Rejected.Invalid.Error())},
			{HeaderPartition, strconv.Itoa(e.partition)},
			{HeaderSequence, strconv.FormatUint(at.Sequence, 10)},
			{HeaderIndex, strconv.Itoa(at.Index)},
		}
		item := m.Data
		if !m.Control {
			span := f.Batch.Spans[m.First+at.Index]
			item = m.Data[span.Start:span.End]
		}
		out.Data = append([]byte(nil), item...)
	default:
		return out, fmt.Errorf("output %d is none of the four kinds", o.Ordinal)
	}
	if e.sequence != m.Sequence {
		e.sequence, e.cause = m.Sequence, causeOf(m)
	}
	out.Headers = append(out.Headers, Header{HeaderCause, e.cause})
	return out, err
}

// headerText makes an error fit for a header, where a line break would begin another.
func headerText(s string) string {
	quoted := strconv.Quote(s)
	if len(quoted) == len(s)+2 {
		return s
	}
	return quoted
}
