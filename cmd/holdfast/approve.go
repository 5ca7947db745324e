package main

import (
	"net/url"
	"os/user"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

type approveCmd struct {
	callFlags
	ID      string `arg:"" help:"The exception's id, as holdfast exceptions prints it."`
	Reject  bool   `help:"It is none: dismiss it, and release what it holds." xor:"what"`
	Resolve bool   `help:"It is dealt with: resolve it, and release what it holds." xor:"what"`
	Assign  string `help:"Let somebody else answer for it, and change nothing else." placeholder:"OWNER" xor:"what"`
	Note    string `help:"Why; it stands in the exception's history and in the audit trail."`
	By      string `help:"In whose name, where holdfast asks nobody for a token; yours on this machine if not given."`
}

func (c *approveCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	if c.By == "" && api.token == "" {
		if u, err := user.Current(); err == nil {
			c.By = u.Username
		}
	}
	body := map[string]string{}
	for name, value := range map[string]string{"note": c.Note, "owner": c.Assign, "by": c.By} {
		if value != "" {
			body[name] = value
		}
	}
	var x inventory.Exception
	if err := api.postJSON(t.ctx, "/v1/exceptions/"+url.PathEscape(c.ID)+"/"+string(c.action()), body, &x); err != nil {
		return err
	}
	err = t.print(&x, "%s  %-17s %s  %s @ %s  owner %s\n    %s",
		x.UpdatedAt, x.Class, x.Status, safe(x.SKU), safe(x.Location), safe(x.Owner), safe(x.Reason))
	if len(x.History) > 0 {
		last := x.History[len(x.History)-1]
		t.say("    decided by %s: %s", safe(last.By), safe(orNone(last.Note)))
	}
	return err
}

func (c *approveCmd) action() control.Action {
	switch {
	case c.Reject:
		return control.Reject
	case c.Resolve:
		return control.Resolve
	case c.Assign != "":
		return control.Assign
	}
	return control.Approve
}

func orNone(note string) string {
	if note == "" {
		return "no note"
	}
	return note
}
