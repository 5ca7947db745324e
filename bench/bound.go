package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// Bound is where a metric is to be; one of the two.
type Bound struct {
	AtLeast *Amount `yaml:"at_least,omitempty"`
	AtMost  *Amount `yaml:"at_most,omitempty"`
}

func (b Bound) check(problem func(key, format string, args ...any), key string) {
	if (b.AtLeast == nil) == (b.AtMost == nil) {
		problem(key, "one of at_least and at_most belongs here")
	}
}

func (b Bound) target() *report.Target {
	if b.AtLeast != nil {
		return &report.Target{Bound: report.AtLeast, Value: float64(*b.AtLeast)}
	}
	return &report.Target{Bound: report.AtMost, Value: float64(*b.AtMost)}
}

// Amount is a number in the unit of its metric. A file may write nanoseconds as a duration,
// such as 2ms, and bytes in MiB or GiB, such as 2GiB.
type Amount float64

// UnmarshalYAML reads an amount.
func (a *Amount) UnmarshalYAML(node *yaml.Node) error {
	text := node.Value
	if d, err := time.ParseDuration(text); err == nil && node.Tag == "!!str" {
		*a = Amount(d)
		return nil
	}
	number, scale := text, 1.0
	if n, ok := strings.CutSuffix(text, "MiB"); ok {
		number, scale = n, 1<<20
	} else if n, ok := strings.CutSuffix(text, "GiB"); ok {
		number, scale = n, 1<<30
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v*scale) || math.IsInf(v*scale, 0) {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is no amount, such as 1000000, 2ms or 2GiB", node.Line, text)}}
	}
	*a = Amount(v * scale)
	return nil
}
