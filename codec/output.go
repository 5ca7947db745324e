package codec

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Encoding is how commands are written. Readers need not be told: see [DecodeCommand].
type Encoding string

// The encodings.
const (
	JSON    Encoding = "json"
	Msgpack Encoding = "msgpack"
)

// ParseEncoding accepts the name of an encoding.
func ParseEncoding(name string) (Encoding, error) {
	switch e := Encoding(name); e {
	case JSON, Msgpack:
		return e, nil
	}
	return "", fmt.Errorf("encoding %q: it must be %s or %s", name, JSON, Msgpack)
}

// EncodeCommand writes c. The same command always gives the same bytes: names of
// evidence are in order.
func EncodeCommand(c *inventory.Command, encoding Encoding) ([]byte, error) {
	if encoding != Msgpack {
		return marshal("command", c.ID, c)
	}
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("encode command %s: %w", c.ID, err)
	}
	return buf.Bytes(), nil
}

// DecodeCommand reads a command in either encoding: one object or map, and nothing behind it.
func DecodeCommand(data []byte) (c inventory.Command, err error) {
	if len(data) > 0 && data[0] == '{' {
		err = json.Unmarshal(data, &c)
	} else if err = oneMap(data); err == nil {
		err = msgpack.Unmarshal(data, &c)
	}
	if err != nil {
		return inventory.Command{}, fmt.Errorf("decode a command: %w", err)
	}
	return c, nil
}

// oneMap returns an error where data is anything but one whole msgpack map, nested no deeper
// than depthMax. The library takes nil and arrays for a struct too, ignores what follows,
// and recurses as deep as the bytes tell it to, until the stack overflows.
func oneMap(data []byte) error {
	if _, named, i := packedHeader(data, 0); i < 0 || !named {
		return fmt.Errorf("neither a JSON object nor a msgpack map: %q", cutTo(data, 20))
	}
	end, broken := skipPacked(data, 0, depthMax)
	if broken != nil {
		return broken
	}
	if end < len(data) {
		return fmt.Errorf("the map ends at byte %d, but %q follows", end, cutTo(data[end:], 20))
	}
	return nil
}

// EncodeException writes x in JSON; the same exception always gives the same bytes.
func EncodeException(x *inventory.Exception) ([]byte, error) { return marshal("exception", x.ID, x) }

// DecodeException reads what EncodeException writes.
func DecodeException(data []byte) (inventory.Exception, error) {
	var x inventory.Exception
	if err := json.Unmarshal(data, &x); err != nil {
		return x, fmt.Errorf("decode an exception: %w", err)
	}
	return x, nil
}

// EncodeDecision writes d in JSON; the same decision always gives the same bytes.
func EncodeDecision(d *inventory.Decision) ([]byte, error) { return marshal("decision", d.ID, d) }

// DecodeDecision reads what EncodeDecision writes.
func DecodeDecision(data []byte) (inventory.Decision, error) {
	var d inventory.Decision
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("decode a decision: %w", err)
	}
	return d, nil
}

// marshal writes JSON as people read it: "A&B" stays "A&B", for no browser is going to
// take it for markup.
func marshal(what, id string, v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", what, id, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
