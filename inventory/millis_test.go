package inventory

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMillisAreRFC3339(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Millis(rapid.Int64Range(1, int64(MillisMax)).Draw(t, "ms"))
		zone := time.FixedZone("", rapid.IntRange(-23*60, 23*60).Draw(t, "minutes")*60)
		at := m.Time().In(zone)
		if at.Year() > 9999 || at.Year() < 1 {
			return
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000000000Z07:00"} {
			if got, err := ParseMillis(at.Format(layout)); err != nil || got != m {
				t.Fatalf("%s is %d, %v; want %d", at.Format(layout), got, err, m)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Millis
		if err := json.Unmarshal(text, &back); err != nil || back != m {
			t.Fatalf("%s is read as %d, %v", text, back, err)
		}
	})
}

// FuzzParseMillis: what is taken is what time.Parse makes of it, to the millisecond.
func FuzzParseMillis(f *testing.F) {
	for _, s := range []string{
		"2026-11-24T09:30:00Z", "2024-02-29T23:59:59.9999+23:59", "2023-02-29T00:00:00Z", "2026-11-24T9:30:00Z", "2026-11-24T09:30:00,5Z",
		"2026-11-24T24:00:00Z", "2026-11-24t09:30:00z", "2026-11-24T09:30:60Z", "0000-01-01T00:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseMillis(s)
		want, library := time.Parse(time.RFC3339Nano, s)
		if err == nil && (library != nil || got != MillisOf(want)) {
			t.Errorf("%q is %d, the library says %d, %v", s, got, want.UnixMilli(), library)
		}
		if err != nil && library == nil && want.Format(time.RFC3339Nano) == s {
			t.Errorf("%q: %v, and it is as the library writes it", s, err)
		}
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q: the error is no text: %q", s, err)
		}
	})
}

func TestWhatIsNoRFC3339(t *testing.T) {
	for _, s := range []string{
		"", "Z", "2026-11-24", "2026-11-24T09:30:00", "2026-11-24T09:30Z", "2026-11-24 09:30:00Z", "2026-11-24t09:30:00Z", "2026-11-24T09:30:00z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T9:00:00Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.5", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00*01:00",
		"+026-01-01T00:00:00Z", "20 6-01-01T00:00:00Z", "12026-01-01T00:00:00Z", "２026-01-01T00:00:00Z",
	} {
		if m, err := ParseMillis(s); err == nil || m != 0 {
			t.Errorf("%q is taken for %d, %v", s, m, err)
		}
	}
}

// TestEveryDayOfTheCalendar goes through one turn of the Gregorian calendar, and the first and last year that can be written.
func TestEveryDayOfTheCalendar(t *testing.T) {
	days := func(from, to int) {
		for day := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < to; day = day.AddDate(0, 0, 1) {
			year, month, dayOfMonth := day.Date()
			if got := daysSinceEpoch(year, int(month), dayOfMonth); int64(got)*86400 != day.Unix() {
				t.Fatalf("%s is day %d, want %d", day.Format(time.DateOnly), got, day.Unix()/86400)
			}
			if next := day.AddDate(0, 0, 1); next.Day() == 1 && daysIn(year, int(month)) != dayOfMonth {
				t.Fatalf("%s has %d days, want %d", day.Format("January 2006"), daysIn(year, int(month)), dayOfMonth)
			}
		}
	}
	days(0, 1)
	days(1800, 2200)
	days(9999, 10000)
}

func TestMillisInJSON(t *testing.T) {
	for text, want := range map[string]Millis{
		`null`: 0, `0`: 0, `1500`: 1500, `-1`: -1, `"1970-01-01T00:00:01.5Z"`: 1500, `"1969-12-31T23:59:59.9995Z"`: -1, `"1970-01-01T01:00:00+01:00"`: 0,
		`"9999-12-31T23:59:59.999Z"`: MillisMax,
	} {
		m := Millis(7)
		if err := json.Unmarshal([]byte(text), &m); err != nil || m != want {
			t.Errorf("%s is read as %d, %v; want %d", text, m, err, want)
		}
	}
	for _, text := range []string{`"yesterday"`, `""`, `1.5`, `1e3`, `true`, `{}`, `9223372036854775808`} {
		var m Millis
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s is read as %d, want an error", text, m)
		}
	}
	for m, want := range map[Millis]string{0: `null`, 1: `"1970-01-01T00:00:00.001Z"`, MillisMax: `"9999-12-31T23:59:59.999Z"`} {
		if text, err := json.Marshal(m); err != nil || string(text) != want {
			t.Errorf("%d is written %s, %v; want %s", m, text, err, want)
		}
	}
	for m, want := range map[Millis]string{0: "none", 1500: "1970-01-01T00:00:01.500Z", Day: "1970-01-02T00:00:00.000Z"} {
		if m.String() != want {
			t.Errorf("%d is printed %s, want %s", m, m, want)
		}
	}
}

func TestMillisOfRoundsDown(t *testing.T) {
	for nanos, want := range map[int64]Millis{1_999_999: 1, 2_000_000: 2, -1: -1, -1_000_001: -2, 0: 0} {
		if got := MillisOf(time.Unix(0, nanos)); got != want {
			t.Errorf("%d ns are %d ms, want %d", nanos, got, want)
		}
	}
}
