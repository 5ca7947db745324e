package main

import (
	"context"

	"github.com/holdfast-atp/holdfast/bench/role"
	"github.com/holdfast-atp/holdfast/internal/hugepage"
)

// benchProcessCmd is what bench starts this program with, once for each part of a measurement.
type benchProcessCmd struct {
	Role string `arg:"" help:"What to be."`
}

// benchHeap is what the heap of any part grows to.
const benchHeap = 1 << 30

func (c *benchProcessCmd) Run(t *terminal) error {
	if err := hugepage.Reserve(benchHeap); err != nil {
		t.log.Warn("no huge pages: fresh memory costs more", "error", err)
	}
	// A ctrl-C is meant for the bench, which then lets go of its processes in order.
	return role.Play(context.WithoutCancel(t.ctx), c.Role, t.in, t.out)
}
