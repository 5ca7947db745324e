package main

import (
	"github.com/holdfast-atp/holdfast/client"
	"github.com/holdfast-atp/holdfast/inventory"
)

type watchCmd struct {
	natsFlags
	NATSPort int      `name:"nats-port" help:"Port of a holdfast run on this machine." default:"4222"`
	Channel  []string `help:"Commands for these channels only."`
	SKU      []string `help:"Commands for these SKUs only."`
	Location []string `help:"Commands for these locations only, and those for the whole network."`
	After    uint64   `help:"Go on behind this stream sequence, without the commands in force."`
}

func (c *watchCmd) Run(t *terminal) error {
	nc, err := c.dial(c.clientURL(c.NATSPort), "holdfast watch")
	if err != nil {
		return err
	}
	defer nc.Close()
	commands := client.Commands(t.ctx, nc, client.Prefix(c.Prefix), client.After(c.After),
		client.Channels(c.Channel...), client.SKUs(c.SKU...), client.Locations(c.Location...))
	for update, err := range commands {
		if t.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := printCommand(t, &update.Command); err != nil {
			return err
		}
	}
	return nil
}

func printCommand(t *terminal, c *inventory.Command) error {
	where := c.Location
	if where == inventory.Network {
		where = "everywhere"
	}
	return t.print(c, "%s  %-8s %-8s %s @ %s → show %d  [%s]\n    %s",
		c.EventTime, c.Action, safe(c.Channel), safe(c.SKU), safe(where), c.Sellable, c.Class, safe(c.Reason))
}
