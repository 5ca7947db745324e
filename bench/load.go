package bench

import (
	"math/rand/v2"
	"strconv"

	"github.com/holdfast-atp/holdfast/inventory"
)

// load makes deltas of a steady day: first a count that fills each key's shelf, then mostly
// sales and orders over Zipf-distributed SKUs, at times that rise. Nothing in it is an
// exception. The same seed gives the same deltas.
type load struct {
	rng       *rand.Rand
	zipf      *rand.Zipf
	skus      []string
	locations []string
	now       inventory.Millis
	n         int
	counted   int // keys
}

var loadChannels = [...]string{"web", "store", "amazon"}

const loadStart inventory.Millis = 1_795_392_000_000 // 2026-11-23T00:00:00Z

const (
	loadLocations = 10
	zipfExponent  = 1.1
	fullShelf     = 1_000_000 // units: more than any load takes
)

func newLoad(seed uint64, keys int) *load {
	rng := rand.New(rand.NewPCG(seed, 0x10ad))
	l := &load{rng: rng, now: loadStart}
	skus := max(keys/loadLocations, 1)
	l.zipf = rand.NewZipf(rng, zipfExponent, 8, uint64(skus-1))
	for i := range skus {
		l.skus = append(l.skus, "sku-"+strconv.Itoa(100000+i))
	}
	for i := range loadLocations {
		l.locations = append(l.locations, "store-"+strconv.Itoa(10+i))
	}
	return l
}

// next returns the next delta, whose strings are its own.
func (l *load) next() inventory.Delta {
	l.n++
	if l.counted < l.keys() {
		return l.fill()
	}
	l.now += inventory.Millis(l.rng.IntN(3))
	d := inventory.Delta{
		ID:       strconv.Itoa(l.n),
		Source:   "bench",
		SKU:      l.skus[l.zipf.Uint64()],
		Location: l.locations[l.rng.IntN(len(l.locations))],
		Time:     l.now,
		Quantity: 1 + int64(l.rng.IntN(3)),
	}
	switch draw := l.rng.IntN(100); {
	case draw < 55:
		d.Kind, d.Channel, d.Price = inventory.Sale, loadChannels[l.rng.IntN(len(loadChannels))], 1999
	case draw < 70:
		d.Kind, d.Channel, d.Ref = inventory.Reserve, "web", "o-"+d.ID
	case draw < 80:
		d.Kind, d.Ref = inventory.Receipt, "po-"+d.ID
		d.Quantity *= 40
	case draw < 88:
		d.Kind, d.Channel = inventory.Listing, loadChannels[l.rng.IntN(len(loadChannels))]
	case draw < 94:
		d.Kind, d.Reason = inventory.Adjust, "found"
	default:
		d.Kind, d.Quantity = inventory.Count, fullShelf
	}
	return d
}

// keys is how many SKU-locations there are.
func (l *load) keys() int { return len(l.skus) * len(l.locations) }

// fill counts the next key.
func (l *load) fill() inventory.Delta {
	d := inventory.Delta{
		ID: strconv.Itoa(l.n), Source: "bench", Time: l.now,
		SKU: l.skus[l.counted/len(l.locations)], Location: l.locations[l.counted%len(l.locations)],
		Kind: inventory.Count, Quantity: fullShelf,
	}
	l.counted++
	return d
}
