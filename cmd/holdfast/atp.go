package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/holdfast-atp/holdfast/inventory"
)

type atpCmd struct {
	callFlags
	SKU      string `arg:"" help:"The SKU."`
	Location string `arg:"" optional:"" help:"One location of it."`
}

func (c *atpCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	path := "/v1/atp/" + url.PathEscape(c.SKU)
	if c.Location != "" {
		path += "/" + url.PathEscape(c.Location)
	}
	var raw json.RawMessage
	if err := api.getJSON(t.ctx, path, &raw); err != nil {
		return err
	}
	if t.json {
		return t.print(raw, "")
	}
	if c.Location != "" {
		var one inventory.LocationAvailability
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		return printAvailability(t, one.Position, one.Availability)
	}
	var all inventory.SKUAvailability
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	t.say("%s: network ATP %d", safe(all.SKU), all.ATP)
	for _, channel := range all.Channels {
		t.say("  %s may promise %d%s", safe(channel.Channel), channel.ATP, bound(channel.Held, nil))
	}
	return printAvailability(t, all.Position, all.Locations...)
}

// bound says what commands let a channel show.
func bound(held bool, throttled *int64) string {
	switch {
	case held:
		return " (held)"
	case throttled != nil:
		return fmt.Sprintf(" (throttled to %d)", *throttled)
	}
	return ""
}

func printAvailability(t *terminal, at inventory.Position, locations ...inventory.Availability) error {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "location\ton hand\tunavailable\treserved\tsafety\tATP\tinbound\tin transit\t")
	for _, l := range locations {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", safe(l.Location), l.OnHand, l.Unavailable, l.Reserved, l.Safety, l.ATP, l.Inbound, l.InTransit)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, l := range locations {
		for _, channel := range l.Channels {
			listed := "never said"
			if channel.Listed != nil {
				listed = fmt.Sprint(*channel.Listed)
			}
			t.say("  %s at %s: ATP %d, shows %s%s", safe(channel.Channel), safe(l.Location), channel.ATP, listed, bound(channel.Held, channel.Throttled))
		}
	}
	t.say("as of position %d:%d, event time %s", at.Partition, at.Sequence, at.EventTime)
	return nil
}
