package main

import (
	"errors"

	"github.com/holdfast-atp/holdfast/access"
)

type tokenCmd struct {
	New tokenNewCmd `cmd:"" help:"Make a token: prints it, this once, and the line for the file of --tokens."`
}

type tokenNewCmd struct {
	Name string `required:"" help:"Whose it is; the name stands in logs, and in the history of what was decided with it."`
	Role string `required:"" help:"What it may do: reader, operator, approver or admin; each includes those before it."`
}

func (c *tokenNewCmd) Run(t *terminal) error {
	role, err := access.ParseRole(c.Role)
	token := access.NewToken()
	line, lineErr := access.Line(c.Name, role, token)
	if err := errors.Join(err, lineErr); err != nil {
		return usageError{err}
	}
	return t.print(map[string]string{"name": c.Name, "role": role.String(), "token": token, "line": line},
		"The token, which is kept nowhere and can't be shown again:\n  %s\nThe line for the file of --tokens, which holds its hash alone:\n%s", token, line)
}
