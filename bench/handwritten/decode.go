package handwritten

import (
	"fmt"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/holdfast-atp/holdfast/inventory"
)

// delta is a delta as it comes.
type delta struct {
	inventory.Delta
	counted bool // it says a quantity; none is not 0
}

// names are the fields of a delta, in the order in which an array has them.
var names = []string{
	"id", "source", "sku", "location", "kind", "quantity", "time", "channel",
	"ref", "reason", "counterparty", "due", "price", "attrs",
}

// decode reads the next delta of a message, a map or an array.
func (d *delta) decode(dec *msgpack.Decoder) error {
	*d = delta{}
	fields := [...]any{ // by names; attrs are skipped
		&d.ID, &d.Source, &d.SKU, &d.Location, &d.Kind, &d.Quantity, &d.Time, &d.Channel,
		&d.Ref, &d.Reason, &d.Counterparty, &d.Due, &d.Price, nil,
	}
	code, err := dec.PeekCode()
	if err != nil {
		return err
	}
	named := msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32
	length := dec.DecodeArrayLen
	if named {
		length = dec.DecodeMapLen
	}
	n, err := length()
	if err != nil {
		return err
	}
	if !named && n > len(fields) {
		return fmt.Errorf("an array of %d values; a delta has %d", n, len(fields))
	}
	for i := range n {
		if named {
			name, err := dec.DecodeString()
			if err != nil {
				return err
			}
			i = slices.Index(names, name)
		}
		var field any
		if i >= 0 {
			field = fields[i]
		}
		if err := d.decodeField(dec, field); err != nil {
			return err
		}
	}
	return nil
}

func (d *delta) decodeField(dec *msgpack.Decoder, field any) error {
	code, err := dec.PeekCode()
	if err != nil || code == msgpcode.Nil {
		return dec.Skip()
	}
	switch f := field.(type) {
	case *string:
		*f, err = dec.DecodeString()
	case *int64:
		*f, err = dec.DecodeInt64()
		d.counted = d.counted || f == &d.Quantity
	case *inventory.Kind:
		var name string
		name, err = dec.DecodeString()
		*f = inventory.ParseKind(name)
	case *inventory.Millis:
		if !msgpcode.IsString(code) {
			var ms int64
			ms, err = dec.DecodeInt64()
			*f = inventory.Millis(ms)
			break
		}
		var text string
		if text, err = dec.DecodeString(); err == nil {
			*f, err = inventory.ParseMillis(text)
		}
	default:
		err = dec.Skip()
	}
	return err
}

// invalid says why d can't be used; nil: it can.
func (d *delta) invalid() *inventory.Invalid {
	if d.Kind.NeedsQuantity() && !d.counted {
		return &inventory.Invalid{Reason: inventory.MissingField, Field: "quantity", Detail: "needed by a " + d.Kind.String()}
	}
	if err := d.Validate(); err != nil {
		return err.(*inventory.Invalid) // Validate returns nothing else
	}
	return nil
}
