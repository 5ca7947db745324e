package engine

import (
	"maps"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/internal/wire"
)

// TestTableIsAMap: whatever is written and evicted in between, a table and its store together are a map; and what a batch
// holds is that map as it was when its generation was frozen, whatever changed while it was written.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := enginetest.NewStore()
		table := newTable[source](keySource, store)
		model := map[string]int64{}
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}`), 1, 200, rapid.ID).Draw(t, "names")
		var batch *enginetest.Batch // nil: none is on its way
		var frozen map[string]int64 // the model when it was begun
		write := func(n int) {
			if _, err := table.write(n); err != nil {
				t.Fatal(err)
			}
		}
		land := func() {
			if batch == nil {
				return
			}
			write(math.MaxInt)
			batch.Commit()
			table.commit()
			batch = nil
			for _, name := range names {
				want, there := frozen[name]
				coded, err := store.Get(append([]byte{keySource}, name...))
				if err != nil || (coded != nil) != there {
					t.Fatalf("%q is in the store as %x, %v; was %d, %v when it was frozen", name, coded, err, want, there)
				}
				var got source
				if r := wire.NewReader(coded); there {
					if got.read(r); int64(got.vouched) != want {
						t.Fatalf("%q is in the store as %d, was %d when it was frozen", name, got.vouched, want)
					}
				}
			}
		}
		freeze := func() {
			land()
			batch, frozen = store.Batch(), maps.Clone(model)
			table.freeze(batch)
		}
		flush := func() { freeze(); land() }
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			want, there := model[name]
			switch rapid.SampledFrom([]string{"get", "make", "change", "remove", "create", "freeze", "write", "land", "shrink"}).Draw(t, "verb") {
			case "get":
				it, err := table.get([]byte(name))
				if err != nil || (it != nil) != there || there && int64(it.value.vouched) != want {
					t.Fatalf("%q is %+v, %v; want %d, %v", name, it, err, want, there)
				}
			case "make", "change":
				it, fresh, err := table.make([]byte(name))
				if err != nil || fresh == there || int64(it.value.vouched) != want {
					t.Fatalf("%q is %+v, fresh %v, %v; want %d, %v", name, it, fresh, err, want, there)
				}
				model[name] = want + 1
				table.touch(it)
				it.value.vouched++
			case "remove":
				if it, err := table.get([]byte(name)); err != nil {
					t.Fatal(err)
				} else if it != nil {
					table.remove(it)
				}
				delete(model, name)
			case "create":
				if !there {
					table.create([]byte(name)).value.vouched = 7
					model[name] = 7
				}
			case "freeze":
				freeze()
			case "write":
				write(rapid.IntRange(1, 20).Draw(t, "values"))
			case "land":
				land()
			case "shrink":
				before := table.bytes
				table.shrink(before / 2)
				if clean := len(table.dirty)+len(table.frozen) == 0; clean && table.bytes > before/2 {
					t.Fatalf("%d of %d bytes are left, though nothing is dirty", table.bytes, before)
				}
			}
		}
		flush()
		table.shrink(0)
		if table.bytes != 0 || len(table.items)+len(table.ring) != 0 {
			t.Fatalf("an emptied table holds %d items of %d bytes", len(table.items), table.bytes)
		}
		for _, name := range names {
			want, there := model[name]
			it, err := table.get([]byte(name))
			if err != nil || (it != nil) != there || there && int64(it.value.vouched) != want {
				t.Fatalf("%q is in the store as %+v, %v; want %d, %v", name, it, err, want, there)
			}
		}
	})
}

// TestRefsHaveEveryTag: a reference that has a timeline may be there, always, in memory and as stored;
// and while there are few of them one that has none is known not to be, but for equal tags.
func TestRefsHaveEveryTag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r refs
		live := map[uint32]int{}
		steps := rapid.SliceOfN(rapid.Uint32Range(0, 1500), 1, 3000).Draw(t, "tags")
		givenUp := false
		for _, tag := range steps {
			if live[tag] > 0 && tag%3 == 0 {
				live[tag]--
				r.remove(tag)
			} else {
				live[tag]++
				r.add(tag)
			}
			n := 0
			for _, c := range live {
				n += c
			}
			givenUp = n > 0 && (givenUp || n > refsMax)
			if r.live != n || r.givenUp != givenUp {
				t.Fatalf("%d are live, given up %v; want %d, %v", r.live, r.givenUp, n, givenUp)
			}
		}
		var back refs
		in := wire.NewReader(r.append(nil))
		back.read(in)
		if err := in.Done(); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*refs{&r, &back} {
			for tag := range uint32(1500) {
				if want := live[tag] > 0 || givenUp; r.may(tag) != want {
					t.Fatalf("tag %d may be there: %v, want %v", tag, r.may(tag), want)
				}
			}
		}
	})
}

func TestClassesHaveTagsOfTheirOwn(t *testing.T) {
	if refTag(ledger.Reservation, "o1") == refTag(ledger.Inbound, "o1") {
		t.Error("a reservation and an ASN of one number share a tag")
	}
}
