package baseline

import "github.com/holdfast-atp/holdfast/inventory"

const hoursOfWeek = 168

// clock counts days of trade: it runs by how much is sold in each hour of the week, in the whole network.
type clock struct {
	start inventory.Millis
	sums  []float64 // days of trade up to each hour from start
	sales [hoursOfWeek]float64
	total float64
}

func newClock(start inventory.Millis) clock {
	return clock{start: start - start%inventory.Hour, sums: []float64{0}}
}

func (c *clock) sold(at inventory.Millis) {
	c.sales[at/inventory.Hour%hoursOfWeek]++
	c.total++
}

// at returns the days of trade up to a time. Hours that have passed keep the weight they had.
func (c *clock) at(t inventory.Millis) float64 {
	hour := int((t - c.start) / inventory.Hour)
	for len(c.sums) <= hour+1 {
		n := len(c.sums) - 1
		of := (int(c.start/inventory.Hour) + n) % hoursOfWeek
		weight := (c.sales[of] + 1) / (c.total/hoursOfWeek + 1)
		c.sums = append(c.sums, c.sums[n]+weight/24)
	}
	within := float64((t-c.start)%inventory.Hour) / float64(inventory.Hour)
	return c.sums[hour] + within*(c.sums[hour+1]-c.sums[hour])
}
