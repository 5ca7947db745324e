package access

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func lineOf(t testing.TB, name string, role Role, token string) string {
	t.Helper()
	line, err := Line(name, role, token)
	if err != nil {
		t.Fatal(err)
	}
	return line + "\n"
}

func TestATokenIsFoundByItsHash(t *testing.T) {
	tokens := map[Role]string{}
	var text string
	for role := Reader; role <= Admin; role++ {
		tokens[role] = NewToken()
		text += lineOf(t, "the-"+role.String(), role, tokens[role])
	}
	all, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for role, token := range tokens {
		if id, ok := all.find(token); !ok || id.Role != role || id.Name != "the-"+role.String() {
			t.Errorf("%s: got %+v, %v", role, id, ok)
		}
		if strings.Contains(text, token) {
			t.Errorf("the file holds the token of %s", role)
		}
		hash := text[strings.Index(text, hashPrefix):][:len(hashPrefix)+64]
		for _, wrong := range []string{token[:len(token)-1], token + "x", strings.ToUpper(token), " " + token, hash, strings.TrimPrefix(hash, hashPrefix), "", strings.Repeat(token, 100)} {
			if id, ok := all.find(wrong); ok {
				t.Errorf("%q is taken for that of %+v", wrong, id)
			}
		}
	}
	if len(tokens[Reader]) != 46 || tokens[Reader] == tokens[Admin] {
		t.Errorf("tokens are %v", tokens)
	}
}

func TestEachRoleMayWhatThoseBelowMay(t *testing.T) {
	for has := Anyone; has <= Admin; has++ {
		for needs := Anyone; needs <= Admin; needs++ {
			if has.Allows(needs) != (has >= needs) {
				t.Errorf("%s where %s is needed: %v", has, needs, has.Allows(needs))
			}
		}
		got, err := ParseRole(has.String())
		if has == Anyone && err == nil || has != Anyone && (err != nil || got != has) {
			t.Errorf("%s is read as %s, %v", has, got, err)
		}
	}
}

func TestASpoiltFileIsRefused(t *testing.T) {
	token := NewToken()
	good := lineOf(t, "a", Reader, token)
	for _, c := range []struct{ text, says string }{
		{"", "names no token"},
		{"[]", "names no token"},
		{"a: b", "not a list of tokens"},
		{token, "not a list of tokens"},
		{"- " + token, "not a list of tokens"},
		{"\t", "not a list of tokens"},
		{strings.Replace(good, "role", "rolle", 1), "not a list of tokens"},
		{good + good, `the name "a" stands there twice`},
		{good + strings.Replace(good, `"a"`, `"b"`, 1), "another token has that hash"},
		{strings.Replace(good, "reader", "root", 1), "reader, operator, approver, admin"},
		{strings.Replace(good, "reader", "anyone", 1), "reader, operator, approver, admin"},
		{strings.Replace(good, `"a"`, `"a b"`, 1), "belong here"},
		{strings.Replace(good, `"a"`, `""`, 1), "belong here"},
		{strings.Replace(good, `"a"`, `"a\u202e"`, 1), "belong here"},
		{fmt.Sprintf("- {name: a, role: reader, hash: %s}", token), "64 hexadecimal digits"},
		{strings.Replace(good, "sha256:", "", 1), "64 hexadecimal digits"},
		{strings.Replace(good, "sha256:", "sha256:00", 1), "64 hexadecimal digits"},
		{"- {name: a, role: reader}", "64 hexadecimal digits"},
		{good + "---\n" + good, "more than one"},
		{"- &a {name: a, role: reader, hash: x}\n- *a", "64 hexadecimal digits"},
	} {
		all, err := parse([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, %v, want it to say %q", c.text, all, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("the error repeats the token: %v", err)
		}
	}
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(path, bytes.Repeat([]byte("#"), fileBytesMax+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(t.TempDir(), "none.yaml")} {
		if _, err := Open(p, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%v does not name %s", err, p)
		}
	}
}

// TestATokenIsTakenBack: who is struck out of the file is nobody a second later, and a slip of
// the pen changes nothing.
func TestATokenIsTakenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	leaver, stayer := NewToken(), NewToken()
	synctest.Test(t, func(t *testing.T) {
		write(lineOf(t, "leaver", Admin, leaver) + lineOf(t, "stayer", Reader, stayer))
		var log bytes.Buffer
		tokens, err := Open(path, slog.New(slog.NewTextHandler(io.Writer(&log), nil)))
		if err != nil {
			t.Fatal(err)
		}
		want := func(when, token string, found bool) {
			t.Helper()
			if _, ok := tokens.Find(token); ok != found {
				t.Errorf("%s: found %v, want %v", when, ok, found)
			}
		}
		want("at first", leaver, true)
		write(lineOf(t, "stayer", Reader, stayer))
		time.Sleep(time.Second)
		want("struck out", leaver, false)
		want("struck out", stayer, true)
		write(leaver)
		time.Sleep(time.Second)
		want("spoilt", stayer, true)
		want("spoilt", leaver, false)
		for _, secret := range []string{leaver, stayer} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("a token was logged: %s", log.String())
			}
		}
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	var a Attempts
	now := time.Unix(0, 0)
	wrong, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range attemptsBurst {
		if wait := a.Fail(wrong, now); wait != 0 {
			t.Fatalf("attempt %d is to wait %s", i+1, wait)
		}
	}
	for range 3 { // asking again does not make it longer
		if wait := a.Fail(wrong, now); wait != attemptsEvery {
			t.Errorf("one more is to wait %s, want %s", wait, attemptsEvery)
		}
	}
	if wait := a.Fail(netip.MustParseAddr("::ffff:192.0.2.1"), now); wait == 0 {
		t.Error("the same address written as IPv6 may be wrong as often again")
	}
	if wait := a.Fail(other, now); wait != 0 {
		t.Errorf("another address is to wait %s", wait)
	}
	if wait := a.Fail(wrong, now.Add(attemptsEvery)); wait != 0 {
		t.Errorf("after waiting it is to wait %s", wait)
	}

	block := netip.MustParseAddr("2001:db8::")
	waited := false
	for i := range attemptsBurst + 1 {
		address := block.As16()
		address[15] = byte(i)
		waited = a.Fail(netip.AddrFrom16(address), now) > 0
	}
	if !waited {
		t.Error("each address of a /64 may be wrong as often as one of IPv4")
	}
	_ = a.Fail(netip.Addr{}, now)
}

// TestAddressesAreForgotten: whoever has many addresses costs no more than so much memory.
func TestAddressesAreForgotten(t *testing.T) {
	var a Attempts
	now := time.Unix(0, 0)
	for i := range 3 * addressesMax {
		a.Fail(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
		if len(a.full) > addressesMax {
			t.Fatalf("%d addresses are remembered", len(a.full))
		}
	}
	a.Fail(netip.MustParseAddr("192.0.2.1"), now.Add(time.Hour))
	if len(a.full) != 1 {
		t.Errorf("%d addresses are remembered when all but one could be forgotten", len(a.full))
	}
}

// TestNoAddressIsToldTooOften, however it spaces its attempts.
func TestNoAddressIsToldTooOften(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Attempts
		from := netip.MustParseAddr("192.0.2.1")
		begin := time.Unix(0, 0)
		now, told := begin, 0
		for range 100 {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(t, "gap")))
			if a.Fail(from, now) == 0 {
				told++
			}
			if most := attemptsBurst + int(now.Sub(begin)/attemptsEvery); told > most {
				t.Fatalf("told %d times in %s, want %d at most", told, now.Sub(begin), most)
			}
		}
	})
}

// FuzzParse: no file crashes the reader, and whatever is taken comes back from its own lines.
func FuzzParse(f *testing.F) {
	f.Add([]byte(lineOf(f, "a", Reader, "t") + lineOf(f, "b@c.d", Admin, "u")))
	f.Add([]byte("- {name: a, role: reader, hash: \"sha256:\"}"))
	f.Add([]byte("- &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parse(text)
		if err != nil {
			return
		}
		var again string
		for _, e := range all {
			again += fmt.Sprintf("- {name: %q, role: %s, hash: \"sha256:%s\"}\n", e.Name, e.Role, hex.EncodeToString(e.hash[:]))
		}
		back, err := parse([]byte(again))
		if err != nil || fmt.Sprint(back) != fmt.Sprint(all) {
			t.Errorf("%q comes back as %v, %v", again, back, err)
		}
	})
}
