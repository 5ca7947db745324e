package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Names within a data folder.
const (
	identityFile  = "HOLDFAST"
	lockFile      = "LOCK"
	partitionsDir = "partitions"
)

// Folder is the data folder of one process: the lock on it, its identity, and the
// cache that its partitions share. Its methods may be called from any goroutine.
type Folder struct {
	dir     string
	options Options
	lock    io.Closer
	cache   *pebble.Cache
	files   *pebble.FileCache

	fullAt atomic.Int64 // when a write last found no space, in Unix ns; 0: never

	mu   sync.Mutex
	open map[int]*DB // by partition; a DB takes itself out when it closes
}

// folderIdentity is the identity file's content.
type folderIdentity struct {
	Format     int    `json:"format"`
	Partitions int    `json:"partitions"`
	Prefix     string `json:"prefix"`
}

// OpenFolder opens the data folder dir and creates it where there is none. It fails
// where another process has it, or where it was made for another number of
// partitions, another prefix, or by a version whose format is unknown.
func OpenFolder(dir string, options Options) (*Folder, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open data folder %s: %w", dir, err)
	}
	fs := options.FS
	if err := mkdirAllSynced(fs, fs.PathJoin(dir, partitionsDir)); err != nil {
		return nil, fmt.Errorf("create data folder %s: %w", dir, err)
	}
	lock, err := lockFolder(fs, dir)
	if err != nil {
		return nil, err
	}
	want := folderIdentity{folderFormat, options.Partitions, options.Prefix}
	if err := checkFolderIdentity(fs, dir, want); err != nil {
		return nil, errors.Join(fmt.Errorf("open data folder %s: %w", dir, err), lock.Close())
	}
	return &Folder{
		dir:     dir,
		options: options,
		lock:    lock,
		cache:   pebble.NewCache(options.CacheBytes),
		files:   pebble.NewFileCache(fileCacheShards, openFilesMax),
		open:    make(map[int]*DB),
	}, nil
}

func lockFolder(fs vfs.FS, dir string) (io.Closer, error) {
	lock, err := fs.Lock(fs.PathJoin(dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("lock data folder %s: %w: %w: stop that one, or give this one a data folder of its own", dir, err, ErrLocked)
	}
	return lock, nil
}

// Dir returns the folder's path.
func (f *Folder) Dir() string { return f.dir }

// OpenPartition opens partition p, 0 ≤ p < Partitions, and creates it where there is
// none. A partition is open once at a time.
func (f *Folder) OpenPartition(p int) (*DB, error) {
	if p < 0 || p >= f.options.Partitions {
		return nil, fmt.Errorf("open partition %d of %s: there are partitions 0 to %d", p, f.dir, f.options.Partitions-1)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		return nil, fmt.Errorf("open partition %d of %s: %w", p, f.dir, ErrClosed)
	}
	if f.open[p] != nil {
		return nil, fmt.Errorf("open partition %d of %s: it is open already", p, f.dir)
	}
	db, err := openDB(f, p)
	if err != nil {
		return nil, fmt.Errorf("open partition %d of %s: %w", p, f.dir, err)
	}
	f.open[p] = db
	return db, nil
}

func (f *Folder) partitionDir(p int) string {
	return f.options.FS.PathJoin(f.dir, partitionsDir, fmt.Sprintf("%04d", p))
}

// Close releases the folder. Partitions that are still open are an error: their
// owners close them first.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		return nil
	}
	if n := len(f.open); n > 0 {
		return fmt.Errorf("close data folder %s: %d of its partitions are still open", f.dir, n)
	}
	f.open = nil
	f.files.Unref()
	f.cache.Unref()
	return f.lock.Close()
}

// checkFolderIdentity compares dir's identity file with want, and writes it where
// the folder is new.
func checkFolderIdentity(fs vfs.FS, dir string, want folderIdentity) error {
	path := fs.PathJoin(dir, identityFile)
	text, err := readFile(fs, path)
	if errors.Is(err, os.ErrNotExist) {
		return writeFolderIdentity(fs, dir, want)
	}
	if err != nil {
		return err
	}
	var got folderIdentity
	if err := json.Unmarshal(text, &got); err != nil {
		return fmt.Errorf("identity file %s is damaged (%w): restore it, or move the folder away and let the log be applied again", path, err)
	}
	switch {
	case got.Format != want.Format:
		return fmt.Errorf("it has format %d, this binary knows %d: use the version of holdfast that wrote it, or move the folder away and let the log be applied again", got.Format, want.Format)
	case got.Partitions != want.Partitions:
		return fmt.Errorf("it was made for %d partitions, not %d; the number is fixed when a deployment is created: start with %d, or use a new folder, prefix and streams", got.Partitions, want.Partitions, got.Partitions)
	case got.Prefix != want.Prefix:
		return fmt.Errorf("it belongs to the deployment with prefix %q, not %q: start with that prefix, or use a data folder of its own for this one", got.Prefix, want.Prefix)
	}
	return nil
}

// writeFolderIdentity writes the identity file so that a crash leaves all of it or
// none: under another name first, synced, then renamed.
func writeFolderIdentity(fs vfs.FS, dir string, id folderIdentity) error {
	text, err := json.Marshal(id)
	if err != nil {
		return err
	}
	path := fs.PathJoin(dir, identityFile)
	file, err := fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := fs.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(fs, dir)
}

func readFile(fs vfs.FS, path string) ([]byte, error) {
	file, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	return text, errors.Join(err, file.Close())
}

// mkdirAllSynced makes dir and its parents and syncs the parents, since Pebble syncs only
// the folder that it is given: a power cut must not take a partition's folder away.
func mkdirAllSynced(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := mkdirAllSynced(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
