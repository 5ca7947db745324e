package faultsim

import (
	"fmt"
	"math/rand/v2"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// payload is a message that a producer has to send.
type payload struct {
	data  []byte
	until inventory.Millis // greatest event time in it
}

// plan is a run as it was drawn: all that is random about it.
type plan struct {
	seed     uint64
	config   engine.Config
	groupMax int         // outputs that go as a group, at most
	payloads [][]payload // by partition
	steps    []step
}

// step is one thing that happens. Where it makes no sense, such as a commit of an owner that is down, nothing does.
type step struct {
	do        verb
	partition int
	owner     int // 0: the first, 1: the second, while there is one
	n         int // how many, or which; see the verb
}

func (s step) String() string {
	return fmt.Sprintf("%s, partition %d, owner %d, %d", s.do, s.partition, s.owner, s.n)
}

// verb is what a step does.
type verb int

const (
	// Without a fault.
	produce verb = iota // n messages get into the log
	apply               // n messages at most
	commit
	begin   // a batch
	advance // the batch underway, by n % 20 values
	say     // one group of outputs of kind n % 4 is sent
	rest    // n ticks pass
	decide  // somebody decides about the exception of place n among those that there are, or about none

	// Faults.
	repeat       // the producer got no answer and sends its last message again
	sayLost      // a group gets lost before it is stored
	sayUnknown   // a group is stored, the answer gets lost
	sayLate      // a group is stored when everybody has given it up
	arrive       // what is late is stored
	refuse       // the output stream of kind n % 4 takes nothing for a while
	crash        // n % 101 percent of what was not synced survives
	crashSaid    // like crash, with all of the log applied and all of its outputs sent
	crashFlush   // in the middle of a flush, after n syncs
	stop         // orderly, and taken up again
	second       // a second owner begins, from what is on the first one's disk or, where n is odd, from nothing
	retire       // the second owner ends
	loseTail     // the log loses its last n messages, and gets others in their place
	loseForNow   // the log loses its last n messages, and they are brought back
	slowDisk     // syncs wait
	fullDisk     // no table can be written
	failDisk     // the n-th call gives an error
	mendDisk     // the disk is sound again
	clockForward // n minutes pass
	clockBack    // the servers' clocks, by n % 50 seconds
	verbs
)

var verbNames = [verbs]string{
	"produce", "apply", "commit", "begin a batch", "get on with the batch", "say", "rest", "decide",
	"repeat the last message", "say, lost before it is stored", "say, stored but not answered", "say, stored late", "what is late arrives",
	"refuse outputs", "crash", "say all and crash", "crash in a flush", "stop and start", "second owner", "second owner retires",
	"the log is rewritten from its tail on", "the log's tail is missing for a while",
	"slow disk", "full disk", "failing disk", "disk mended", "a long time passes", "the servers' clocks are set back",
}

func (v verb) String() string { return verbNames[v] }

func (v verb) fault() bool { return v >= repeat }

// weights says how often each verb is drawn.
var weights = [verbs]int{
	produce: 40, apply: 40, commit: 15, begin: 15, advance: 30, say: 40, rest: 20, decide: 10,
	repeat: 3, sayLost: 3, sayUnknown: 3, sayLate: 3, arrive: 3, refuse: 1,
	crash: 4, crashSaid: 2, crashFlush: 2, stop: 2, second: 2, retire: 1, loseTail: 1, loseForNow: 1,
	slowDisk: 1, fullDisk: 1, failDisk: 3, mendDisk: 2, clockForward: 1, clockBack: 1,
}

// draw makes the plan of a seed.
func draw(seed uint64) *plan {
	rng := rand.New(rand.NewPCG(seed, 0x401dfa57))
	lateness := []inventory.Millis{inventory.Minute, inventory.Hour, inventory.Day}[rng.IntN(3)]
	p := &plan{
		seed: seed,
		config: engine.Config{
			Lateness:       lateness,
			WindowLateness: lateness / inventory.Millis([]int64{1, 12, 300}[rng.IntN(3)]),
			AheadMax:       engine.DefaultAheadMax,
			ChannelsMax:    engine.DefaultChannelsMax,
			SliceTimers:    []int{1, 3, engine.DefaultSliceTimers}[rng.IntN(3)],
			CacheBytes:     []int64{1, 8 << 10, 1 << 20}[rng.IntN(3)],
			DedupeBytes:    []int64{1, 1 << 20}[rng.IntN(2)],
		},
	}
	p.groupMax = []int{1, 2, 8, 0}[rng.IntN(4)]
	p.config.Policy = telling(rng.IntN(2) == 0)
	partitions := 1 + rng.IntN(partitionsMax)
	for n := range partitions {
		shape := gen.Shape{DeltasMax: 60, Lateness: lateness, Hot: rng.IntN(4) == 0}
		log := gen.Log(shape).Example(int(seed)*4 + n)
		p.payloads = append(p.payloads, packed(rng, log, n))
	}
	total := 0
	for _, w := range weights {
		total += w
	}
	for range 60 + rng.IntN(100) {
		at, v := rng.IntN(total), verb(0)
		for at >= weights[v] {
			at -= weights[v]
			v++
		}
		p.steps = append(p.steps, step{v, rng.IntN(partitions), rng.IntN(2), rng.IntN(1 << 10)})
	}
	return p
}

// asking is a policy under which people are asked before any command.
const asking = `name: asking
classes:
  oversell: {autonomy: recommend, owner: desk, sla: 1h, expiry: 7d}
  oversell_risk: {autonomy: recommend, owner: desk, sla: 1h, expiry: 7d, raise: 0.01, clear: 0.0025}
  phantom_inventory: {autonomy: recommend, owner: desk, sla: 1h, expiry: 7d, raise: 0.8, clear: 0.4}
` + fewTold

// guarding is one that lets little be done within a minute, and at once, and goes by master data. Each partition has its part of that.
const guarding = `name: guarding
classes:
  oversell: {autonomy: auto, owner: desk, sla: 1h, expiry: 7d}
  oversell_risk: {autonomy: auto, owner: desk, sla: 1h, expiry: 7d, raise: 0.01, clear: 0.0025}
guards: {commands_per_minute: 2, held_share: 0.4, held_from: 2}
overrides:
  - {category: drinks, set: {owner: bar}}
  - {region: rings, when: list_price > 0, set: {owner: jeweller, sla: 2h}}
` + fewTold

// packed cuts a log into messages, with SKUs that belong to the partition.
func packed(rng *rand.Rand, log []inventory.Delta, partition int) (all []payload) {
	names := map[string]string{"": ""}
	for len(log) > 0 {
		n := min(1+rng.IntN(4), len(log))
		var m payload
		for i := range log[:n] {
			d := &log[i]
			if _, known := names[d.SKU]; !known {
				names[d.SKU] = skuOf(d.SKU, partition)
			}
			d.SKU = names[d.SKU]
			m.data = codec.AppendDelta(m.data, d)
			m.until = max(m.until, d.Time)
		}
		log = log[n:]
		all = append(all, m)
	}
	return all
}

// skuOf returns a name of a SKU that belongs to a partition.
func skuOf(name string, partition int) string {
	for i := 0; ; i++ {
		if sku := fmt.Sprintf("%s %d", name, i); codec.Partition(sku, partitionsMax) == partition {
			return sku
		}
	}
}
