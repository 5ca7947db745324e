package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/engine/enginetest"
	"github.com/holdfast-atp/holdfast/internal/oracle/gen"
	"github.com/holdfast-atp/holdfast/inventory"
)

// TestAnUnknownFormatIsRefused: of each kind of value one that a later version wrote. The partition
// says which key, which format, and stops.
func TestAnUnknownFormatIsRefused(t *testing.T) {
	for prefix, name := range map[byte]string{
		'm': "meta", 'r': `r "tea\x00leeds"`, 'k': `k "tea"`, 'l': `l "leeds"`, 's': `s "pos"`, 'w': `week of "leeds"`,
		'f': `f "tea\x00leeds\x00\x01o1"`, 'j': `page "jtea\x00leeds`,
	} {
		t.Run(string(prefix), func(t *testing.T) {
			p := open(t, partition{})
			for i := range 100 {
				p.take(t, gen.Message{{Kind: inventory.Sale, ID: fmt.Sprint(i), Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 1, Time: gen.Start + inventory.Millis(i)}})
			}
			rest := gen.Message{
				{Kind: inventory.Reserve, ID: "r", Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o1", Quantity: 1, Time: gen.Start + 100},
				{Kind: inventory.Tick, ID: "t", Source: "pos", Time: gen.Start + 101},
				{Kind: inventory.Count, ID: "c", Source: "pos", SKU: "tea", Location: "leeds", Quantity: 9, Time: gen.Start + 1},
			}
			p.take(t, rest)
			p.commit(t)
			if n := reformat(t, p.store, prefix); n == 0 {
				t.Fatal("the partition has no such value")
			}
			if err := engine.CheckFormats(p.store, func(byte) {}); err == nil || !strings.Contains(err.Error(), "format 99") {
				t.Errorf("the formats are checked: %v", err)
			}
			err := applyAgain(p.store, rest)
			for _, want := range []string{name, "format 99, this program reads ", "let the log build the partition again"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want it to say %s", err, want)
				}
			}
		})
	}
}

// reformat makes every value under a prefix one of format 99, and returns how many there were.
func reformat(t *testing.T, store *enginetest.Store, prefix byte) int {
	t.Helper()
	batch := store.Batch()
	n := 0
	err := store.Scan([]byte{prefix}, []byte{prefix + 1}, func(key, value []byte) bool {
		n++
		value[0] = 99
		return batch.Set(key, value) == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	batch.Commit()
	return n
}

// applyAgain opens the partition and applies deltas under new ids, until something is wrong.
func applyAgain(store *enginetest.Store, deltas []inventory.Delta) error {
	e, err := engine.New(engine.Config{}, store)
	for i := range deltas {
		if err != nil {
			return err
		}
		d := deltas[i]
		d.ID += "'"
		_, err = e.Apply(engine.At{Sequence: 1000, Index: i}, &d)
	}
	return err
}

// TestReadersRefuseWhatTheyCannotRead: what people ask for is an error then, and no guess.
func TestReadersRefuseWhatTheyCannotRead(t *testing.T) {
	fresh := func() *enginetest.Store {
		p := open(t, partition{})
		p.take(t, gen.Message{{Kind: inventory.Sale, ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 1, Time: gen.Start}})
		p.commit(t)
		return p.store
	}
	for _, c := range []struct {
		name   string
		prefix byte
		read   func(engine.Store) error
	}{
		{"status", 'm', func(s engine.Store) error { _, err := engine.ReadStatus(s); return err }},
		{"key", 'r', func(s engine.Store) error { _, _, err := engine.ReadKey(s, "tea", "leeds"); return err }},
		{"sku", 'r', func(s engine.Store) error { _, _, err := engine.ReadSKU(s, "tea"); return err }},
		{"network", 'k', func(s engine.Store) error { _, _, err := engine.ReadSKU(s, "tea"); return err }},
		{"exception", 'x', func(s engine.Store) error { _, _, err := engine.ReadException(s, "x0-1-0-0"); return err }},
		{"exceptions", 'x', func(s engine.Store) error {
			return engine.ReadExceptions(s, "", func(engine.Rank, *inventory.Exception) bool { return true })
		}},
	} {
		store := fresh()
		if err := c.read(store); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		reformat(t, store, c.prefix)
		if err := c.read(store); err == nil || !strings.Contains(err.Error(), "read ") {
			t.Errorf("%s that cannot be read: %v", c.name, err)
		}
	}
}

// failing is a store that fails at the n-th read.
type failing struct {
	*enginetest.Store
	reads int
}

var errDisk = errors.New("the disk is gone")

func (f *failing) Get(key []byte) ([]byte, error) {
	if f.reads--; f.reads < 0 {
		return nil, errDisk
	}
	return f.Store.Get(key)
}

func (f *failing) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	if f.reads--; f.reads < 0 {
		return errDisk
	}
	return f.Store.Scan(lower, upper, yield)
}

// TestAStoreThatFailsIsNeverPassedOver: at whichever read it fails, the engine says so.
func TestAStoreThatFailsIsNeverPassedOver(t *testing.T) {
	var log gen.Message
	for i, line := range tableLog(t, `
		0 count 5
		1 count 5 at=york
		2 reserve 9 ref=o1
		3 reserve 9 ref=o2 at=york
		4 tick
		5 pick_failed 1 ref=o3
		6 receipt 30 ref=po
		7 receipt 30 ref=po at=york
		2000 tick`) {
		if line.Kind == inventory.Reserve {
			line.Due = hourOf(200)
		}
		line.ID = fmt.Sprint(i)
		log = append(log, line)
	}
	filled := open(t, partition{})
	filled.take(t, log[:4])
	filled.commit(t)
	reads := 0
	for ; ; reads++ {
		store := &failing{filled.store.Clone(), reads}
		e, err := engine.New(engine.Config{}, store)
		for i := 4; i < len(log) && err == nil; i++ {
			_, err = e.Apply(engine.At{Sequence: uint64(i)}, &log[i])
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errDisk) {
			t.Fatalf("the store failed at read %d, the engine says %v", reads, err)
		}
	}
	if reads < 10 {
		t.Errorf("the log was through after %d reads, want many more", reads)
	}
}

// TestADeltaOfAnotherPartitionIsRejected, and one without a SKU belongs to any.
func TestADeltaOfAnotherPartitionIsRejected(t *testing.T) {
	const partitions = 16
	at := codec.Partition("tea", partitions)
	for part := range partitions {
		p := open(t, partition{config: engine.Config{Partition: part, Partitions: partitions}})
		results := p.take(t, gen.Message{
			{Kind: inventory.Count, ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Quantity: 1, Time: gen.Start},
			{Kind: inventory.Tick, ID: "2", Source: "pos", Time: gen.Start},
		})
		want := "wrong_partition applied"
		if part == at {
			want = "applied applied"
		}
		if got := outcomes(results); got != want {
			t.Errorf("partition %d: %s, want %s", part, got, want)
		}
		counted(t, p.engine.Counters(), p.results)
	}
}

// TestTheEndOfTime: a delta of the last moment there is makes nothing that cannot be read again.
func TestTheEndOfTime(t *testing.T) {
	p := open(t, partition{})
	p.take(t, gen.Message{
		{Kind: inventory.Sale, ID: "1", Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Quantity: 1, Time: inventory.MillisMax},
		{Kind: inventory.Reserve, ID: "2", Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o", Quantity: 1, Time: inventory.MillisMax, Due: inventory.MillisMax},
	})
	p.commit(t)
	p = open(t, partition{store: p.store})
	if got := outcomes(p.take(t, gen.Message{
		{Kind: inventory.Receipt, ID: "3", Source: "pos", SKU: "tea", Location: "leeds", Ref: "po", Quantity: 5, Time: inventory.MillisMax},
	})); got != "applied" {
		t.Errorf("a receipt then is %s", got)
	}
	for _, o := range p.said {
		if o.Command != nil {
			text, err := codec.EncodeCommand(o.Command, codec.JSON)
			if err == nil {
				_, err = codec.DecodeCommand(text)
			}
			if err != nil {
				t.Errorf("a command cannot be read back: %v", err)
			}
		}
	}
}
