package sim

import "github.com/holdfast-atp/holdfast/inventory"

// Config says what is played. A zero Start is a Monday's midnight long ago; the zero value of every
// other field means its default.
type Config struct {
	Seed     uint64
	Start    inventory.Millis // the first day, UTC; rounded down to its midnight
	Stores   int              // default 6
	Centres  int              // default 1: each supplies its share of the stores, and serves online orders
	SKUs     int              // default 120
	Channels []Channel        // those that list; default DemoChannels()
	Rates    *Rates           // of what goes wrong; default DemoRates()
	Trade    *Trade           // how it is traded; default DemoTrade()

	// Buffer is how many units of each shelf the network's own systems keep from every channel: a
	// fixed safety stock, as what holdfast is held against. A fraction is the share of shelves with one more.
	Buffer float64
}

// Channel is where customers order by what is listed.
type Channel struct {
	Name  string
	Share float64          // of demand events a day, as a multiple of a middling store's
	Sync  inventory.Millis // how often what changed is sent there
	Lag   inventory.Millis // mean time from there until it shows: commands wait for that alone
}

// DemoChannels are two that lag so far behind that a few days see oversells.
func DemoChannels() []Channel {
	return []Channel{
		{Name: "web", Share: 1.2, Sync: 30 * inventory.Minute, Lag: 20 * inventory.Second},
		{Name: "amazon", Share: 0.8, Sync: 2 * inventory.Hour, Lag: 2 * inventory.Minute},
	}
}

// StudyChannels are a shop of one's own and two marketplaces. [A] The lags are of the order that their documents
// give: a shop shows at once what it is told, a marketplace's feed takes minutes.
func StudyChannels() []Channel {
	return []Channel{
		{Name: "web", Share: 1.2, Sync: 15 * inventory.Minute, Lag: 20 * inventory.Second},
		{Name: "amazon", Share: 0.8, Sync: inventory.Hour, Lag: 5 * inventory.Minute},
		{Name: "ebay", Share: 0.4, Sync: 2 * inventory.Hour, Lag: 3 * inventory.Minute},
	}
}

// Trade is how the network trades.
type Trade struct {
	Velocity    float64 // multiple of the families' demand events a day
	Spread      float64 // standard deviation of the logarithm of a SKU's
	Mood        int     // shape of the Gamma-distributed multiple of a SKU's demand that each day draws
	Trend       float64 // standard deviation of the share by which a SKU's demand grows a day
	ScarceShare float64 // of SKUs cannot be had
	CountEvery  float64 // days between a shelf's planned counts, in the mean
	Doubts      int     // shelves of a store counted a night because picks failed there, longest ago first
	FalseNil    float64 // chance that a picker does not find what is there
	CoverDays   float64 // of demand that a store is filled up to
	ReorderDays float64 // below which it is
	Facing      int64   // units below which a shelf looks empty to the customer: more than so many are kept on record

	// Wrong is the share of records that are wrong at the opening, by as much above the truth as below, and
	// Phantom that of records with nothing behind them. 0 and 0: the opening is counted.
	Wrong, Phantom float64

	SnapshotEvery float64 // days between what the ERP says of a shelf; 0: never
	Withdrawn     float64 // share of online orders that customers take back
	Hands         float64 // what a store can pick a day, as a multiple of what is ordered there on a usual one; 0: nobody says
}

// DemoTrade is brisk, from counted stock.
func DemoTrade() Trade {
	return Trade{
		Velocity: 1, Spread: 0.9, Mood: 4, Trend: 0.01, ScarceShare: 0.12, CountEvery: 30, Doubts: 4,
		CoverDays: 6, ReorderDays: 3,
	}
}

// StudyTrade is that of a store network in the middle of its life: many slow shelves, a few fast ones, and records as
// wrong as DOMAIN.md's sources find them, a share of phantom of them with nothing behind.
func StudyTrade(phantom float64) Trade {
	return Trade{
		Velocity: 0.2, Spread: 1, Mood: 4, Trend: 0.004, ScarceShare: 0.25, CountEvery: 120, Doubts: 2, FalseNil: 0.04,
		CoverDays: 8, ReorderDays: 4, Facing: 3, Wrong: 0.68, Phantom: phantom, SnapshotEvery: 7,
		Withdrawn: 0.01, Hands: 2,
	}
}

// Study returns a network to be measured in, with a share of phantom records; see StudyTrade and StudyRates.
func Study(seed uint64, phantom float64) Config {
	trade, rates := StudyTrade(phantom), StudyRates(phantom)
	return Config{Seed: seed, Channels: StudyChannels(), Trade: &trade, Rates: &rates}
}

func (c Config) withDefaults() Config {
	if c.Start == 0 {
		c.Start = firstDay
	}
	c.Start -= c.Start % inventory.Day
	if c.Stores == 0 {
		c.Stores = 6
	}
	if c.Centres == 0 {
		c.Centres = 1
	}
	if c.SKUs == 0 {
		c.SKUs = 120
	}
	if c.Channels == nil {
		c.Channels = DemoChannels()
	}
	if c.Rates == nil {
		rates := DemoRates()
		c.Rates = &rates
	}
	if c.Trade == nil {
		trade := DemoTrade()
		c.Trade = &trade
	}
	return c
}
