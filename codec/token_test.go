package codec

import (
	"hash/fnv"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// anySKU draws a name, plain or full of bytes that are no part of a subject.
func anySKU() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,40}`), rapid.StringMatching(`[A-Za-z0-9_-]{1,20}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
}

func TestParseTokenIsTokensInverse(t *testing.T) {
	token := regexp.MustCompile(`^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})*$`)
	rapid.Check(t, func(t *rapid.T) {
		s := anySKU().Draw(t, "name")
		got := Token(s)
		if !token.MatchString(got) {
			t.Fatalf("%q is no token", got)
		}
		if appended := string(AppendToken([]byte("before."), s)); appended != "before."+got {
			t.Fatalf("appended it is %q, alone %q", appended, got)
		}
		if back, err := ParseToken(got); err != nil || back != s {
			t.Fatalf("token %q of %q is %q again, %v", got, s, back, err)
		}
	})
}

func TestTokens(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "plain-1_A": "plain-1_A", "a b.c*>": "a=20b=2Ec=2A=3E", "é": "=C3=A9", "=": "=3D", "=20": "=3D20", "\x00\xff": "=00=FF", "~`@[{/:": "=7E=60=40=5B=7B=2F=3A",
	} {
		if got := Token(s); got != want {
			t.Errorf("token of %q is %q, want %q", s, got, want)
		}
	}
	for _, bad := range []string{"=", "=4", "a=", "a=2", "=2a", "=2e", "=41", "=5F", "a.b", "a b", "=GG", "=2.", "*", ">", "é", "=2E.", "=2Eé"} {
		if s, err := ParseToken(bad); err == nil || s != "" {
			t.Errorf("%q is taken for the token of %q, %v", bad, s, err)
		}
	}
}

// TestPartitionIsFNVOfTheToken: it is what NATS computes from the subject.
func TestPartitionIsFNVOfTheToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sku, partitions := anySKU().Draw(t, "sku"), rapid.IntRange(1, 4096).Draw(t, "partitions")
		h := fnv.New32a()
		h.Write([]byte(Token(sku)))
		if got, want := Partition(sku, partitions), int(h.Sum32()%uint32(partitions)); got != want {
			t.Fatalf("%q of %d: %d, want %d", sku, partitions, got, want)
		}
	})
	if got := Partition("foobar", 1<<31-1); got != 0xbf9cf968%(1<<31-1) { // a published test vector of FNV-1a 32
		t.Errorf("foobar is in %d", got)
	}
	if n := testing.AllocsPerRun(100, func() { Partition("tea & biscuits, 200 g (é)", 16) }); n != 0 {
		t.Errorf("%g allocations, want none", n)
	}
}
