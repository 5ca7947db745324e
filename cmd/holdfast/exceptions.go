package main

import (
	"fmt"
	"net/url"

	"github.com/holdfast-atp/holdfast/inventory"
)

type exceptionsCmd struct {
	callFlags
	Status   string `help:"Of these statuses only, separated by commas." default:"open,awaiting_approval,acting"`
	Class    string `help:"Of this class only."`
	Location string `help:"At this location only; * for the whole network."`
	Limit    int    `help:"How many, the worst first." default:"20"`
}

func (c *exceptionsCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	for name, value := range map[string]string{"status": c.Status, "class": c.Class, "location": c.Location} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer struct {
		Exceptions []inventory.Exception `json:"exceptions"`
		Next       string                `json:"next"`
	}
	if err := api.getJSON(t.ctx, "/v1/exceptions?"+query.Encode(), &answer); err != nil {
		return err
	}
	for i := range answer.Exceptions {
		x := &answer.Exceptions[i]
		err := t.print(x, "%s  %-17s %-8s %s  %s @ %s  exposure %s  [%s]\n    %s",
			x.UpdatedAt, x.Class, x.Severity, x.Status, safe(x.SKU), safe(x.Location), money(x.Exposure), x.ID, safe(x.Reason))
		if err != nil {
			return err
		}
	}
	switch {
	case len(answer.Exceptions) == 0:
		t.say("nothing stands")
	case answer.Next != "":
		t.say("… and more: ask for them with --limit")
	}
	return nil
}

// money writes minor units with two decimals; the currency is the retailer's own.
func money(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }
