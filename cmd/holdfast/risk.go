package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

type riskCmd struct {
	callFlags
	By       string        `help:"Put keys together by location, supplier, channel or SKU." enum:",location,supplier,channel,sku" default:""`
	Window   time.Duration `help:"How far ahead; that of the policy if not given." placeholder:"4h"`
	Location string        `help:"Of this location alone."`
	Supplier string        `help:"Of this supplier alone."`
	Channel  string        `help:"Of this channel alone."`
	SKU      string        `name:"sku" help:"Of this SKU alone."`
	Limit    int           `help:"How many keys or groups." default:"20"`
}

func (c *riskCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	if c.Window != 0 {
		query.Set("window", c.Window.String())
	}
	for name, value := range map[string]string{"by": c.By, "location": c.Location, "supplier": c.Supplier, "channel": c.Channel, "sku": c.SKU} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer struct {
		Window string           `json:"window"`
		Risks  []inventory.Risk `json:"risks"`
		Groups []struct {
			Name        string           `json:"name"`
			Probability float64          `json:"probability"`
			Expected    float64          `json:"expected"`
			Worth       int64            `json:"worth"`
			Keys        int              `json:"keys"`
			Worst       []inventory.Risk `json:"worst"`
		} `json:"groups"`
	}
	if err := api.getJSON(t.ctx, "/v1/risk?"+query.Encode(), &answer); err != nil {
		return err
	}
	for i := range answer.Groups {
		g := &answer.Groups[i]
		name := safe(g.Name)
		if name == "" {
			name = "(not known)"
		}
		if err := t.print(g, "%10s  %5.1f %%  %s: %d keys at risk, %.2g of them likely; worst %s at %s", money(g.Worth), 100*g.Probability, name, g.Keys, g.Expected, safe(g.Worst[0].SKU), safe(g.Worst[0].Location)); err != nil {
			return err
		}
	}
	for i := range answer.Risks {
		r := &answer.Risks[i]
		if err := t.print(r, "%10s  %5.1f %%  %s at %s\n    %s", money(r.Worth), 100*r.Probability, safe(r.SKU), safe(r.Location), whyRisk(r)); err != nil {
			return err
		}
	}
	if len(answer.Risks)+len(answer.Groups) == 0 {
		t.say("nothing is at risk in the next %s", answer.Window)
	}
	return nil
}

// whyRisk says what a risk is made of.
func whyRisk(r *inventory.Risk) string {
	why := fmt.Sprintf("%.1f likely asked for until %s, %d to promise", r.Expected, r.Until.Time().Format("Jan 2 15:04"), r.ATP)
	if r.Due > 0 {
		why += fmt.Sprintf(", %d due", r.Due)
	}
	why += fmt.Sprintf(": runs out %.1f %%", 100*r.RunsOut)
	if r.Empty >= 0.001 {
		why += fmt.Sprintf(", nothing is there %.1f %%", 100*r.Empty)
	}
	for i, c := range r.Channels {
		if i == 0 {
			why += "; on "
		} else {
			why += ", "
		}
		why += fmt.Sprintf("%s %.1f %%", safe(c.Channel), 100*c.Probability)
	}
	return why
}
