package stream

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// Output is one thing that a partition says, encoded.
type Output struct {
	Ordinal uint64 // of the partition, from 1, rising by one
	Kind    Kind   // which stream
	Subject string
	Headers []Header // besides HeaderOutput, which the publisher adds
	Data    []byte

	cause int64     // Unix nanoseconds at which the log took in what it was said about; 0: not known, it comes from the outbox
	said  time.Time // when a command was given to the publisher
}

// Header is one header of a message.
type Header struct{ Name, Value string }

// HeaderOutput is the header of every output: "<partition>-<ordinal>". A subscriber
// tells by it what it has already seen, the publisher what is already stored.
const HeaderOutput = "Holdfast-Output"

// outputFormat is the version of an output in the outbox:
//
//	format, kind, subject, number of headers, (name, value)…, data to the end
//
// The ordinal is the key under which it stands.
const outputFormat = 1

// size is what o counts for in a queue and in a group, in bytes.
func (o *Output) size() int {
	size := len(o.Subject) + len(o.Data) + outputOverhead
	for _, h := range o.Headers {
		size += len(h.Name) + len(h.Value)
	}
	return size
}

// outputOverhead is about what an output takes beside its bytes: the queue's entry, the
// headers that the publisher adds.
const outputOverhead = 256

// AppendOutput appends o as it is kept in the outbox.
func AppendOutput(dst []byte, o *Output) []byte {
	dst = wire.AppendUint(dst, outputFormat)
	dst = wire.AppendUint(dst, uint64(o.Kind))
	dst = wire.AppendString(dst, o.Subject)
	dst = wire.AppendUint(dst, uint64(len(o.Headers)))
	for _, h := range o.Headers {
		dst = wire.AppendString(dst, h.Name)
		dst = wire.AppendString(dst, h.Value)
	}
	return append(dst, o.Data...)
}

// ParseOutput reads what AppendOutput wrote under ordinal. The result shares no memory
// with data.
func ParseOutput(ordinal uint64, data []byte) (Output, error) {
	r := wire.NewReader(data)
	r.Version(outputFormat)
	o := Output{Ordinal: ordinal}
	if kind := r.Uint(); kind < kinds {
		o.Kind = Kind(kind)
	} else {
		r.Fail(fmt.Errorf("there is no kind %d", kind))
	}
	if o.Subject = r.String(); o.Subject == "" {
		r.Fail(errors.New("no subject"))
	}
	for range r.Count() {
		h := Header{Name: r.String(), Value: r.String()}
		if h.Name == "" {
			r.Fail(errors.New("a header without a name"))
			break
		}
		o.Headers = append(o.Headers, h)
	}
	o.Data = append([]byte{}, r.Rest()...)
	if err := r.Done(); err != nil {
		return Output{}, fmt.Errorf("output %d in the outbox: %w", ordinal, err)
	}
	return o, nil
}
