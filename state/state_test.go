package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openOne opens partition 3 of a folder of 16 in memory and closes both at the end.
func openOne(t *testing.T, options Options) *DB {
	t.Helper()
	if options.FS == nil {
		options.FS = vfs.NewMem()
	}
	options.Partitions, options.Prefix = 16, "holdfast"
	folder, err := OpenFolder("data", options)
	must(t, err)
	db, err := folder.OpenPartition(3)
	must(t, err)
	t.Cleanup(func() {
		must(t, db.Close())
		must(t, folder.Close())
	})
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit commits one batch made by fill.
func commit(t *testing.T, db *DB, fill func(b *Batch)) {
	t.Helper()
	b := db.NewBatch()
	fill(b)
	must(t, db.Commit(b))
	must(t, b.Close())
}

// outputs lists the outbox as "ordinal=value".
func outputs(t *testing.T, db *DB) string {
	t.Helper()
	var all []string
	must(t, db.Outputs(func(ordinal uint64, value []byte) bool {
		all = append(all, fmt.Sprintf("%d=%s", ordinal, value))
		return true
	}))
	return strings.Join(all, " ")
}

// scanner is what DB and Snapshot have in common.
type scanner interface {
	Scan(lower, upper []byte, yield func(key, value []byte) bool) error
}

// keys lists engine keys as "key=value".
func keys(t *testing.T, s scanner, lower, upper string) string {
	t.Helper()
	var all []string
	must(t, s.Scan([]byte(lower), []byte(upper), func(key, value []byte) bool {
		all = append(all, fmt.Sprintf("%s=%s", key, value))
		return true
	}))
	return strings.Join(all, " ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func TestBatchChangesKeysPositionAndOutboxTogether(t *testing.T) {
	db := openOne(t, Options{})
	if _, ok, err := db.Position(); ok || err != nil {
		t.Fatalf("a new partition has a position (%v, %v)", ok, err)
	}
	commit(t, db, func(b *Batch) {
		must(t, b.Set([]byte("a"), []byte("1")))
		must(t, b.Set([]byte("b"), nil))
		must(t, b.Set([]byte("c"), []byte("3")))
		must(t, b.PutOutput(1, []byte("hold")))
		must(t, b.PutOutput(2, []byte("release")))
		must(t, b.SetPosition(Position{Sequence: 7, Fingerprint: 1 << 63, LogTime: 42, Rejected: 9}))
	})
	expect(t, "keys", keys(t, db, "", ""), "a=1 b= c=3")
	expect(t, "keys from b", keys(t, db, "b", ""), "b= c=3")
	expect(t, "keys before c", keys(t, db, "", "c"), "a=1 b=")
	expect(t, "outbox", outputs(t, db), "1=hold 2=release")
	position, ok, err := db.Position()
	must(t, err)
	if want := (Position{Sequence: 7, Fingerprint: 1 << 63, LogTime: 42, Rejected: 9}); !ok || position != want {
		t.Errorf("position %v (%v), want %v", position, ok, want)
	}
	empty, err := db.Get([]byte("b"))
	must(t, err)
	absent, err := db.Get([]byte("z"))
	must(t, err)
	if empty == nil || absent != nil {
		t.Errorf("a key without bytes gives %v, an absent key %v; want an empty slice and nil", empty, absent)
	}
	commit(t, db, func(b *Batch) {
		must(t, b.DeleteRange([]byte("a"), []byte("c")))
		must(t, b.Delete([]byte("nothing")))
		must(t, b.DeleteOutputs(1))
	})
	expect(t, "keys", keys(t, db, "", ""), "c=3")
	expect(t, "outbox", outputs(t, db), "2=release")
}

func TestScanStopsWhenToldTo(t *testing.T) {
	db := openOne(t, Options{})
	commit(t, db, func(b *Batch) {
		for _, k := range []string{"a", "b", "c"} {
			must(t, b.Set([]byte(k), nil))
		}
	})
	var seen int
	must(t, db.Scan(nil, nil, func(_, _ []byte) bool { seen++; return seen < 2 }))
	if seen != 2 {
		t.Errorf("saw %d keys, want 2", seen)
	}
}

func TestBatchIsReused(t *testing.T) {
	db := openOne(t, Options{})
	b := db.NewBatch()
	for i := range 3 {
		must(t, b.Set([]byte{'a' + byte(i)}, []byte("x")))
		must(t, db.Commit(b))
		b.Reset()
		if !b.Empty() {
			t.Fatal("a batch is not empty after Reset")
		}
	}
	must(t, b.Close())
	expect(t, "keys", keys(t, db, "", ""), "a=x b=x c=x")
}

func TestBatchOfAnotherPartitionIsRefused(t *testing.T) {
	db := openOne(t, Options{})
	other, err := db.folder.OpenPartition(4)
	must(t, err)
	b := other.NewBatch()
	must(t, b.Set([]byte("a"), nil))
	if err := db.Commit(b); err == nil {
		t.Error("a batch of partition 4 was committed to partition 3")
	}
	must(t, b.Close())
	must(t, other.Close())
}

func TestOutboxIsEmptiedFromTheFront(t *testing.T) {
	const many = outboxPointDeletesMax + 10 // more than are deleted one by one
	db := openOne(t, Options{})
	commit(t, db, func(b *Batch) {
		for i := uint64(1); i <= many; i++ {
			must(t, b.PutOutput(i, []byte("x")))
		}
	})
	steps := []struct {
		through uint64
		want    string
	}{
		{many - 3, fmt.Sprintf("%d=x %d=x %d=x", many-2, many-1, many)},
		{many - 3, fmt.Sprintf("%d=x %d=x %d=x", many-2, many-1, many)},
		{many - 1, fmt.Sprintf("%d=x", many)},
		{1 << 62, ""}, // more than there are
	}
	for _, step := range steps {
		commit(t, db, func(b *Batch) { must(t, b.DeleteOutputs(step.through)) })
		expect(t, fmt.Sprintf("outbox after deleting through %d", step.through), outputs(t, db), step.want)
	}
	commit(t, db, func(b *Batch) {
		must(t, b.PutOutput(many+1, []byte("y")))
		must(t, b.PutOutput(many+2, []byte("z")))
		must(t, b.DeleteOutputs(many+1)) // what the same batch put
	})
	expect(t, "outbox", outputs(t, db), fmt.Sprintf("%d=z", many+2))
}

func TestOutboxIsFoundAgainAfterAReopen(t *testing.T) {
	fs := vfs.NewMem()
	t.Run("first run", func(t *testing.T) {
		db := openOne(t, Options{FS: fs})
		commit(t, db, func(b *Batch) {
			must(t, b.PutOutput(11, []byte("a")))
			must(t, b.PutOutput(12, []byte("b")))
		})
	})
	db := openOne(t, Options{FS: fs})
	expect(t, "outbox", outputs(t, db), "11=a 12=b")
	commit(t, db, func(b *Batch) { must(t, b.DeleteOutputs(11)) })
	expect(t, "outbox", outputs(t, db), "12=b")
}

func TestSnapshotStaysAtItsBoundary(t *testing.T) {
	db := openOne(t, Options{})
	write := func(value string, sequence uint64) {
		commit(t, db, func(b *Batch) {
			must(t, b.Set([]byte("a"), []byte(value)))
			must(t, b.SetPosition(Position{Sequence: sequence}))
		})
	}
	write("old", 1)
	s, err := db.Snapshot()
	must(t, err)
	write("new", 2)
	expect(t, "snapshot", keys(t, s, "", ""), "a=old")
	expect(t, "now", keys(t, db, "", ""), "a=new")
	value, err := s.Get([]byte("a"))
	must(t, err)
	expect(t, "get", string(value), "old")
	if absent, err := s.Get([]byte("b")); absent != nil || err != nil {
		t.Errorf("an absent key gives %v, %v", absent, err)
	}
	if p, ok, err := s.Position(); !ok || err != nil || p.Sequence != 1 {
		t.Errorf("position %v, %v, %v, want sequence 1", p, ok, err)
	}
	must(t, s.Close())
}

func TestSnapshotOfAClosedPartition(t *testing.T) {
	db := openOne(t, Options{})
	must(t, db.Close())
	if _, err := db.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if m := db.Metrics(); m != (Metrics{}) {
		t.Errorf("metrics of a closed partition: %+v", m)
	}
}

func TestDigestSaysWhatIsKnownNotHow(t *testing.T) {
	skip := Options{DigestSkip: [][]byte{[]byte("dedupe/")}}
	digest := func(fill func(b *Batch)) string {
		db := openOne(t, skip)
		commit(t, db, fill)
		d, err := db.Digest()
		must(t, err)
		return d
	}
	set := func(b *Batch, k, v string) { must(t, b.Set([]byte(k), []byte(v))) }
	base := digest(func(b *Batch) { set(b, "a", "1"); set(b, "b", "2") })
	same := map[string]func(b *Batch){
		"another order":   func(b *Batch) { set(b, "b", "2"); set(b, "a", "1") },
		"a detour":        func(b *Batch) { set(b, "c", "3"); set(b, "a", "1"); set(b, "b", "2"); must(t, b.Delete([]byte("c"))) },
		"a skipped key":   func(b *Batch) { set(b, "a", "1"); set(b, "b", "2"); set(b, "dedupe/x", "1") },
		"an outbox entry": func(b *Batch) { set(b, "a", "1"); set(b, "b", "2"); must(t, b.PutOutput(1, []byte("x"))) },
	}
	for name, fill := range same {
		expect(t, "digest after "+name, digest(fill), base)
	}
	different := map[string]func(b *Batch){
		"another value":              func(b *Batch) { set(b, "a", "1"); set(b, "b", "3") },
		"a key fewer":                func(b *Batch) { set(b, "a", "1") },
		"bytes moved between fields": func(b *Batch) { set(b, "a", "1b"); set(b, "", "2") },
	}
	for name, fill := range different {
		if digest(fill) == base {
			t.Errorf("%s gives the same digest", name)
		}
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	options := Options{Partitions: 16, Prefix: "holdfast"}
	first, err := OpenFolder(dir, options)
	must(t, err)
	_, err = OpenFolder(dir, options)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another holdfast has it") {
		t.Errorf("a second open gives %v; want an error that names the folder and the way out", err)
	}
	must(t, first.Close())
	must(t, first.Close()) // again is no error
	second, err := OpenFolder(dir, options)
	must(t, err)
	must(t, second.Close())
}

func TestFolderOfAnotherDeploymentIsRefused(t *testing.T) {
	dir := t.TempDir()
	folder, err := OpenFolder(dir, Options{Partitions: 16, Prefix: "holdfast"})
	must(t, err)
	must(t, folder.Close())
	cases := []struct {
		partitions int
		prefix     string
		want       string
	}{
		{32, "holdfast", "made for 16 partitions, not 32"},
		{16, "other", `prefix "holdfast", not "other"`},
		{0, "holdfast", "0 partitions"},
		{16, "", "no prefix"},
	}
	for _, c := range cases {
		_, err := OpenFolder(dir, Options{Partitions: c.partitions, Prefix: c.prefix})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d partitions, prefix %q: got %v, want an error with %q", c.partitions, c.prefix, err, c.want)
		}
	}
	for text, want := range map[string]string{
		`{"format":2,"partitions":16,"prefix":"holdfast"}`: "format 2, this binary knows 1",
		`{"form`: "damaged",
	} {
		must(t, os.WriteFile(filepath.Join(dir, identityFile), []byte(text), 0o644))
		_, err := OpenFolder(dir, Options{Partitions: 16, Prefix: "holdfast"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("identity %s: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestPartitionsAreCheckedWhenOpened(t *testing.T) {
	db := openOne(t, Options{})
	for _, p := range []int{-1, 16, 3} { // 3 is open
		if _, err := db.folder.OpenPartition(p); err == nil {
			t.Errorf("partition %d opens", p)
		}
	}
	if err := db.folder.Close(); err == nil {
		t.Error("a folder closes with a partition open")
	}
}

func TestMovedPartitionIsRefused(t *testing.T) {
	dir := t.TempDir()
	options := Options{Partitions: 16, Prefix: "holdfast"}
	folder, err := OpenFolder(dir, options)
	must(t, err)
	db, err := folder.OpenPartition(3)
	must(t, err)
	must(t, db.Close())
	must(t, os.Rename(folder.partitionDir(3), folder.partitionDir(5)))
	_, err = folder.OpenPartition(5)
	if err == nil || !strings.Contains(err.Error(), "holds partition 3 of 16, not 5 of 16") {
		t.Errorf("got %v, want an error that names both partitions", err)
	}
	must(t, folder.Close())
}

func TestMemoryIsBoundedByCacheBytes(t *testing.T) {
	for _, c := range []struct {
		partitions int
		cache      int64
		want       uint64
	}{
		{16, 256 << 20, 4 << 20},
		{16, 1 << 20, memTableBytesMin},
		{1, 16 << 30, memTableBytesMax},
	} {
		o := Options{Partitions: c.partitions, CacheBytes: c.cache}
		if got := o.memTableBytes(); got != c.want {
			t.Errorf("%d partitions, %d bytes: memtables of %d bytes, want %d", c.partitions, c.cache, got, c.want)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add(Position{1, 2, 3, 4, true}.append(nil))
	f.Add([]byte{})
	f.Add([]byte{9, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePosition(b)
		if err != nil {
			return
		}
		if again := p.append(nil); string(again) != string(b) {
			t.Errorf("%x reads as %v, which is written as %x", b, p, again)
		}
	})
}

func FuzzCheckIdentity(f *testing.F) {
	want := identity{1, 3, 16}
	f.Add(want.append(nil))
	f.Add([]byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if ok := want.check(b) == nil; ok != (string(b) == string(want.append(nil))) {
			t.Errorf("%x accepted: %v", b, ok)
		}
	})
}
