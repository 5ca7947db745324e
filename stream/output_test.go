package stream

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// anyOutput draws an output of that ordinal.
func anyOutput(t *rapid.T, ordinal uint64) Output {
	o := Output{
		Ordinal: ordinal,
		Kind:    Kind(rapid.IntRange(0, kinds-1).Draw(t, "kind")),
		Subject: rapid.StringN(1, 20, -1).Draw(t, "subject"),
		Data:    rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		o.Headers = append(o.Headers, Header{rapid.StringN(1, 9, -1).Draw(t, "name"), rapid.String().Draw(t, "value")})
	}
	return o
}

func TestAnOutputComesBackFromTheOutboxAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyOutput(t, rapid.Uint64Min(1).Draw(t, "ordinal"))
		stored := AppendOutput([]byte("before"), &want)[len("before"):]
		got, err := ParseOutput(want.Ordinal, stored)
		if err != nil {
			t.Fatal(err)
		}
		clear(stored) // shares nothing
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestParseOutputRefuses(t *testing.T) {
	good := AppendOutput(nil, &Output{Kind: Audit, Subject: "s", Headers: []Header{{"n", "v"}}})
	uints := func(values ...uint64) (b []byte) {
		for _, v := range values {
			b = wire.AppendUint(b, v)
		}
		return b
	}
	for _, c := range []struct {
		name, says string
		data       []byte
	}{
		{"nothing", "cut short", nil},
		{"another format", "format 2, this program reads 1", uints(2)},
		{"another kind", "no kind 4", uints(outputFormat, kinds)},
		{"no subject", "no subject", uints(outputFormat, 0, 0, 0)},
		{"more headers than there is room for", "cut short", append(wire.AppendString(uints(outputFormat, 0), "s"), uints(1<<40)...)},
		{"a header without a name", "without a name", append(wire.AppendString(uints(outputFormat, 0), "s"), uints(1, 0, 0)...)},
		{"a header cut short", "cut short", good[:len(good)-1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ParseOutput(7, c.data)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "output 7") {
				t.Errorf("got %+v and %v, want an error that says %q of output 7", o, err, c.says)
			}
		})
	}
}

func FuzzParseOutput(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendOutput(nil, &Output{Kind: Command, Subject: "holdfast.command.0.web.hold", Data: []byte("{}")}))
	f.Add(AppendOutput(nil, &Output{Kind: Rejected, Subject: "s", Headers: []Header{{"a", ""}, {"a", "b"}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseOutput(1, data)
		if err != nil {
			return
		}
		again, err := ParseOutput(1, AppendOutput(nil, &o))
		if err != nil || !reflect.DeepEqual(again, o) {
			t.Errorf("%+v came back as %+v, %v", o, again, err)
		}
	})
}

func FuzzParseOutputName(f *testing.F) {
	for _, s := range []string{"0-1", "12-34", "", "-", "1", "1-", "-1", "1-0", "+1-1", "99999999999-1", "1-18446744073709551615"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		partition, ordinal, ok := parseOutputName(s)
		if !ok {
			return
		}
		p, n, ok := parseOutputName(outputName(partition, ordinal))
		if !ok || p != partition || n != ordinal || ordinal == 0 || partition < 0 {
			t.Errorf("%q is %d, %d and came back as %d, %d, %v", s, partition, ordinal, p, n, ok)
		}
	})
}
