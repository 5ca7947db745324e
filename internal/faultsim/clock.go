package faultsim

import "time"

// clock is the only time there is. It stands still but for what the steps of a run do to it.
type clock struct {
	now  time.Time     // as the servers have it, which may be set back
	past time.Duration // since the beginning, as every process measures it
}

func (c *clock) pass(d time.Duration) {
	c.now = c.now.Add(d)
	c.past += d
}

func (c *clock) setBack(d time.Duration) { c.now = c.now.Add(-d) }

// steady is the time that never goes back.
func (c *clock) steady() time.Time { return time.Time{}.Add(c.past) }

// tick is what every step takes.
const tick = 200 * time.Millisecond
