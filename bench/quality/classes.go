package quality

import (
	"slices"

	"github.com/holdfast-atp/holdfast/bench/sim"
	"github.com/holdfast-atp/holdfast/inventory"
)

// ClassSeed is how the exceptions of a class met what was injected.
type ClassSeed struct {
	Class    inventory.Class
	Injected int // episodes since measuring began
	Found    int // of them, those for which one was opened
	Opened   int // exceptions
	Right    int // of them, those that an episode calls for
}

const (
	// grace is how long after an episode ended an exception about it is still right: some wrongs can be seen only when
	// they are over, like a delivery that came in short.
	grace = inventory.Day

	// unseen is how long before the end an episode has to begin to be one that could have been found.
	unseen = 2 * inventory.Day

	// sequel is for how long a network is played on, without holdfast, to see what came of the last exceptions.
	sequel = 6
)

// early is how long before an episode begins an exception about it is right, where the class is about what is to come.
var early = map[inventory.Class]inventory.Millis{
	inventory.OversellRisk:  inventory.Day,
	inventory.PromoStockout: 5 * inventory.Day, // the longest promotion
}

// meet holds the exceptions of every class against the episodes of the same class and key. One whose
// class is about a place or a feed need not name a SKU.
func meet(c *Config, episodes []*sim.Episode, exceptions []*raised) []ClassSeed {
	classes := make([]ClassSeed, len(inventory.Classes()))
	number := map[inventory.Class]int{}
	for i, class := range inventory.Classes() {
		classes[i].Class = class
		number[class] = i
	}
	byClass := make([][]*sim.Episode, len(classes))
	for _, e := range episodes {
		class := e.Class
		byClass[number[class]] = append(byClass[number[class]], e)
		if class == inventory.Oversell { // what the risk is of
			risk := number[inventory.OversellRisk]
			byClass[risk] = append(byClass[risk], e)
		}
	}
	met := map[int]map[*sim.Episode]bool{}
	for _, x := range exceptions {
		i, known := number[x.Class]
		if !known {
			continue
		}
		right := false
		for _, e := range byClass[i] {
			if speaksOf(x, e) {
				if met[i] == nil {
					met[i] = map[*sim.Episode]bool{}
				}
				met[i][e] = true
				right = true
			}
		}
		if x.OpenedAt < c.warmUp() {
			continue
		}
		classes[i].Opened++
		if right {
			classes[i].Right++
		}
	}
	for i := range classes {
		for _, e := range byClass[i] {
			if !c.counts(e) {
				continue
			}
			classes[i].Injected++
			if met[i][e] {
				classes[i].Found++
			}
		}
	}
	return classes
}

// counts reports whether an episode is one that should have been found: not what is minor or was over before anybody could have heard of it,
// nor what began when measuring was about to end.
func (c *Config) counts(e *sim.Episode) bool {
	const least = inventory.Minute
	if e.Minor || e.Begin < c.warmUp() || e.Begin >= c.end()-unseen {
		return false
	}
	return e.End == 0 || e.End-e.Begin > least && (e.Class != inventory.PhantomInventory || e.End-e.Begin > episodeLeast)
}

// speaksOf reports whether an exception is about an episode of its class: the place, the SKU, the channel and the reference agree, as far as
// both name them, and it was open at some time of it.
func speaksOf(x *raised, e *sim.Episode) bool {
	if x.SKU != "" && e.SKU != "" && x.SKU != e.SKU {
		return false
	}
	if x.Location != "" && x.Location != inventory.Network && e.Location != "" && x.Location != e.Location {
		return false
	}
	if e.Channel != "" && len(x.Channels) > 0 && !slices.Contains(x.Channels, e.Channel) {
		return false
	}
	if of, is := x.Evidence["ref"].(string); is && e.Ref != "" && of != e.Ref {
		return false
	}
	from, till := e.Begin-early[x.Class], e.End+grace
	if e.End == 0 {
		till = inventory.MillisMax
	}
	return x.OpenedAt < till && (x.ended == 0 || x.ended >= from)
}
