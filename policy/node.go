package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/inventory"
)

// nameBytesMax bounds a name in a policy.
const nameBytesMax = inventory.NameBytesMax

// reader reads nodes of a document, and keeps what is wrong with them. It goes on after a mistake, so that
// one run shows them all.
type reader struct{ problems Problems }

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, Problem{n.Line, fmt.Sprintf(format, args...)})
}

// fields are what a mapping may have, by name.
type fields map[string]func(value *yaml.Node)

// mapping reads a mapping whose fields are known.
func (r *reader) mapping(n *yaml.Node, what string, known fields) {
	r.named(n, what, func(key, value *yaml.Node) {
		read := known[key.Value]
		if read == nil {
			r.fail(key, "%s has no field %q; there are %s", what, key.Value, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			return
		}
		read(value)
	})
}

// named reads a mapping whose keys are names.
func (r *reader) named(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s is a mapping: fields with their values, a line each", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			r.fail(key, "%q is given twice", key.Value)
			continue
		}
		seen[key.Value] = true
		each(key, n.Content[i+1])
	}
}

func (r *reader) list(n *yaml.Node, what string, each func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s is a list: each entry begins with -", what)
		return
	}
	for _, v := range n.Content {
		each(v)
	}
}

// oneOrMany reads a value, or a list of such.
func (r *reader) oneOrMany(n *yaml.Node, what string, each func(*yaml.Node)) {
	if n.Kind == yaml.ScalarNode {
		each(n)
		return
	}
	r.list(n, what, each)
}

func (r *reader) names(n *yaml.Node, what string) (all []string) {
	r.oneOrMany(n, what, func(v *yaml.Node) { all = append(all, r.name(v, what)) })
	if len(all) == 0 {
		r.fail(n, "%s names none: leave it out to match every one", what)
	}
	return all
}

// name reads a text that is not empty.
func (r *reader) name(n *yaml.Node, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null":
		r.fail(n, "%s is a name", what)
	case len(n.Value) > nameBytesMax:
		r.fail(n, "%s has %d bytes, %d at most", what, len(n.Value), nameBytesMax)
	case strings.ContainsFunc(n.Value, func(c rune) bool { return c < 0x20 || c >= 0x7f && c < 0xa0 }):
		r.fail(n, "%s holds a control character", what)
	}
	return n.Value
}

func (r *reader) autonomy(n *yaml.Node) Autonomy {
	at := slices.Index(autonomyNames, n.Value)
	if n.Kind != yaml.ScalarNode || at < 0 {
		r.fail(n, "autonomy %q: it is observe, recommend or auto", n.Value)
		return Observe
	}
	return Autonomy(at)
}

// number reads a number from least to most.
func (r *reader) number(n *yaml.Node, what string, least, most float64) float64 {
	x, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(x >= least && x <= most) {
		r.fail(n, "%s %q: it is a number from %g to %g", what, n.Value, least, most)
		return least
	}
	return x
}

// whole reads a whole number from least to most.
func (r *reader) whole(n *yaml.Node, what string, least, most int64) int64 {
	x, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || err != nil || x < least || x > most {
		r.fail(n, "%s %q: it is a whole number from %d to %d", what, n.Value, least, most)
		return least
	}
	return x
}

// share reads a number from 0 to 1.
func (r *reader) share(n *yaml.Node, what string) float64 { return r.number(n, what, 0, 1) }

// durationMax bounds every duration of a policy.
const durationMax = 365 * inventory.Day

var units = []struct {
	name string
	long inventory.Millis
}{{"d", inventory.Day}, {"h", inventory.Hour}, {"m", inventory.Minute}, {"s", inventory.Second}}

// duration reads a time such as 7d, 90m or 1d12h.
func (r *reader) duration(n *yaml.Node, what string, least inventory.Millis) inventory.Millis {
	d, ok := parseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || !ok || d < least || d > durationMax {
		r.fail(n, "%s %q: it is a time such as 7d, 90m or 1d12h, from %s to 365d", what, n.Value, formatDuration(least))
		return max(least, 1)
	}
	return d
}

func parseDuration(text string) (d inventory.Millis, ok bool) {
	if text == "0" {
		return 0, true
	}
	for _, unit := range units {
		number, rest, found := strings.Cut(text, unit.name)
		if !found {
			continue
		}
		count, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return 0, false
		}
		d += inventory.Millis(count) * unit.long
		if text = rest; text == "" {
			return d, true
		}
	}
	return 0, false
}

// formatDuration writes a time as parseDuration reads it.
func formatDuration(d inventory.Millis) string {
	if d == 0 {
		return "0"
	}
	var s strings.Builder
	for _, unit := range units {
		if n := d / unit.long; n > 0 {
			fmt.Fprintf(&s, "%d%s", n, unit.name)
			d -= n * unit.long
		}
	}
	return s.String()
}

func words[T ~string](all []T) string {
	text := make([]string, len(all))
	for i := range all {
		text[i] = string(all[i])
	}
	return strings.Join(text, ", ")
}
