package codec

import (
	"fmt"
	"strings"
)

const upperHex = "0123456789ABCDEF"

// Token returns s as one token of a NATS subject: every byte outside A–Z a–z 0–9 _ - is
// written as =XX. What is plain already is returned as it is. The token of "" is "",
// which is no token: deltas have no empty names where tokens are made.
func Token(s string) string {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return string(AppendToken(make([]byte, 0, len(s)+16), s))
		}
	}
	return s
}

// AppendToken appends [Token] of s to dst.
func AppendToken(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; isTokenByte(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '=', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// ParseToken returns the string whose token is given. Only what [Token] writes is
// accepted, so a string has one token.
func ParseToken(token string) (string, error) {
	if strings.IndexByte(token, '=') < 0 {
		for i := range len(token) {
			if !isTokenByte(token[i]) {
				return "", fmt.Errorf("token %q: byte %q is written =%02X", token, token[i], token[i])
			}
		}
		return token, nil
	}
	s := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c == '=' {
			if i+2 >= len(token) {
				return "", fmt.Errorf("token %q: two hexadecimal digits belong behind each =", token)
			}
			high, low := strings.IndexByte(upperHex, token[i+1]), strings.IndexByte(upperHex, token[i+2])
			if high < 0 || low < 0 {
				return "", fmt.Errorf("token %q: two upper-case hexadecimal digits belong behind each =", token)
			}
			if c = byte(high<<4 | low); isTokenByte(c) {
				return "", fmt.Errorf("token %q: %q needs no escape", token, c)
			}
			i += 2
		} else if !isTokenByte(c) {
			return "", fmt.Errorf("token %q: byte %q is written =%02X", token, c, c)
		}
		s = append(s, c)
	}
	return string(s), nil
}

// Partition returns the partition of a SKU among so many: FNV-1a 32 of its token, mod
// partitions, as NATS's {{partition(P,1)}} computes it from the token. It does not
// allocate. partitions is at least 1.
func Partition(sku string, partitions int) int {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for i := range len(sku) {
		c := sku[i]
		if isTokenByte(c) {
			h = (h ^ uint32(c)) * prime
			continue
		}
		h = (h ^ '=') * prime
		h = (h ^ uint32(upperHex[c>>4])) * prime
		h = (h ^ uint32(upperHex[c&15])) * prime
	}
	return int(h % uint32(partitions))
}

func isTokenByte(c byte) bool { return tokenBytes[c>>6]>>(c&63)&1 != 0 }

// tokenBytes is the set of bytes that stand for themselves: A–Z a–z 0–9 _ -.
var tokenBytes = func() (set [4]uint64) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") {
		set[c>>6] |= 1 << (c & 63)
	}
	return set
}()
