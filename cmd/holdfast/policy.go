package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"

	"github.com/holdfast-atp/holdfast/console"
	"github.com/holdfast-atp/holdfast/policy"
)

type policyCmd struct {
	Check  policyCheckCmd  `cmd:"" help:"Say what is wrong with a policy file, by line, or that nothing is."`
	Show   policyShowCmd   `cmd:"" help:"Print the policy in force of a running holdfast, or the built-in one."`
	Schema policySchemaCmd `cmd:"" help:"Print the JSON schema of policy files, by which editors check while one writes."`
}

type policySchemaCmd struct{}

func (*policySchemaCmd) Run(t *terminal) error {
	_, err := t.out.Write(policy.Schema())
	return err
}

// policyFile names a policy file.
type policyFile string

// read returns the policy in the file, and what is wrong with it by file and line.
func (f policyFile) read() (*policy.Policy, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, policy.TextBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", f, err)
	}
	return policy.Parse(string(text))
}

// line is a mistake with its place, as editors and people read it.
func (f policyFile) line(p policy.Problem) string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", f, safe(p.Detail))
	}
	return fmt.Sprintf("%s:%d: %s", f, p.Line, safe(p.Detail))
}

type policyCheckCmd struct {
	File policyFile `arg:"" help:"The policy file."`
}

type policyReport struct {
	File     string           `json:"file"`
	Version  string           `json:"version,omitempty"`
	Problems []policy.Problem `json:"problems"`
}

func (c *policyCheckCmd) Run(t *terminal) error {
	p, err := c.File.read()
	var problems policy.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	report := policyReport{File: string(c.File), Problems: append([]policy.Problem{}, problems...)}
	if err == nil {
		report.Version = p.Version
		return t.print(report, "%s: policy %s is in order", c.File, p.Version)
	}
	if t.json {
		if err := t.print(report, ""); err != nil {
			return err
		}
	}
	for _, problem := range problems {
		t.say("%s", c.File.line(problem))
	}
	return fmt.Errorf("%s can't be used: mend what is listed and check it again", c.File)
}

type policyShowCmd struct {
	callFlags
	Default bool `help:"The one that is in force where no other is; to begin one's own with."`
}

func (c *policyShowCmd) Run(t *terminal) error {
	shown := console.PolicyInForce{}
	if c.Default {
		p := policy.Default()
		shown.Version, shown.Text = p.Version, p.Text
	} else {
		api, err := c.api()
		if err != nil {
			return err
		}
		if err := api.getJSON(t.ctx, "/v1/policy", &shown); err != nil {
			return err
		}
	}
	if t.json {
		return t.print(shown, "")
	}
	t.say("# %s", shown.Version)
	for _, p := range shown.Partitions {
		if p.Version != shown.Version {
			t.say("# partition %d: %s", p.Partition, p.Version)
		}
	}
	_, err := io.WriteString(t.out, shown.Text)
	return err
}

// startPolicy returns the policy of --policy; nil where there is none.
func (f *nodeFlags) startPolicy() (*policy.Policy, error) {
	if f.Policy == "" {
		return nil, nil
	}
	p, err := f.Policy.read()
	var problems policy.Problems
	if errors.As(err, &problems) {
		return nil, usageError{fmt.Errorf("--policy %s; holdfast policy check lists all that is wrong", f.Policy.line(problems[0]))}
	}
	return p, err
}

// setPolicy sends the policy of --policy, if there is one, through the log where another is in force.
func (n *node) setPolicy(t *terminal) error {
	if n.policy == nil {
		return nil
	}
	by := "holdfast"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	changed, err := n.processor.SetPolicy(t.ctx, by, n.policy)
	switch {
	case err != nil:
		return fmt.Errorf("--policy: %w", err)
	case changed == 0:
		t.say("policy %s was in force already", n.policy.Version)
	default:
		t.say("policy %s has taken effect in %d partitions", n.policy.Version, changed)
	}
	return nil
}
