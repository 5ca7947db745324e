package engine

// CacheStats are figures of what is held in memory of one key space.
type CacheStats struct {
	Name      string // of the key space, in the plural
	Hits      uint64 // values looked for that were in memory, since the engine was made
	Misses    uint64 // those that the store was asked for, whether it had them or not
	Evictions uint64 // values that left to make room
	Values    int    // in memory now, those included that are known not to exist
	Bytes     int64  // of them, estimated; what [Engine.CacheBytes] adds up
}

// Caches returns the figures of each key space, always in the same order.
func (e *Engine) Caches() [10]CacheStats {
	return [...]CacheStats{
		e.records.stats("records"),
		e.networks.stats("networks"),
		e.places.stats("places"),
		e.timelines.stats("timelines"),
		e.sources.stats("sources"),
		e.channels.stats("channels"),
		e.exceptions.stats("exceptions"),
		e.guards.stats("guards"),
		e.items.stats("items"),
		e.sites.stats("sites"),
	}
}

func (t *table[T, P]) stats(name string) CacheStats {
	return CacheStats{Name: name, Hits: t.hits, Misses: t.misses, Evictions: t.evictions, Values: len(t.items), Bytes: t.bytes}
}
