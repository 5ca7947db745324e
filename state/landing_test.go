package state

import (
	"fmt"
	"testing"
)

// TestABatchLandsByItself begins to commit and reads on meanwhile.
func TestABatchLandsByItself(t *testing.T) {
	db := openOne(t, Options{})
	commit(t, db, func(b *Batch) { must(t, b.Set([]byte("a"), []byte("1"))) })
	b := db.NewBatch()
	for i := range 10_000 {
		must(t, b.Set(fmt.Appendf(nil, "k%05d", i), []byte("2")))
	}
	must(t, b.PutOutput(7, []byte("said")))
	landing := db.BeginCommit(b)
	for landed := false; !landed; {
		if got, err := db.Get([]byte("a")); err != nil || string(got) != "1" {
			t.Fatalf("%q, %v", got, err)
		}
		var err error
		landed, err = landing(false)
		must(t, err)
	}
	if got, err := db.Get([]byte("k09999")); err != nil || string(got) != "2" {
		t.Errorf("%q, %v after it has landed", got, err)
	}
	b.Reset()
	must(t, b.DeleteOutputs(7))
	landed, err := db.BeginCommit(b)(true)
	must(t, err)
	if !landed || outputs(t, db) != "" {
		t.Errorf("landed %v, the outbox has %q", landed, outputs(t, db))
	}
	must(t, b.Close())
}
