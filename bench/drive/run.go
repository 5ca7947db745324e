package drive

import (
	"context"
	"errors"
)

var errNotYet = errors.New("drive: not yet")

// Run publishes the plan's load at its rate, and measures. It returns once all is acknowledged and every
// probe answered, or the plan's drain is over. The result is of use where the error is nil; missing
// commands are no error.
func Run(ctx context.Context, plan Plan) (Result, error) { return Result{}, errNotYet }

// Fill stores the plan's deltas, as fast as the broker takes them, and returns once it has acknowledged
// them all. One that it refuses ends it.
func Fill(ctx context.Context, plan FillPlan) (Filled, error) { return Filled{}, errNotYet }
