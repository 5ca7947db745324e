package main

import (
	"context"

	"github.com/holdfast-atp/holdfast/bench/role"
)

// benchProcessCmd is what bench starts this program with, once for each part of a measurement.
type benchProcessCmd struct {
	Role string `arg:"" help:"What to be."`
}

func (c *benchProcessCmd) Run(t *terminal) error {
	// A ctrl-C is meant for the bench, which then lets go of its processes in order.
	return role.Play(context.WithoutCancel(t.ctx), c.Role, t.in, t.out)
}
