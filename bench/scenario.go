package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/bench/report"
	"github.com/holdfast-atp/holdfast/stream"
)

// Scenario is something to measure, as a file describes it.
type Scenario struct {
	*Header
	plan   plan
	scaled float64 // what its counts and durations were multiplied by; 1: nothing
}

// Header is what every scenario's file has.
type Header struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"` // one line, for people
	Type  string `yaml:"type"`  // what is measured, and which further keys there are
	Seed  uint64 `yaml:"seed"`
	Runs  int    `yaml:"runs"` // whose medians are reported

	Partitions int   `yaml:"partitions"`
	SyncAlways bool  `yaml:"sync_always"` // the broker syncs before it acknowledges; else every two minutes
	CacheMiB   int64 `yaml:"cache_mib"`   // of holdfast's memory for state

	Load load.Mix `yaml:"load"` // its seed is the scenario's

	// Targets by the name of the metric.
	Targets map[string]Bound `yaml:"targets,omitempty"`
}

// plan is what a type of scenario adds: its own keys, and how it is measured.
type plan interface {
	header() *Header

	// metrics lists the names that targets may be for.
	metrics() []string

	// check calls problem for each value that makes no sense, with its key.
	check(problem func(key, format string, args ...any))

	// scale multiplies counts and durations.
	scale(by float64)

	// measure returns a Run for each of the header's Runs. Those that were measured come
	// with the error that ended the others.
	measure(ctx context.Context, s *session) ([]report.Run, error)
}

// types are the types of scenario.
var types = map[string]func() plan{
	"catch-up":    func() plan { return &catchUp{} },
	"live":        func() plan { return &live{} },
	"many-keys":   func() plan { return &manyKeys{} },
	"restart":     func() plan { return &restart{} },
	"sinks-slow":  func() plan { return &sinksSlow{} },
	"soak":        func() plan { return &soak{} },
	"storm":       func() plan { return &storm{} },
	"sustainable": func() plan { return &sustainable{} },
}

// Bounds of a header.
const (
	cacheMiBMax = 1 << 20
	keysMax     = 100_000_000

	// Where a scenario says nothing:
	cacheMiBNone = 512 // holdfast's own default
	keysNone     = 100_000
)

func (h *Header) header() *Header { return h }

var namePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (h *Header) check(problem func(key, format string, args ...any)) {
	if !namePattern.MatchString(h.Name) {
		problem("name", "%q: words of lower-case letters and digits belong here, with hyphens between", h.Name)
	}
	if h.Title == "" || strings.ContainsRune(h.Title, '\n') {
		problem("title", "one line for people belongs here")
	}
	inRange(problem, "runs", h.Runs, 1, report.RunsMax)
	inRange(problem, "partitions", h.Partitions, 1, stream.PartitionsMax)
	inRange(problem, "cache_mib", h.CacheMiB, 1, cacheMiBMax)
	checkMix(problem, "load", h.Load)
	for name, bound := range h.Targets {
		bound.check(problem, "targets."+name)
	}
}

// checkMix looks at a load that stands behind key.
func checkMix(problem func(key, format string, args ...any), key string, m load.Mix) {
	inRange(problem, key+".keys", m.Keys, 1, keysMax)
	if m.Seed != 0 {
		problem(key+".seed", "the seed of the scenario is the load's too")
	}
	if err := m.Check(); err != nil {
		problem(key, "%v", err)
	}
}

// mix is the load with its seed.
func (h *Header) mix() load.Mix {
	m := h.Load
	m.Seed = h.Seed
	return m
}

func (h *Header) topology(prefix string) stream.Topology {
	return stream.Topology{Prefix: prefix, Partitions: h.Partitions, Replicas: 1}
}

// inRange wants a value between two, both included.
func inRange[N int | int64 | float64](problem func(key, format string, args ...any), key string, value, least, most N) {
	if !(value >= least && value <= most) { // so that NaN is none
		problem(key, "%v is not between %v and %v", value, least, most)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// scaleCount multiplies a count, down to least.
func scaleCount(n *int, by float64, least int) {
	*n = max(int(math.Round(float64(*n)*by)), min(least, *n))
}

// Parse reads a scenario. An error names the file, and the line where one is at fault.
func Parse(file string, text []byte) (*Scenario, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if document.Kind == 0 {
		return nil, fmt.Errorf("%s: it is empty", file)
	}
	var typed struct {
		Type string `yaml:"type"`
	}
	if err := document.Decode(&typed); err != nil {
		return nil, explain(file, nil, err)
	}
	newPlan, ok := types[typed.Type]
	if !ok {
		return nil, fmt.Errorf("%s:%d: type %q: it is one of %s", file, lineOf(&document, "type"), typed.Type, strings.Join(sortedKeys(types), ", "))
	}
	p := newPlan()
	h := p.header()
	h.Runs, h.Partitions, h.SyncAlways, h.CacheMiB, h.Load.Keys = 1, 16, true, cacheMiBNone, keysNone
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil {
		return nil, explain(file, p, err)
	}
	if err := decoder.Decode(new(yaml.Node)); err == nil {
		return nil, fmt.Errorf("%s: one scenario a file", file)
	}

	var problems []string
	problem := func(key, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s:%d: %s: %s", file, lineOf(&document, key), key, fmt.Sprintf(format, args...)))
	}
	h.check(problem)
	p.check(problem)
	for name := range h.Targets {
		if !slices.Contains(p.metrics(), name) {
			problem("targets."+name, "a %s has no such metric; there are %s", h.Type, strings.Join(p.metrics(), ", "))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return nil, errors.New(strings.Join(problems, "\n"))
	}
	return &Scenario{Header: h, plan: p, scaled: 1}, nil
}

// lineOf returns the line of a key, such as "load.keys", or of what is there of its path.
func lineOf(node *yaml.Node, path string) int {
	if node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	line := node.Line
	for key := range strings.SplitSeq(path, ".") {
		found := false
		for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
			if node.Content[i].Value == key {
				line, node, found = node.Content[i].Line, node.Content[i+1], true
				break
			}
		}
		if !found {
			break
		}
	}
	return line
}

var (
	atLine       = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (.*) not found in type (.*)$`)
)

// explain puts an error of the decoder into terms of the file. p is what was decoded into, nil
// for none.
func explain(file string, p plan, err error) error {
	typed, ok := err.(*yaml.TypeError)
	if !ok {
		return fmt.Errorf("%s: %w", file, err)
	}
	var all []string
	for _, e := range typed.Errors {
		where, what := file, e
		if m := atLine.FindStringSubmatch(e); m != nil {
			where, what = file+":"+m[1], m[2]
		}
		if m := unknownField.FindStringSubmatch(what); m != nil && p != nil {
			what = fmt.Sprintf("unknown key %q; there are %s", m[1], strings.Join(keysOf(reflect.TypeOf(p), m[2]), ", "))
		}
		all = append(all, where+": "+what)
	}
	return errors.New(strings.Join(all, "\n"))
}

// keysOf lists the keys of the struct of that name, which t is or has in it.
func keysOf(t reflect.Type, name string) (keys []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for field := range t.Fields() {
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case t.String() != name:
			if keys = keysOf(field.Type, name); keys != nil {
				return keys
			}
		case options == "inline":
			inner := field.Type
			keys = append(keys, keysOf(inner, inner.String())...)
		case field.IsExported() && tag != "-":
			keys = append(keys, tag)
		}
	}
	return keys
}

// Scale multiplies the scenario's counts and durations. What is measured then is another
// thing than what its targets are about, so it has none.
func (s *Scenario) Scale(by float64) {
	if by == 1 {
		return
	}
	s.plan.scale(by)
	s.Targets = nil
	s.scaled *= by
}

// text is the scenario as its file would be.
func (s *Scenario) text() ([]byte, error) { return yaml.Marshal(s.plan) }

// config is the same for the report.
func (s *Scenario) config() (map[string]any, error) {
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	for _, said := range []string{"name", "title", "seed", "runs", "targets"} {
		delete(config, said) // the report has it elsewhere
	}
	if s.scaled != 1 {
		config["scaled_by"] = s.scaled
	}
	return config, nil
}
