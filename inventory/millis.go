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
	if m, ok := parseRFC3339(s); ok {
		return m, nil
	}
	return 0, fmt.Errorf("time %s is not RFC 3339, such as 2026-11-24T09:30:00Z", quote(s))
}

// parseRFC3339 is time.Parse held to the letter of RFC 3339: Go also takes hours of
// one digit, a comma before the fraction and zones beyond a day. It is on the
// path of every delta whose time is text.
func parseRFC3339(s string) (m Millis, ok bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	century, year, month, day := twoDigits(s, 0), twoDigits(s, 2), twoDigits(s, 5), twoDigits(s, 8)
	hour, minute, second := twoDigits(s, 11), twoDigits(s, 14), twoDigits(s, 17)
	if century|year < 0 || month < 1 || month > 12 || day < 1 || uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return 0, false
	}
	year += 100 * century
	if day > 28 && day > daysIn(year, month) {
		return 0, false
	}
	m = Millis(daysSinceEpoch(year, month, day))*Day + Millis(hour)*Hour + Millis(minute)*Minute + Millis(second)*Second

	rest := s[seconds:]
	if rest[0] == '.' {
		unit, n := Second, 1
		for ; n < len(rest) && rest[n]-'0' <= 9; n++ {
			unit /= 10
			m += Millis(rest[n]-'0') * unit
		}
		if n == 1 {
			return 0, false
		}
		rest = rest[n:]
	}
	if rest == "Z" {
		return m, true
	}
	if len(rest) != len("+07:00") || rest[3] != ':' {
		return 0, false
	}
	hour, minute = twoDigits(rest, 1), twoDigits(rest, 4)
	if uint(hour) > 23 || uint(minute) > 59 {
		return 0, false
	}
	switch east := Millis(hour)*Hour + Millis(minute)*Minute; rest[0] {
	case '+':
		return m - east, true
	case '-':
		return m + east, true
	}
	return 0, false
}

// twoDigits returns the number at s[i:i+2], negative where it is none.
func twoDigits(s string, i int) int {
	tens, ones := s[i]-'0', s[i+1]-'0'
	if tens > 9 || ones > 9 {
		return -1
	}
	return int(tens)*10 + int(ones)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSinceEpoch counts the days from 1970-01-01 to a day of the Gregorian
// calendar, by way of its Julian day number (Fliegel and Van Flandern, 1968).
func daysSinceEpoch(year, month, day int) int {
	const julianDayOfEpoch = 2440588
	a := (14 - month) / 12
	y, m := year+4800-a, month+12*a-3
	return day + (153*m+2)/5 + 365*y + y/4 - y/100 + y/400 - 32045 - julianDayOfEpoch
}
