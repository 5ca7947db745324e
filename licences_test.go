package holdfast_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences are those that code of ours may be distributed with, and a phrase by which each is known.
// All let it be used for anything and ask for no source but, in the case of MPL, that of its own files.
var licences = map[string]string{
	"Apache-2.0": "apache license version 2.0, january 2004",
	"MIT":        "permission is hereby granted, free of charge, to any person obtaining a copy of this software",
	"BSD":        "redistribution and use in source and binary forms, with or without modification, are permitted",
	"ISC":        "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",
	"MPL-2.0":    "mozilla public license version 2.0",
}

// refusals are phrases of licences, and of clauses added to licences, that are not accepted, whatever
// else a text says.
var refusals = []string{
	"gnu general public license", "gnu affero", "gnu lesser", "gnu library general", "server side public license",
	"business source license", "commons clause", "elastic license", "functional source license", "non-commercial", "noncommercial",
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)
	betweenWord = regexp.MustCompile(`\s+`)
)

// licenceOf names the licence that a text is; "" for one that is not accepted.
func licenceOf(text string) string {
	text = betweenWord.ReplaceAllString(strings.ToLower(text), " ")
	if strings.HasPrefix(strings.TrimSpace(text), licences["MPL-2.0"]) { // which names the GPL as one that its files may also be under
		return "MPL-2.0"
	}
	if slices.ContainsFunc(refusals, func(phrase string) bool { return strings.Contains(text, phrase) }) {
		return ""
	}
	for name, phrase := range licences {
		if strings.Contains(text, phrase) {
			return name
		}
	}
	return ""
}

// TestLicencesAreAccepted reads the licence of every module that is compiled into holdfast or its tests.
func TestLicencesAreAccepted(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", "-json=Module", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	folders := map[string]string{} // by module
	for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
				Replace   *struct{ Dir string }
			}
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch m := p.Module; {
		case m == nil: // of the standard library
		case m.Replace != nil:
			folders[m.Path] = m.Replace.Dir
		default:
			folders[m.Path] = m.Dir
		}
	}
	if len(folders) < 20 {
		t.Fatalf("%d modules are seen, which can't be all: %v", len(folders), folders)
	}
	for module, dir := range folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatalf("%s: %v", module, err)
		}
		found := 0
		for _, entry := range entries {
			if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
				continue
			}
			found++
			text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if licenceOf(string(text)) == "" {
				t.Errorf("%s: %s is no licence that is accepted, or is not known:\n%.300s", module, entry.Name(), text)
			}
		}
		if found == 0 {
			t.Errorf("%s has no licence file, so nobody may use it", module)
		}
	}
}

// TestOtherLicencesAreRefused: the check bites.
func TestOtherLicencesAreRefused(t *testing.T) {
	mit := "MIT License\n\nPermission is hereby granted,\nfree of charge, to any person obtaining a copy of this software and …"
	if licenceOf(mit) != "MIT" {
		t.Error("MIT is not known")
	}
	if licenceOf("Mozilla Public License Version 2.0\n…\n1.12. \"Secondary License\" means either the GNU General Public License") != "MPL-2.0" {
		t.Error("MPL is not known")
	}
	for _, text := range []string{
		"",
		"All rights reserved.",
		"                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007",
		"GNU AFFERO GENERAL PUBLIC LICENSE",
		"GNU LESSER GENERAL\nPUBLIC LICENSE",
		"Server Side Public License",
		"Business Source License 1.1",
		"\"Commons Clause\" License Condition v1.0\n\n" + mit,
		mit + "\nParts are under the GNU General\n Public License.",
		mit + "\nFor non-commercial use.",
	} {
		if name := licenceOf(text); name != "" {
			t.Errorf("%.60q is taken for %s", text, name)
		}
	}
}
