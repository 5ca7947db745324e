package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// terminal is where a subcommand reads and prints.
type terminal struct {
	ctx  context.Context // ends at SIGINT and SIGTERM
	in   io.Reader
	out  io.Writer
	err  io.Writer
	json bool
	log  *slog.Logger
}

// say prints a line for people; where JSON is wanted it prints nothing.
func (t *terminal) say(format string, args ...any) {
	if !t.json {
		fmt.Fprintf(t.out, format+"\n", args...)
	}
}

// print prints v as one line of JSON, or a line for people.
func (t *terminal) print(v any, format string, args ...any) error {
	if !t.json {
		_, err := fmt.Fprintf(t.out, format+"\n", args...)
		return err
	}
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// interactive reports whether somebody looks at what is drawn on stderr.
func (t *terminal) interactive() bool {
	f, ok := t.err.(*os.File)
	return ok && !t.json && term.IsTerminal(int(f.Fd()))
}

// safe makes foreign text fit to print: names may hold anything but control characters,
// yet what a terminal would obey must not come out of an error or a file.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u202e' {
			return '�'
		}
		return r
	}, s)
}
