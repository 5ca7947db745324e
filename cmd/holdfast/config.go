package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configFile is the flag that names a YAML file whose keys are flags. A key may be
// written as the flag is, or nested at its hyphens:
//
//	nats-port: 4333
//	commands: {encoding: msgpack}
//
// The command line comes before variables, and variables before the file.
type configFile string

// BeforeResolve reads the file once the command line has been parsed.
func (f configFile) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile))
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	defer file.Close()
	values, err := readConfig(file)
	if err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	if err := checkConfig(k.Model, values); err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		return values[flag.Name], nil // nil where there is none
	}))
	return nil
}

// readConfig returns the values by flag.
func readConfig(r io.Reader) (map[string]any, error) {
	var tree map[string]any
	if err := yaml.NewDecoder(r).Decode(&tree); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	values := map[string]any{}
	return values, flatten(values, "", tree)
}

func flatten(into map[string]any, prefix string, tree map[string]any) error {
	for key, value := range tree {
		name := prefix + strings.NewReplacer("_", "-", ".", "-").Replace(key)
		switch v := value.(type) {
		case map[string]any:
			if err := flatten(into, name+"-", v); err != nil {
				return err
			}
		case nil, []any:
			return fmt.Errorf("%s: a single value belongs here", name)
		default:
			if _, twice := into[name]; twice {
				return fmt.Errorf("%s: given twice", name)
			}
			into[name] = fmt.Sprint(v)
		}
	}
	return nil
}

// checkConfig refuses what is no flag: a slip of the pen must not be a default.
func checkConfig(app *kong.Application, values map[string]any) error {
	known := map[string]bool{}
	var add func(node *kong.Node)
	add = func(node *kong.Node) {
		for _, flag := range node.Flags {
			known[flag.Name] = true
		}
		for _, command := range node.Children {
			add(command)
		}
	}
	add(app.Node)
	delete(known, "config")
	delete(known, "help")
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for name := range values {
		if !known[name] {
			return fmt.Errorf("unknown key %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}
