package codec

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/holdfast-atp/holdfast/inventory"
)

// The lexer of JSON (RFC 8259). Like the msgpack readers, its functions return the
// index behind what they read, or a negative number; a syntax error is a wrongType to
// them, and delimitText says afterwards where and what it was. It is by hand because
// encoding/json replaces bad UTF-8, takes repeated and differently-cased names, and keeps no spans.

// isText reports whether c may be text: neither the start of a msgpack map or array nor a
// control character.
func isText(c byte) bool { return c >= 0x20 && c < 0x7f }

// skipSpace returns the index of the first byte from i on that is not JSON white space.
func skipSpace(buf []byte, i int) int {
	for i < len(buf) && (buf[i] == ' ' || buf[i] == '\n' || buf[i] == '\r' || buf[i] == '\t') {
		i++
	}
	return i
}

// scanString returns the end of the string at buf[i], and whether it has escapes.
func scanString(buf []byte, i int) (next int, escaped bool) {
	if i >= len(buf) || buf[i] != '"' {
		return wrongType, false
	}
	i++
	for {
		i = skipPlainText(buf, i)
		if i >= len(buf) || buf[i] < 0x20 {
			return wrongType, false
		}
		if buf[i] == '"' {
			return i + 1, escaped
		}
		escaped = true // buf[i] is a backslash
		i++
		if i >= len(buf) {
			return wrongType, false
		}
		switch buf[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i++
		case 'u':
			if _, ok := readHex4(buf, i+1); !ok {
				return wrongType, false
			}
			i += 5
		default:
			return wrongType, false
		}
	}
}

// skipPlainText returns the index from i on of the first quote, backslash or control
// character, looking at eight bytes at a time: as in inventory's test of names, a byte's top
// bit is set where subtracting goes below zero. The lowest such byte is right whatever was borrowed above it.
func skipPlainText(buf []byte, i int) int {
	const each = 0x0101010101010101
	for ; i+8 <= len(buf); i += 8 {
		w := binary.LittleEndian.Uint64(buf[i:])
		quotes, slashes := w^('"'*each), w^('\\'*each)
		stop := ((w-0x20*each)&^w | (quotes-each)&^quotes | (slashes-each)&^slashes) & (0x80 * each)
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for ; i < len(buf); i++ {
		if c := buf[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return i
}

// readHex4 reads the four digits of a \u escape.
func readHex4(buf []byte, i int) (r rune, ok bool) {
	if i+4 > len(buf) {
		return 0, false
	}
	for _, c := range buf[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// readText reads the string at buf[i]. Without escapes it is buf's own bytes, with
// escapes a copy. A lone surrogate is an error: it stands for no character.
func readText(buf []byte, i int) (s string, next int) {
	next, escaped := scanString(buf, i)
	switch {
	case next < 0:
		return "", wrongType
	case !escaped:
		return borrow(buf[i+1 : next-1]), next
	}
	text, ok := unescape(buf[i+1 : next-1])
	if !ok {
		return "", loneSurrogate
	}
	return borrow(text), next
}

// unescape returns raw, which scanString has passed, without its escapes.
func unescape(raw []byte) (text []byte, ok bool) {
	text = make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' {
			text = append(text, c)
			continue
		}
		i++
		switch c = raw[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := readHex4(raw, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					low, _ = readHex4(raw, i+3)
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return nil, false
				}
				i += 6
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		text = append(text, c)
	}
	return text, true
}

// scanNumber returns the end of the number at buf[i], and whether it is an integer literal.
func scanNumber(buf []byte, i int) (next int, integer bool) {
	if i < len(buf) && buf[i] == '-' {
		i++
	}
	digits := skipDigits(buf, i)
	if digits == i || buf[i] == '0' && digits > i+1 {
		return wrongType, false
	}
	i, integer = digits, true
	if i < len(buf) && buf[i] == '.' {
		i, integer = i+1, false
		if digits = skipDigits(buf, i); digits == i {
			return wrongType, false
		}
		i = digits
	}
	if i < len(buf) && buf[i]|0x20 == 'e' {
		i, integer = i+1, false
		if i < len(buf) && (buf[i] == '+' || buf[i] == '-') {
			i++
		}
		if digits = skipDigits(buf, i); digits == i {
			return wrongType, false
		}
		i = digits
	}
	return i, integer
}

func skipDigits(buf []byte, i int) int {
	for i < len(buf) && buf[i]-'0' <= 9 {
		i++
	}
	return i
}

// readInteger reads an integer literal.
func readInteger(buf []byte, i int) (v int64, next int) {
	next, integer := scanNumber(buf, i)
	if next < 0 {
		return 0, wrongType
	}
	if !integer {
		return 0, fraction
	}
	// Summed up below zero, where int64 reaches one further.
	negative := buf[i] == '-'
	if negative {
		i++
	}
	for ; i < next; i++ {
		digit := int64(buf[i] - '0')
		if v < (-1<<63+digit)/10 {
			return 0, tooLarge
		}
		v = v*10 - digit
	}
	if negative {
		return v, next
	}
	if v == -1<<63 {
		return 0, tooLarge
	}
	return -v, next
}

// skipWord returns the index behind word, where it stands at buf[i].
func skipWord(buf []byte, i int, word string) int {
	if len(buf)-i < len(word) || string(buf[i:i+len(word)]) != word {
		return wrongType
	}
	return i + len(word)
}

// delimitText returns the end of the JSON value at buf[start]. Where that can't be found,
// the text is lost up to the next newline, or whole, and broken says why.
func delimitText(buf []byte, start int) (end int, broken *inventory.Invalid) {
	end, broken = skipValue(buf, start, depthMax)
	if broken == nil {
		return end, nil
	}
	for end = start; end < len(buf) && buf[end] != '\n'; end++ {
	}
	return end, broken
}

// skipValue returns the end of the JSON value at buf[i], which may hold others up to
// depth levels deep, and says what is wrong where there is none.
func skipValue(buf []byte, i, depth int) (next int, broken *inventory.Invalid) {
	if i >= len(buf) {
		return 0, cutOff(buf)
	}
	switch c := buf[i]; c {
	case '{', '[':
		if depth == 0 {
			return 0, tooDeep(i)
		}
		return skipMembers(buf, i, depth-1)
	case '"':
		return skipString(buf, i, "a value")
	case 't':
		next = skipWord(buf, i, "true")
	case 'f':
		next = skipWord(buf, i, "false")
	case 'n':
		next = skipWord(buf, i, "null")
	default:
		next, _ = scanNumber(buf, i)
	}
	if next < 0 {
		return 0, syntaxError(buf, i, "a value")
	}
	return next, nil
}

// skipString returns the end of the string at buf[i], where wanted belongs.
func skipString(buf []byte, i int, wanted string) (next int, broken *inventory.Invalid) {
	if i >= len(buf) || buf[i] != '"' {
		return 0, syntaxError(buf, i, wanted)
	}
	if next, _ = scanString(buf, i); next < 0 {
		return 0, malformed("", "JSON syntax: the string at byte %d has no end, or a control character or an unknown escape in it", i)
	}
	return next, nil
}

// skipMembers returns the end of the object or array at buf[i].
func skipMembers(buf []byte, i, depth int) (next int, broken *inventory.Invalid) {
	object := buf[i] == '{'
	closing := buf[i] + 2 // both '}' and ']' are two after their opening
	i = skipSpace(buf, i+1)
	if i < len(buf) && buf[i] == closing {
		return i + 1, nil
	}
	for {
		if object {
			if i, broken = skipString(buf, i, "a name in double quotes"); broken != nil {
				return 0, broken
			}
			if i = skipSpace(buf, i); i >= len(buf) || buf[i] != ':' {
				return 0, syntaxError(buf, i, "':' after the name")
			}
			i = skipSpace(buf, i+1)
		}
		if i, broken = skipValue(buf, i, depth); broken != nil {
			return 0, broken
		}
		i = skipSpace(buf, i)
		switch {
		case i < len(buf) && buf[i] == closing:
			return i + 1, nil
		case i < len(buf) && buf[i] == ',':
			i = skipSpace(buf, i+1)
		default:
			return 0, syntaxError(buf, i, "',' or '"+string(closing)+"'")
		}
	}
}

func syntaxError(buf []byte, i int, wanted string) *inventory.Invalid {
	if i >= len(buf) {
		return cutOff(buf)
	}
	return malformed("", "JSON syntax: %q at byte %d, where %s belongs", buf[i], i, wanted)
}
