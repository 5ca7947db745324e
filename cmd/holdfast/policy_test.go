package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/policy"
)

// TestPolicyCheck: what is wrong is said by file and line, and what is right with its version.
func TestPolicyCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", policy.Default().Text)
	bad := write("bad.yaml", "name: bad\nclasses:\n  oversell: {autonomy: maybe}\n  phantom: {}\n")
	for _, c := range []struct {
		args []string
		exit int
		out  string
		err  string
	}{
		{[]string{"policy", "check", good}, exitDone, good + ": policy " + policy.Default().Version + " is in order\n", ""},
		{[]string{"policy", "check", bad}, exitFailed, bad + `:3: autonomy "maybe": it is observe, recommend or auto` + "\n" + bad + `:4: there is no class "phantom"`, "mend what is listed"},
		{[]string{"--json", "policy", "check", bad}, exitFailed, `"line":4`, "mend what is listed"},
		{[]string{"--json", "policy", "check", good}, exitDone, `"problems":[]`, ""},
		{[]string{"policy", "check", filepath.Join(dir, "none.yaml")}, exitFailed, "", "no such file"},
		{[]string{"policy", "check"}, exitUsage, "", "holdfast --help"},
		{[]string{"run", "--policy", bad, "--data", filepath.Join(dir, "data")}, exitUsage, "", bad + `:3: autonomy "maybe"`},
		{[]string{"policy", "schema"}, exitDone, string(policy.Schema()), ""},
		{[]string{"policy", "show", "--default"}, exitDone, policy.Default().Text, ""},
	} {
		var out, errs bytes.Buffer
		exit := run(c.args, strings.NewReader(""), &out, &errs)
		if exit != c.exit || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
			t.Errorf("%v: exit %d, want %d\n%s\n%s", c.args, exit, c.exit, out.String(), errs.String())
		}
	}
}
