package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fact is one thing that holds for a report or a scenario, in words.
type fact struct {
	Name, Value string

	// told: it is worth telling, but figures with another value here can be compared all the same.
	told bool
}

func (m Machine) facts() []fact {
	return []fact{
		{Name: "system", Value: m.OS + "/" + m.Arch},
		{Name: "CPU", Value: known(m.CPU)},
		{Name: "cores", Value: strconv.Itoa(m.Cores)},
		{Name: "memory", Value: bytesOf(m.MemoryBytes)},
		{Name: "kernel", Value: known(m.Kernel), told: true},
		{Name: "Go", Value: known(m.Go), told: true},
		{Name: "sync of 4 KiB", Value: timeOf(m.DiskSync), told: true},
	}
}

// eachSays stands for a setting in which scenarios differ.
const eachSays = "as each scenario says"

// facts returns none where nothing of it bears on the figures.
func (s Settings) facts() []fact {
	if s == (Settings{}) {
		return nil
	}
	partitions := eachSays
	if s.Partitions != 0 {
		partitions = strconv.Itoa(s.Partitions)
	}
	return []fact{
		{Name: "broker syncs", Value: known(map[Sync]string{SyncAlways: "each message", SyncLazy: "at intervals", SyncMixed: eachSays}[s.Sync])},
		{Name: "replicas", Value: strconv.Itoa(s.Replicas)},
		{Name: "partitions", Value: partitions},
		{Name: "CPU per delta", Value: map[bool]string{true: "with the broker's", false: "without the broker's"}[s.CountsBroker]},
		{Name: "NATS server", Value: known(s.NATS), told: true},
		{Name: "Pebble", Value: known(s.Pebble), told: true},
	}
}

// facts returns the seed and the configuration, by name.
func (s Scenario) facts() []fact {
	facts := []fact{{Name: "seed", Value: strconv.FormatUint(s.Seed, 10)}}
	for _, name := range slices.Sorted(maps.Keys(s.Config)) {
		facts = append(facts, fact{Name: name, Value: inJSON(s.Config[name])})
	}
	return facts
}

// inJSON shows a value of a configuration; JSON sorts the keys of maps.
func inJSON(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(v); err != nil {
		return err.Error() // no report with such a value has ever been written or read
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func known(text string) string {
	if text == "" {
		return "not known"
	}
	return text
}

func bytesOf(n int64) string {
	if n == 0 {
		return known("")
	}
	return short(Bytes, float64(n))
}

func timeOf(d time.Duration) string {
	if d == 0 {
		return "not measured"
	}
	return scaleOf(Nanoseconds, float64(d)).full(float64(d))
}

// plain keeps a text on its line and in its cell: a report may come from anywhere, and a
// terminal obeys what it is sent.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// plural counts things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
