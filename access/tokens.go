package access

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-atp/holdfast/internal/reload"
)

// Bounds of a tokens file.
const (
	fileBytesMax = 1 << 20
	tokensMax    = 4096
)

// Identity is whose token it is. An empty name is that of somebody who was not asked for one.
type Identity struct {
	Name string
	Role Role
}

// Tokens are those of a file, as it is now.
type Tokens struct{ table *reload.Value[table] }

// Open reads the tokens file at path. It is read again when it changes; one that is spoilt then
// leaves the tokens as they were, and says so in log.
func Open(path string, log *slog.Logger) (*Tokens, error) {
	v, err := reload.New(log, func() (table, error) { return readFile(path) }, path)
	if err != nil {
		return nil, err
	}
	return &Tokens{v}, nil
}

// Find returns whose token it is, or false where it is nobody's.
func (t *Tokens) Find(token string) (Identity, bool) { return t.table.Get().find(token) }

func readFile(path string) (table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("tokens file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err == nil && len(text) > fileBytesMax {
		err = fmt.Errorf("it has more than %d bytes", fileBytesMax)
	}
	var t table
	if err == nil {
		t, err = parse(text)
	}
	if err != nil {
		return nil, fmt.Errorf("tokens file %s: %w", path, err)
	}
	return t, nil
}

// table is what a tokens file says.
type table []entry

type entry struct {
	Identity
	hash [sha256.Size]byte
}

// find compares with every entry, and takes as long for whatever it is given.
func (t table) find(token string) (id Identity, ok bool) {
	if len(token) > tokenCharsMax {
		return Identity{}, false
	}
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range t {
		same := subtle.ConstantTimeCompare(sum[:], t[i].hash[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return Identity{}, false
	}
	return t[found].Identity, true
}

// line is a token in the file. Role and hash are text, so that errors can say what belongs there.
type line struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"`
	Hash string `yaml:"hash"`
}

// parse reads a list of tokens. Whatever is not understood is an error: a role that was
// misspelt must not become another one.
func parse(text []byte) (table, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var lines []line
	if err := decoder.Decode(&lines); err != nil && !errors.Is(err, io.EOF) {
		// The parser's own words repeat what they stumbled over, which may be a token.
		return nil, errors.New("it is not a list of tokens; a line is as holdfast token new prints it: - {name: …, role: …, hash: …}")
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one YAML document; one list belongs here")
	}
	switch {
	case len(lines) == 0:
		return nil, errors.New("it names no token, so nobody could call; holdfast token new makes one")
	case len(lines) > tokensMax:
		return nil, fmt.Errorf("it names %d tokens; %d are allowed", len(lines), tokensMax)
	}
	t := make(table, 0, len(lines))
	names, hashes := map[string]bool{}, map[[sha256.Size]byte]bool{}
	for i, l := range lines {
		e, err := l.entry()
		switch {
		case err != nil:
			return nil, fmt.Errorf("token %d: %w", i+1, err)
		case names[e.Name]:
			return nil, fmt.Errorf("token %d: the name %q stands there twice", i+1, e.Name)
		case hashes[e.hash]:
			return nil, fmt.Errorf("token %d: another token has that hash; each needs a token of its own", i+1)
		}
		names[e.Name], hashes[e.hash] = true, true
		t = append(t, e)
	}
	return t, nil
}

func (l *line) entry() (e entry, err error) {
	e.Name = l.Name
	if err = checkName(l.Name); err != nil {
		return e, err
	}
	if e.Role, err = ParseRole(l.Role); err != nil {
		return e, fmt.Errorf("%s: %w", l.Name, err)
	}
	if e.hash, err = parseHash(l.Hash); err != nil {
		return e, fmt.Errorf("%s: %w", l.Name, err)
	}
	return e, nil
}
