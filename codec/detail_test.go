package codec

import (
	"strings"
	"testing"
)

// TestTheDetailTellsWhere has what people get wrong in JSON.
func TestTheDetailTellsWhere(t *testing.T) {
	for item, says := range map[string]string{
		`[1]`:                   "without brackets",
		`{"id":"1`:              "the string at byte 6",
		`{"id`:                  "the string at byte 1",
		`{"id":`:                "cut off: the payload ends at byte 6",
		`{id:1}`:                "'i' at byte 1, where a name in double quotes belongs",
		`{"id":1,}`:             "'}' at byte 8, where a name in double quotes belongs",
		`{"id" "1"}`:            `'"' at byte 6, where ':'`,
		`{"id":"1";`:            "';' at byte 9, where ',' or '}' belongs",
		`{"id":01}`:             "'0' at byte 6, where a value belongs",
		`{"id":5}`:              "a number given; a string belongs here",
		`{"quantity":"5"}`:      "an integer without quotes",
		`{"quantity":5.0}`:      "write 5, not 5.0",
		`{"time":"now"}`:        "such as 2026-11-24T09:30:00Z",
		`{"kind":"sales"}`:      `no kind is called "sales"`,
		`{"attrs":{"a":false}}`: "a boolean given; a map of strings belongs here",
		"\x93\x05\x05\x05":      "an integer given; a string belongs here",
		"\x81\x05\x05":          "an integer as a map's key",
		"\x05":                  "starts with byte 0x05, an integer in msgpack",
		"\x91":                  "cut off: the payload ends at byte 1",
		"\x91\xc1":              "byte 0xc1 at 1 is never part of msgpack",
	} {
		var b Batch
		b.Decode([]byte(item))
		if len(b.Bad) != 1 || !strings.Contains(b.Bad[0].Err.Detail, says) {
			t.Errorf("%q: %v, want %q", item, b.Bad, says)
		}
	}
}
