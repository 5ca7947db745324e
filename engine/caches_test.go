package engine_test

import (
	"strconv"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestCachesCountWhatIsFound: a key that comes again is a hit, one that is new or was let go a miss, and the
// bytes add up.
func TestCachesCountWhatIsFound(t *testing.T) {
	const keys = 1000
	p := open(t, partition{config: engine.Config{CacheBytes: 64 << 10}})
	ids := 0
	pass := func(commit bool) engine.CacheStats {
		t.Helper()
		for i := range keys {
			ids++
			p.take(t, gen.Message{{
				ID: strconv.Itoa(ids), Source: "pos", SKU: "sku-" + strconv.Itoa(i), Location: "leeds",
				Kind: inventory.Count, Quantity: 5, Time: gen.Start + inventory.Millis(ids),
			}})
		}
		if commit {
			p.commit(t)
		}
		bytes := int64(0)
		for _, c := range p.engine.Caches() {
			bytes += c.Bytes
		}
		if bytes != p.engine.CacheBytes() {
			t.Errorf("the caches hold %d bytes, CacheBytes says %d", bytes, p.engine.CacheBytes())
		}
		return p.engine.Caches()[0]
	}

	first := pass(false)
	if first.Name != "records" || first.Misses != keys || first.Values != keys || first.Evictions != 0 {
		t.Errorf("%d new keys: %+v", keys, first)
	}
	second := pass(true)
	if second.Misses != keys || second.Hits < first.Hits+keys {
		t.Errorf("the same keys again: %+v, after %+v", second, first)
	}
	if second.Evictions == 0 || second.Values+int(second.Evictions) != keys {
		t.Errorf("after a commit with too little memory: %+v", second)
	}
	third := pass(false)
	if third.Misses != second.Misses+second.Evictions {
		t.Errorf("once more: %+v, after %+v", third, second)
	}
}
