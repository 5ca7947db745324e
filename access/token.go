package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	tokenPrefix   = "hf_" // by which people and scanners of repositories know it
	tokenBytes    = 32
	tokenCharsMax = 256 // of what is looked at; ours have 46
	hashPrefix    = "sha256:"
)

// NewToken returns a token that nobody has had before.
func NewToken() string {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // it never fails, and ends the process where the system has no randomness
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// Line is the line of the tokens file for a token. It fails where the name can't stand there.
func Line(name string, role Role, token string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(token))
	return fmt.Sprintf("- {name: %q, role: %s, hash: %q}", name, role, hashPrefix+hex.EncodeToString(sum[:])), nil
}

const nameCharsMax = 64

// checkName wants a name that can stand in logs and in the history of an exception as it is.
func checkName(name string) error {
	if name == "" || len(name) > nameCharsMax || strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.@", r))
	}) {
		return fmt.Errorf("name %q: 1 to %d letters of a–z, A–Z, 0–9, -, _, . and @ belong here", name, nameCharsMax)
	}
	return nil
}

// parseHash reads sha256: and 64 hexadecimal digits. Its error does not repeat what was
// there: that may be a token by mistake.
func parseHash(text string) (hash [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != sha256.Size {
		return hash, fmt.Errorf("hash: %s and 64 hexadecimal digits belong here, as holdfast token new prints them; the token itself never does", hashPrefix)
	}
	return [sha256.Size]byte(sum), nil
}
