package main

import (
	"net/url"
	"strconv"
)

type countsCmd struct {
	callFlags
	Location string `arg:"" help:"Whose list it is."`
	Budget   int    `help:"How many keys can be counted." default:"20"`
}

func (c *countsCmd) Run(t *terminal) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	query := url.Values{"location": {c.Location}, "budget": {strconv.Itoa(c.Budget)}}
	var answer struct {
		Counts []struct {
			SKU         string   `json:"sku"`
			Location    string   `json:"location"`
			Worth       int64    `json:"worth"`
			Probability float64  `json:"probability"`
			Exposure    int64    `json:"exposure"`
			Exceptions  []string `json:"exceptions"`
			Why         string   `json:"why"`
		} `json:"counts"`
	}
	if err := api.getJSON(t.ctx, "/v1/counts?"+query.Encode(), &answer); err != nil {
		return err
	}
	for i := range answer.Counts {
		k := &answer.Counts[i]
		if err := t.print(k, "%10s  %s\n    %s", money(k.Worth), safe(k.SKU), safe(k.Why)); err != nil {
			return err
		}
	}
	if len(answer.Counts) == 0 {
		t.say("nothing at %s needs a count", safe(c.Location))
	}
	return nil
}
