package console

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// query holds the parameters of a request, each once and not empty.
type query map[string]string

// parseQuery reads raw and refuses what is not in allowed: a misspelt filter
// that is ignored looks like an answer.
func parseQuery(raw string, allowed []string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, badRequest("The query is not percent-encoded as it should be: %v.", err)
	}
	q := make(query, len(values))
	for name, given := range values {
		if !slices.Contains(allowed, name) {
			if len(allowed) == 0 {
				return nil, badRequest("There is no parameter %q; this call has none.", name)
			}
			return nil, badRequest("There is no parameter %q; allowed are: %s.", name, strings.Join(allowed, ", "))
		}
		if len(given) > 1 {
			return nil, badRequest("Parameter %q is given %d times; once is allowed.", name, len(given))
		}
		if !utf8.ValidString(given[0]) {
			return nil, badRequest("Parameter %q is not UTF-8.", name)
		}
		if given[0] != "" {
			q[name] = given[0]
		}
	}
	return q, nil
}

func (q query) page() (Page, error) {
	limit, err := q.count("limit", pageLimitDefault, 1, pageLimitMax)
	return Page{Cursor: q["cursor"], Limit: limit}, err
}

// count reads a whole number from least to most.
func (q query) count(name string, absent, least, most int) (int, error) {
	text, given := q[name]
	if !given {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badRequest("Parameter %q is %q; allowed is a whole number from %d to %d.", name, text, least, most)
	}
	return n, nil
}

// oneOf reads one of a fixed set of words.
func oneOf[T ~string](q query, name string, allowed []T) (T, error) {
	text := T(q[name])
	if text != "" && !slices.Contains(allowed, text) {
		return "", badRequest("Parameter %q is %q; allowed are: %s.", name, string(text), join(allowed))
	}
	return text, nil
}

// anyOf reads words of a fixed set, separated by commas.
func anyOf[T ~string](q query, name string, allowed []T) ([]T, error) {
	if q[name] == "" {
		return nil, nil
	}
	var words []T
	for word := range strings.SplitSeq(q[name], ",") {
		if !slices.Contains(allowed, T(word)) {
			return nil, badRequest("Parameter %q holds %q; allowed, one or several with commas between, are: %s.",
				name, word, join(allowed))
		}
		words = append(words, T(word))
	}
	return words, nil
}

func join[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// position is a place in the log that a caller wants to see applied.
type position struct {
	partition int
	sequence  uint64
	timeout   time.Duration
}

func (p position) String() string { return fmt.Sprintf("%d:%d", p.partition, p.sequence) }

// position reads ?position=P:SEQ&timeout=; ok is false where none is asked for.
func (q query) position() (p position, ok bool, err error) {
	p.timeout = positionWait
	if text, given := q["timeout"]; given {
		p.timeout, err = time.ParseDuration(text)
		if err != nil || p.timeout <= 0 || p.timeout > positionWaitMax {
			return p, false, badRequest(`Parameter "timeout" is %q; allowed is a duration such as 500ms or 5s, up to %s.`,
				text, positionWaitMax)
		}
	}
	text, given := q["position"]
	if !given {
		if q["timeout"] != "" {
			return p, false, badRequest(`Parameter "timeout" goes with "position", which is absent.`)
		}
		return p, false, nil
	}
	partition, sequence, found := strings.Cut(text, ":")
	number, errPartition := strconv.ParseUint(partition, 10, 31)
	p.sequence, err = strconv.ParseUint(sequence, 10, 64)
	if !found || errPartition != nil || err != nil {
		return p, false, badRequest(`Parameter "position" is %q; allowed is partition:sequence, such as 3:1042.`, text)
	}
	p.partition = int(number)
	return p, true, nil
}

// span reads a duration from least to most; 0 where none is given.
func (q query) span(name string, least, most time.Duration) (time.Duration, error) {
	text, given := q[name]
	if !given {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		return 0, badRequest("Parameter %q is %q; allowed is a duration such as 90m or 4h, from %s to %s.", name, text, least, most)
	}
	return d, nil
}
