package enginetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBatchIsAllOrNothing(t *testing.T) {
	s := NewStore()
	commit(t, s, "set a 1", "set b 2", "set c 3")
	lost := s.Batch()
	if err := lost.Set([]byte("a"), []byte("9")); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Get([]byte("a")); string(got) != "1" {
		t.Errorf("a is %q before the commit, want 1", got)
	}
	before := s.Clone()
	commit(t, s, "range a c", "set a 4", "delete c", "delete absent")
	if got, want := s.Dump(), "\"a\" = 34\n"; got != want {
		t.Errorf("after the commit:\n%swant\n%s", got, want)
	}
	if got := before.Dump(); strings.Count(got, "\n") != 3 {
		t.Errorf("the clone changed with its original:\n%s", got)
	}
	if got := before.Dump('a', 'c'); got != "\"b\" = 32\n" {
		t.Errorf("without a and c: %q", got)
	}
}

func TestScanIsOrderedAndHalfOpen(t *testing.T) {
	s := NewStore()
	commit(t, s, "set d 4", "set b 2", "set a 1", "set c 3")
	var got []string
	err := s.Scan([]byte("b"), []byte("d"), func(key, value []byte) bool {
		got = append(got, string(key)+string(value))
		return true
	})
	if want := "b2 c3"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("scanned %v, %v; want %s", got, err, want)
	}
}

// Slices that are kept for too long show it.
func TestBorrowedSlicesAreSpoilt(t *testing.T) {
	s := NewStore()
	commit(t, s, "set a 1")
	kept, _ := s.Get([]byte("a"))
	if _, err := s.Get([]byte("b")); err != nil {
		t.Fatal(err)
	}
	if string(kept) == "1" {
		t.Error("a value survived the next Get")
	}
	_ = s.Scan([]byte("a"), []byte("b"), func(key, _ []byte) bool { kept = key; return true })
	if string(kept) == "a" {
		t.Error("a key survived its yield")
	}
}

func TestNestedReadsAreRefused(t *testing.T) {
	s := NewStore()
	commit(t, s, "set a 1")
	_ = s.Scan([]byte("a"), []byte("b"), func(_, _ []byte) bool {
		if _, err := s.Get([]byte("a")); err == nil {
			t.Error("get within a scan was allowed")
		}
		return true
	})
}

// A batch does what its changes would do one by one.
func TestCommitEqualsItsChangesOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, naive := NewStore(), map[string]string{}
		key := rapid.StringN(1, 2, -1).Filter(func(s string) bool { return s < "d" })
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			batch := store.Batch()
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				k, v := key.Draw(t, "key"), key.Draw(t, "value")
				switch rapid.IntRange(0, 3).Draw(t, "verb") {
				case 0:
					_ = batch.Delete([]byte(k))
					delete(naive, k)
				case 1:
					_ = batch.DeleteRange([]byte(min(k, v)), []byte(max(k, v)))
					maps.DeleteFunc(naive, func(n, _ string) bool { return min(k, v) <= n && n < max(k, v) })
				default:
					_ = batch.Set([]byte(k), []byte(v))
					naive[k] = v
				}
			}
			batch.Commit()
			var want strings.Builder
			for _, k := range slices.Sorted(maps.Keys(naive)) {
				fmt.Fprintf(&want, "%q = %x\n", k, naive[k])
			}
			if got := store.Dump(); got != want.String() {
				t.Fatalf("the store holds\n%swant\n%s", got, want.String())
			}
		}
	})
}

func commit(t *testing.T, s *Store, changes ...string) {
	t.Helper()
	b := s.Batch()
	for _, c := range changes {
		words := strings.Fields(c)
		var err error
		switch words[0] {
		case "set":
			err = b.Set([]byte(words[1]), []byte(words[2]))
		case "delete":
			err = b.Delete([]byte(words[1]))
		case "range":
			err = b.DeleteRange([]byte(words[1]), []byte(words[2]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Commit()
}
