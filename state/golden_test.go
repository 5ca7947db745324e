package state

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/golden"
)

// TestWhatAFolderBeginsWithIsReadAsEver: position, identity of a partition, identity file.
func TestWhatAFolderBeginsWithIsReadAsEver(t *testing.T) {
	same := func(name string, format int, now []byte) []byte {
		kept := golden.Bytes(t, fmt.Sprintf("%s-%d", name, format), now)
		if string(kept) != string(now) {
			t.Errorf("a %s of format %d is written as %q, it was %q: a change of bytes has a number of its own", name, format, now, kept)
		}
		return kept
	}
	position := Position{Sequence: 300, Fingerprint: 1<<63 | 7, LogTime: 1_764_000_000_000, Rejected: 9, Within: true}
	if got, err := parsePosition(same("position", positionFormat, position.append(nil))); err != nil || got != position {
		t.Errorf("the position is read as %+v, %v", got, err)
	}
	id := identity{partitionFormat, 3, 16}
	if err := id.check(same("identity", partitionFormat, id.append(nil))); err != nil {
		t.Error(err)
	}

	dir := t.TempDir()
	options := Options{Partitions: 16, Prefix: "holdfast", CacheBytes: 1 << 20}
	folder, err := OpenFolder(dir, options)
	must(t, err)
	must(t, folder.Close())
	now, err := os.ReadFile(filepath.Join(dir, identityFile))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, identityFile), same("folder", folderFormat, now), 0o600))
	folder, err = OpenFolder(dir, options)
	must(t, err)
	must(t, folder.Close())
}
