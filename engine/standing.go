package engine

import (
	"errors"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
)

// opened is an exception that stands.
type opened struct {
	scope  detectors.Scope
	id     string
	acting bool  // policy or a person lets commands follow
	most   int64 // what the channels that it covers may show while it acts, each; 0: they are held

	// muted: a person ended it, and its condition stands still. So that it is not raised again at once it stays
	// open for its detector, which ends it without a word.
	muted bool

	// endsAt: its condition is over, and its policy lets it end then; 0: it is not over. Until then it stands for everybody but its detector, which
	// may find the same again: then it goes on.
	endsAt inventory.Millis
}

func appendOpened(dst []byte, open []opened) []byte {
	dst = wire.AppendUint(dst, uint64(len(open)))
	for i := range open {
		o := &open[i]
		dst = wire.AppendString(dst, string(o.scope.Class))
		dst = wire.AppendString(dst, o.scope.Channel)
		dst = wire.AppendString(dst, o.id)
		flags := uint64(0)
		if o.acting {
			flags |= 1
		}
		if o.scope.Network {
			flags |= 2
		}
		if o.muted {
			flags |= 4
		}
		if o.scope.Of != "" {
			flags |= 8
		}
		if o.most != 0 {
			flags |= 16
		}
		if o.endsAt != 0 {
			flags |= 32
		}
		dst = wire.AppendUint(dst, flags)
		if o.scope.Of != "" {
			dst = wire.AppendString(dst, o.scope.Of)
		}
		if o.most != 0 {
			dst = wire.AppendInt(dst, o.most)
		}
		if o.endsAt != 0 {
			dst = wire.AppendInt(dst, o.endsAt)
		}
	}
	return dst
}

func readOpened(in *wire.Reader) []opened {
	n := in.Count()
	if n == 0 {
		return nil
	}
	open := make([]opened, n)
	for i := range open {
		o := &open[i]
		o.scope.Class = inventory.Class(in.String())
		o.scope.Channel = in.String()
		o.id = in.String()
		flags := in.Uint()
		o.acting = flags&1 != 0
		o.scope.Network = flags&2 != 0
		o.muted = flags&4 != 0
		if flags&8 != 0 {
			o.scope.Of = in.String()
		}
		if flags&16 != 0 {
			o.most = in.Int()
		}
		if flags&32 != 0 {
			o.endsAt = inventory.Millis(in.Int())
		}
	}
	return open
}

// directive is the last command for one channel at a record or in a network.
type directive struct {
	revision  uint64           // 0: there was none
	binds     bool             // it was a hold or a throttle
	most      int64            // that the channel may show; 0: it is held
	exception string           // behind the hold or throttle
	renewAt   inventory.Millis // of the hold or throttle
	told      inventory.Millis // when the channel was told to show less than it did, and has not been seen to since; 0: never
}

func (d *directive) held() bool { return d.binds && d.most == 0 }

func (d *directive) throttled() bool { return d.binds && d.most != 0 }

// What a written directive does.
const (
	directiveReleased = iota
	directiveHeld
	directiveThrottled
)

func appendDirectives(dst []byte, directives []directive) []byte {
	dst = wire.AppendUint(dst, uint64(len(directives)))
	for i := range directives {
		d := &directives[i]
		dst = wire.AppendUint(dst, d.revision)
		if d.revision == 0 {
			continue
		}
		level := uint64(directiveReleased)
		switch {
		case d.held():
			level = directiveHeld
		case d.binds:
			level = directiveThrottled
		}
		dst = wire.AppendUint(dst, level)
		if level == directiveThrottled {
			dst = wire.AppendInt(dst, d.most)
		}
		if d.binds {
			dst = wire.AppendString(dst, d.exception)
			dst = wire.AppendInt(dst, d.renewAt)
			dst = wire.AppendInt(dst, d.told)
		}
	}
	return dst
}

func readDirectives(in *wire.Reader) []directive {
	n := in.Count()
	if n == 0 {
		return nil
	}
	directives := make([]directive, n)
	for i := range directives {
		d := &directives[i]
		d.revision = in.Uint()
		if d.revision == 0 {
			continue
		}
		switch in.Uint() {
		case directiveReleased:
			continue
		case directiveHeld:
		case directiveThrottled:
			d.most = in.Int()
		default:
			in.Fail(errors.New("a directive neither holds, throttles nor releases"))
		}
		d.binds = true
		d.exception = in.String()
		d.renewAt = inventory.Millis(in.Int())
		d.told = inventory.Millis(in.Int())
	}
	return directives
}
