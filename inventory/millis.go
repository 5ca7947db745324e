package inventory

import (
	"fmt"
	"strconv"
	"time"
)

// Millis is a moment: milliseconds since the Unix epoch, UTC. The zero Millis
// stands for "none".
type Millis int64

// Durations in milliseconds, for arithmetic on Millis.
const (
	Second Millis = 1000
	Minute        = 60 * Second
	Hour          = 60 * Minute
	Day           = 24 * Hour
)

// MillisMax is the last moment that a delta may name: the end of the year 9999,
// the last that RFC 3339 can write.
const MillisMax Millis = 253402300799999

const rfc3339Millis = "2006-01-02T15:04:05.000Z07:00"

// MillisOf returns t in whole milliseconds, rounded down.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time returns m as a time in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// String returns m in RFC 3339 with milliseconds, and "none" for the zero Millis.
func (m Millis) String() string {
	if m == 0 {
		return "none"
	}
	return m.Time().Format(rfc3339Millis)
}

// MarshalJSON writes an RFC 3339 string, and null for the zero Millis.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return m.Time().AppendFormat(make([]byte, 0, 32), `"`+rfc3339Millis+`"`), nil
}

// UnmarshalJSON accepts an RFC 3339 string, integer Unix milliseconds, or null.
func (m *Millis) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*m = 0
		return nil
	}
	if n := len(data); n >= 2 && data[0] == '"' {
		got, err := ParseMillis(string(data[1 : n-1]))
		*m = got
		return err
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil {
		return fmt.Errorf("time %s is neither an RFC 3339 string nor integer Unix milliseconds", data)
	}
	*m = Millis(n)
	return nil
}

// ParseMillis reads an RFC 3339 time; what is finer than a millisecond is cut off.
func ParseMillis(s string) (Millis, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("time %s is not RFC 3339, such as 2026-11-24T09:30:00Z", quote(s))
	}
	return MillisOf(t), nil
}
