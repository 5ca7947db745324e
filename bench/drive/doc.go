// Package drive publishes a load to a deployment and measures how long its commands take.
//
//	filled, err := drive.Fill(ctx, drive.FillPlan{…})  // as fast as the broker takes it
//	result, err := drive.Run(ctx, drive.Plan{…})       // at a steady rate
//
// # Open loop
//
// Run is open loop: delta i is due at start + i/rate, whatever became of those before it, and a command's
// latency is from the moment at which its delta was due until a plain subscriber has it. A stall, of
// holdfast, the broker or the driver itself, counts against every delta that is due behind it. Nothing is
// corrected afterwards.
//
// The driver wakes up every tick, for sleeping between any two of 100,000 deltas a second would cost more than they do, and makes
// and sends all that have become due meanwhile. They are not said to be due any later for that.
//
// # Who was the limit
//
// The driver's own lag is how long after it was due a delta was made. Where that is long, or the rate
// was not reached though the broker took all that it was given, the figures are the
// driver's, and [Result.Limit] says so.
package drive
