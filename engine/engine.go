package engine

import (
	"fmt"
	"math"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/engine/dedupe"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// Config is what a partition is run with. Partition, Partitions, the latenesses, the limits and the
// policy shape the results; the sizes never do, nor where Step returns.
type Config struct {
	Partition  int // from 0
	Partitions int // of the deployment; 0: whatever SKU comes is taken

	Lateness       inventory.Millis // for stock; 0: DefaultLateness
	WindowLateness inventory.Millis // for windows; 0: DefaultWindowLateness
	Policy         *policy.Policy   // until the log brings another; nil: policy.Default()
	PolicyFixed    bool             // policies of the log change nothing: what a backtest asks

	AheadMax    inventory.Millis // of event time, ahead of when the log took it in; 0: DefaultAheadMax
	ChannelsMax int              // of a SKU; 0: DefaultChannelsMax

	SliceTimers int // that fire before Step returns; 0: DefaultSliceTimers

	CacheBytes  int64 // of records and what else is kept by key; 0: DefaultCacheBytes
	DedupeBytes int64 // of the ids that are held in memory; 0: DefaultDedupeBytes
}

// The defaults of a Config.
const (
	DefaultLateness       = 24 * inventory.Hour
	DefaultWindowLateness = 5 * inventory.Minute

	// DefaultAheadMax is what clocks are forgiven that nobody sets, as Kerberos does. It is not more than the
	// lateness of windows: one clock that is so far ahead takes event time along, and those that
	// are right must still be in time for them.
	DefaultAheadMax = DefaultWindowLateness

	// DefaultChannelsMax bounds what is searched, held and written with every delta of a SKU: a name made up for
	// each order is a mistake, for channels are never forgotten.
	DefaultChannelsMax = 256

	// DefaultSliceTimers keeps what one step says and changes small beside the caches: an alarm is some KiB.
	DefaultSliceTimers = 256

	DefaultCacheBytes  = 32 << 20
	DefaultDedupeBytes = 32 << 20
)

// At says where in the log a delta stood.
type At struct {
	Sequence uint64           // of its message in the partition's stream
	Index    int              // within the message
	LogTime  inventory.Millis // when the log took the message in; 0: not known, and event time is not held against it
}

// Outcome is what became of a delta: in the end exactly one of three.
type Outcome uint8

// The outcomes.
const (
	Unfinished Outcome = iota // so far: Step has to be called again
	Applied
	Duplicate
	Rejected
)

// String returns "applied", "duplicate", "rejected" or "unfinished".
func (o Outcome) String() string {
	switch o {
	case Applied:
		return "applied"
	case Duplicate:
		return "duplicate"
	case Rejected:
		return "rejected"
	}
	return "unfinished"
}

// Result is what became of a delta, and why where it was rejected.
type Result struct {
	Outcome Outcome
	Invalid *inventory.Invalid
}

// Output is something that the partition says: exactly one of its pointers is set.
type Output struct {
	Ordinal   uint64 // rises by one with each output of the partition, from 1
	Command   *inventory.Command
	Exception *inventory.Exception
	Decision  *inventory.Decision
	Rejected  *Rejection
}

// Rejection is a delta that could not be used.
type Rejection struct {
	At      At
	Invalid *inventory.Invalid
}

// Counters count deltas. Read = Applied + Duplicates + Rejected, always.
type Counters struct {
	Read, Applied, Duplicates, Rejected uint64
	WindowLate                          uint64 // of those applied: too late for the windows
}

// Standing is what stands now.
type Standing struct {
	Exceptions int64 // neither resolved nor dismissed
	Untold     int64 // exceptions that wait to be told of, for too many opened at once; some of them may have ended
	Deferred   int64 // exceptions that ever waited so
	Exposure   int64 // of those together, minor units; math.MaxInt64 where it is more
	Held       int64 // holds in force, by channel, SKU and location
	Throttled  int64 // throttles in force, likewise
	Guarded    int64 // channels on which a guard of the policy has stopped acting
}

// Engine is one partition. See the package's doc for how it is driven.
type Engine struct {
	config         Config
	policy         *policy.Policy
	detectors      []detectors.Detector
	placeDetectors []detectors.Detector
	watching       [inventory.Tick + 1]uint32 // by kind of delta, KindNone included: which of the detectors look, as bits
	limits         limits
	asksMaster     bool // the policy goes by master data
	store          *flight

	records    table[record, *record]
	networks   table[network, *network]
	places     table[place, *place]
	timelines  table[timeline, *timeline]
	sources    table[source, *source]
	channels   table[channel, *channel]
	exceptions table[exception, *exception]
	guards     table[guard, *guard] // by channel
	items      table[skuItem, *skuItem]
	sites      table[site, *site]
	ids        *dedupe.Set
	timers     *timer.Queue
	pages      map[string][]ledger.Page // closed since the last flush, by record key
	writes     []write                  // since the last flush, in order

	meta    meta
	pace    pace
	flushes uint64
	outputs []Output

	cause        inventory.Cause // of what is being done now
	person       person          // whose decision that is; nobody's where it is a delta
	logTime      inventory.Millis
	causeOrdinal int              // of the next id under cause
	target       inventory.Millis // where the watermark is on its way to

	before before // what is being applied
	fault  error  // of the store, of which nobody could be told

	// Scratch space, to be had again for every delta.
	view      detectors.View
	found     []detectors.Finding
	effects   []ledger.Effect
	key       []byte
	history   ledger.History // of the record whose key is in paged
	paged     string
	about     concern
	cancelled string // the channel of an order that the delta took back; "": of none
	past      past
}

// concern is the reference that the next look is about; tl is nil where it is about none.
type concern struct {
	rec *item[record]
	tl  *item[timeline]
	ref string
}

// New returns the partition that store holds, or a new one where it holds none.
func New(config Config, store Store) (*Engine, error) {
	if config.Lateness == 0 {
		config.Lateness = DefaultLateness
	}
	if config.WindowLateness == 0 {
		config.WindowLateness = DefaultWindowLateness
	}
	if config.AheadMax == 0 {
		config.AheadMax = DefaultAheadMax
	}
	if config.ChannelsMax == 0 {
		config.ChannelsMax = DefaultChannelsMax
	}
	if config.Policy == nil {
		config.Policy = policy.Default()
	}
	if config.SliceTimers == 0 {
		config.SliceTimers = DefaultSliceTimers
	}
	if config.CacheBytes == 0 {
		config.CacheBytes = DefaultCacheBytes
	}
	if config.DedupeBytes == 0 {
		config.DedupeBytes = DefaultDedupeBytes
	}
	flight := &flight{store: store}
	e := &Engine{
		config:     config,
		store:      flight,
		records:    newTable[record](keyRecord, store),
		networks:   newTable[network](keyNetwork, store),
		places:     newTable[place](keyPlace, store),
		timelines:  newTable[timeline](keyTimeline, store),
		sources:    newTable[source](keySource, store),
		channels:   newTable[channel](keyChannel, store),
		exceptions: newTable[exception](keyException, store),
		guards:     newTable[guard](keyGuard, store),
		items:      newTable[skuItem](keyItem, store),
		sites:      newTable[site](keySite, store),
		pages:      map[string][]ledger.Page{},
	}
	e.watch(detectors.Table())
	e.placeDetectors = detectors.PlaceTable()
	e.past.e = e
	e.history = e.readPages
	inForce, err := ReadPolicy(store)
	if err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	if inForce == nil || config.PolicyFixed {
		inForce = config.Policy
	}
	e.adopt(inForce)
	if e.meta, err = readMeta(store); err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	if e.pace, err = readPace(store); err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	e.ids, err = dedupe.Open(flight, config.Lateness, e.meta.watermark, config.DedupeBytes)
	if err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	if e.timers, err = timer.Open(flight, e.meta.unfired()); err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	if e.flushes, err = readFlushes(store); err != nil {
		return nil, fmt.Errorf("partition %d: %w", config.Partition, err)
	}
	return e, nil
}

// Watermark returns the greatest event time of any accepted delta; 0 before the first.
func (e *Engine) Watermark() inventory.Millis { return e.meta.watermark }

// Done returns how many items of a message are done, of those that come next: 0, unless the partition
// was taken up within it.
func (e *Engine) Done(sequence uint64) int {
	if sequence != e.meta.sequence {
		return 0
	}
	return int(e.meta.items)
}

// Counters returns what became of the deltas so far.
func (e *Engine) Counters() Counters { return e.meta.counters }

// Standing returns what stands now.
func (e *Engine) Standing() Standing { return e.meta.stands(&e.pace) }

// CacheBytes returns the estimated bytes of what is held in memory by key.
func (e *Engine) CacheBytes() int64 {
	return e.records.bytes + e.networks.bytes + e.places.bytes + e.timelines.bytes + e.sources.bytes + e.channels.bytes + e.exceptions.bytes + e.guards.bytes + e.items.bytes + e.sites.bytes
}

// Outputs returns what was said since the last call of ClearOutputs, by ordinal. The slice is
// good until then.
func (e *Engine) Outputs() []Output { return e.outputs }

// ClearOutputs forgets the outputs, which the caller has taken over.
func (e *Engine) ClearOutputs() {
	clear(e.outputs)
	e.outputs = e.outputs[:0]
}

// Flush writes all that changed since the last Flush or Freeze into one batch. The engine goes on
// only after that batch is committed and Committed called.
func (e *Engine) Flush(w Writer) error {
	if err := e.Freeze(w, nil); err != nil {
		return err
	}
	_, err := e.Write(math.MaxInt)
	return err
}

// Freeze begins a batch of all that changed since the last one, which is committed; Write writes it. Meanwhile the
// engine goes on: the batch is what was there at Freeze, whatever is applied since. Where something
// has to be read that the batch holds, land is called, within Apply: it gets what is left with Write, commits the
// batch, and leaves Committed for later.
func (e *Engine) Freeze(w Writer, land func() error) error {
	clear(e.pages)
	e.store.reset(w)
	for i := range e.writes {
		if err := e.writes[i].to(e.store); err != nil {
			return err
		}
	}
	clear(e.writes)
	e.writes = e.writes[:0]
	if err := e.flushWeeks(w); err != nil {
		return err
	}
	e.flushes++
	if err := e.timers.Flush(e.flushes, e.meta.unfired(), e.store); err != nil {
		return err
	}
	if err := e.ids.Flush(e.flushes, e.store); err != nil {
		return err
	}
	e.store.depart(land)
	e.records.freeze(w)
	e.networks.freeze(w)
	e.places.freeze(w)
	e.timelines.freeze(w)
	e.sources.freeze(w)
	e.channels.freeze(w)
	e.exceptions.freeze(w)
	e.guards.freeze(w)
	e.items.freeze(w)
	e.sites.freeze(w)
	if err := e.pace.flush(w); err != nil {
		return err
	}
	if err := w.Set([]byte{keyFlushes}, wire.AppendUint(wire.AppendUint(nil, formatFlushes), e.flushes)); err != nil {
		return err
	}
	return w.Set([]byte{keyMeta}, e.meta.append(nil))
}

// Write writes up to n of the values that were frozen into the batch, and reports whether that was all of them.
func (e *Engine) Write(n int) (all bool, err error) {
	for _, write := range [...]func(int) (int, error){
		e.records.write, e.networks.write, e.places.write, e.timelines.write, e.sources.write, e.channels.write, e.exceptions.write, e.guards.write, e.items.write, e.sites.write,
	} {
		if n, err = write(n); err != nil {
			return false, err
		}
	}
	return n > 0, nil
}

// Committed tells the engine that the batch is in the store, so that memory may be given back.
func (e *Engine) Committed() {
	e.store.arrived()
	e.records.commit()
	e.networks.commit()
	e.places.commit()
	e.timelines.commit()
	e.sources.commit()
	e.channels.commit()
	e.exceptions.commit()
	e.guards.commit()
	e.items.commit()
	e.sites.commit()
	if e.CacheBytes() <= e.config.CacheBytes {
		return
	}
	// An eighth more than has to go, so that the next few commits need not look for what may.
	target := e.config.CacheBytes * 7 / 8
	// A timeline is wanted two or three times in its life, a record again and again: timelines go first,
	// but for a quarter of the memory.
	beside := e.CacheBytes() - e.timelines.bytes
	e.timelines.shrink(max(target-beside, target/4))
	share := float64(target) / float64(max(e.CacheBytes(), 1))
	shrink := func(bytes int64) int64 { return int64(float64(bytes) * min(share, 1)) }
	e.records.shrink(shrink(e.records.bytes))
	e.networks.shrink(shrink(e.networks.bytes))
	e.places.shrink(shrink(e.places.bytes))
	e.timelines.shrink(shrink(e.timelines.bytes))
	e.sources.shrink(shrink(e.sources.bytes))
	e.channels.shrink(shrink(e.channels.bytes))
	e.exceptions.shrink(shrink(e.exceptions.bytes))
	e.guards.shrink(shrink(e.guards.bytes))
	e.items.shrink(shrink(e.items.bytes))
	e.sites.shrink(shrink(e.sites.bytes))
}

// horizon returns the event time before which nothing can arrive any more.
func (e *Engine) horizon() inventory.Millis { return e.meta.watermark - e.config.Lateness }
