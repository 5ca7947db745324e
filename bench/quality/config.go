package quality

import (
	"runtime"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Config says what is studied. The zero value of a field means its default.
type Config struct {
	Seeds    []uint64  // networks; default TestSeeds(20)
	Phantoms []float64 // shares of phantom records; default 0.01, 0.03, 0.06. The targets are about 0.03
	Stores   int       // default 6
	SKUs     int       // default 80
	Warm     int       // days in which is learned; default 28
	Days     int       // days after those in which is measured; default 28
	Every    int       // hours between two looks at every key; default 2
	Counts   int       // keys of a store on the daily count list; default 5
	Workers  int       // seeds at a time; default one a core

	// Say is told how far it is; nil: nobody is.
	Say func(line string)
}

// Target is the phantom prevalence that the targets are about.
const Target = 0.03

// TestSeeds returns n seeds to measure with, and TuningSeeds n to tune with. No seed is in both.
func TestSeeds(n int) []uint64 { return seeds(1_000_001, n) }

// TuningSeeds returns n seeds to tune with. See TestSeeds.
func TuningSeeds(n int) []uint64 { return seeds(1, n) }

func seeds(first uint64, n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = first + uint64(i)
	}
	return all
}

func (c Config) withDefaults() Config {
	if c.Seeds == nil {
		c.Seeds = TestSeeds(20)
	}
	if c.Phantoms == nil {
		c.Phantoms = []float64{0.01, Target, 0.06}
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&c.Stores, 6}, {&c.SKUs, 80}, {&c.Warm, 28}, {&c.Days, 28}, {&c.Every, 2}, {&c.Counts, 5}, {&c.Workers, runtime.GOMAXPROCS(0)}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return c
}

// start is the Monday on which every network opens.
const start inventory.Millis = 1_735_516_800_000 // 2024-12-30

func (c *Config) warmUp() inventory.Millis { return start + inventory.Millis(c.Warm)*inventory.Day }

func (c *Config) end() inventory.Millis {
	return c.warmUp() + inventory.Millis(c.Days)*inventory.Day
}
