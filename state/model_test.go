package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// A partition behaves like a map, whatever is written and whenever it is reopened.
func TestBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		options := Options{Partitions: 2, Prefix: "p", FS: vfs.NewMem(), CacheBytes: 1 << 20}
		open := func() (*Folder, *DB) {
			folder, err := OpenFolder("data", options)
			must(t, err)
			db, err := folder.OpenPartition(1)
			must(t, err)
			return folder, db
		}
		folder, db := open()
		model := map[string]string{}
		key := rapid.StringMatching(`[a-d]{0,2}`)
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			b := db.NewBatch()
			for range rapid.IntRange(0, 6).Draw(rt, "changes") {
				change(t, rt, b, model, key)
			}
			must(t, db.Commit(b))
			must(t, b.Close())
			if rapid.IntRange(0, 4).Draw(rt, "reopen") == 0 {
				must(t, db.Close())
				must(t, folder.Close())
				folder, db = open()
			}
			expect(t, "all keys", keys(t, db, "", ""), listing(model))
			for k := range model {
				got, err := db.Get([]byte(k))
				must(t, err)
				expect(t, "value of "+k, string(got), model[k])
			}
		}
		must(t, db.Close())
		must(t, folder.Close())
	})
}

func change(t *testing.T, rt *rapid.T, b *Batch, model map[string]string, key *rapid.Generator[string]) {
	k := key.Draw(rt, "key")
	switch rapid.IntRange(0, 3).Draw(rt, "operation") {
	case 0, 1:
		v := rapid.StringN(0, 4, 16).Draw(rt, "value")
		must(t, b.Set([]byte(k), []byte(v)))
		model[k] = v
	case 2:
		must(t, b.Delete([]byte(k)))
		delete(model, k)
	case 3:
		upper := key.Draw(rt, "upper")
		if upper <= k {
			return
		}
		must(t, b.DeleteRange([]byte(k), []byte(upper)))
		maps.DeleteFunc(model, func(have, _ string) bool { return have >= k && have < upper })
	}
}

func listing(model map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		all = append(all, fmt.Sprintf("%s=%s", k, model[k]))
	}
	return strings.Join(all, " ")
}
