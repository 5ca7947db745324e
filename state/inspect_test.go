package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// filled makes a folder of two partitions with a thousand keys each.
func filled(t *testing.T) (dir string, options Options) {
	t.Helper()
	dir, options = filepath.Join(t.TempDir(), "state"), Options{Partitions: 2, Prefix: "holdfast", CacheBytes: 1 << 20}
	folder, err := OpenFolder(dir, options)
	must(t, err)
	for p := range 2 {
		db, err := folder.OpenPartition(p)
		must(t, err)
		b := db.NewBatch()
		for i := range 1000 {
			must(t, b.Set(fmt.Appendf(nil, "key-%d", i), fmt.Appendf(nil, "value of %d, %x", i, i*i*i)))
		}
		must(t, b.SetPosition(Position{Sequence: 7}))
		must(t, b.PutOutput(3, []byte("said")))
		must(t, db.Commit(b))
		must(t, b.Close())
		must(t, db.Close())
	}
	must(t, folder.Close())
	return dir, options
}

func TestInspectSeesWhatIsThereAndChangesNothing(t *testing.T) {
	dir, options := filled(t)
	i, err := Inspect(dir, options)
	must(t, err)
	if _, err := OpenFolder(dir, options); !errors.Is(err, ErrLocked) {
		t.Errorf("the folder was opened meanwhile: %v", err)
	}
	d, err := i.Partition(1)
	must(t, err)
	value, err := d.Get([]byte("key-3"))
	if err != nil || string(value) != "value of 3, 1b" {
		t.Errorf("key-3 is %q, %v", value, err)
	}
	if value, err = d.Get([]byte("none")); value != nil || err != nil {
		t.Errorf("what is not there is %q, %v", value, err)
	}
	if p, known, err := d.Position(); p.Sequence != 7 || !known || err != nil {
		t.Errorf("position %+v, %v, %v", p, known, err)
	}
	outputs, keys := 0, 0
	must(t, d.Outputs(func(ordinal uint64, value []byte) bool { outputs++; return ordinal == 3 && string(value) == "said" }))
	must(t, d.Scan(nil, nil, func(key, value []byte) bool { keys++; return true }))
	if n, err := d.Read(1 << 30); outputs != 1 || keys != 1000 || n < 15_000 || err != nil {
		t.Errorf("%d outputs, %d keys, %d bytes, %v", outputs, keys, n, err)
	}
	must(t, d.Close())
	must(t, i.Close())

	if _, err := Inspect(filepath.Join(dir, "elsewhere"), options); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	options.Partitions = 3
	if _, err := Inspect(dir, options); err == nil {
		t.Error("a folder of two partitions was taken for one of three")
	}
}

func TestQuarantineMovesAPartitionAside(t *testing.T) {
	dir, options := filled(t)
	i, err := Inspect(dir, options)
	must(t, err)
	to, err := i.Quarantine(1, "x")
	must(t, err)
	if _, err := os.Stat(filepath.Join(to, "CURRENT")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := i.Partition(1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := i.Quarantine(1, "x"); err == nil {
		t.Error("twice to one place")
	}
	must(t, i.Close())
	folder, err := OpenFolder(dir, options)
	must(t, err)
	for p, want := range []bool{true, false} {
		db, err := folder.OpenPartition(p)
		must(t, err)
		if _, known, err := db.Position(); known != want || err != nil {
			t.Errorf("partition %d has a position: %v, %v", p, known, err)
		}
		must(t, db.Close())
	}
	must(t, folder.Close())
}

// TestADamagedFileStopsItsPartitionAlone: whoever reads it gets an error, in a process that goes on.
func TestADamagedFileStopsItsPartitionAlone(t *testing.T) {
	dir, options := filled(t)
	tables, err := filepath.Glob(filepath.Join(dir, "partitions", "0001", "*.sst"))
	must(t, err)
	for _, name := range tables {
		coded, err := os.ReadFile(name)
		must(t, err)
		coded[len(coded)/4] ^= 0x10
		must(t, os.WriteFile(name, coded, 0o600))
	}
	folder, err := OpenFolder(dir, options)
	must(t, err)
	damaged := 0
	for p := range 2 {
		db, err := folder.OpenPartition(p)
		if err == nil {
			err = errors.Join(db.Scan(nil, nil, func(key, value []byte) bool { return true }), db.Close())
		}
		if err != nil {
			damaged++
		}
	}
	if damaged != 1 || len(tables) == 0 {
		t.Errorf("%d of 2 partitions are damaged, want the one whose %d tables are", damaged, len(tables))
	}
	must(t, folder.Close())
}
