package role

import (
	"context"

	"github.com/holdfast-atp/holdfast/bench/drive"
	"github.com/holdfast-atp/holdfast/bench/process"
)

// Driver drives a load and receives commands. Its configuration is a drive.Plan, and it answers
// [Run] with a drive.Result, having told each drive.Interval as progress.
const Driver = "driver"

// Filler fills streams as fast as it can. Its configuration is a drive.FillPlan, and it answers
// [Run] with a drive.Filled.
const Filler = "filler"

func playDriver(ctx context.Context, h *process.Host) error {
	var plan drive.Plan
	if err := h.Config(&plan); err != nil {
		return err
	}
	if err := h.Ready(nil); err != nil {
		return err
	}
	return h.Serve(ctx, map[string]process.Handler{
		Run: func(ctx context.Context) (any, error) {
			plan.Tell = func(i drive.Interval) { _ = h.Progress(i) } // without a parent the run ends by itself
			return drive.Run(ctx, plan)
		},
	})
}

func playFiller(ctx context.Context, h *process.Host) error {
	var plan drive.FillPlan
	if err := h.Config(&plan); err != nil {
		return err
	}
	if err := h.Ready(nil); err != nil {
		return err
	}
	return h.Serve(ctx, map[string]process.Handler{
		Run: func(ctx context.Context) (any, error) { return drive.Fill(ctx, plan) },
	})
}
