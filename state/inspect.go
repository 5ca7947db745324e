package state

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
)

// ErrLocked is in the errors of a folder that another process has.
var ErrLocked = errors.New("another holdfast has it")

// Inspector looks into a data folder that nothing runs on, and changes nothing in it but by Quarantine. It holds
// the folder's lock, so that nothing begins to run on it either.
type Inspector struct {
	folder Folder
}

// Inspect locks the data folder dir, which must be there: otherwise the error is fs.ErrNotExist. It fails as
// [OpenFolder] does where the folder is another process's, or another deployment's.
func Inspect(dir string, options Options) (*Inspector, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("inspect data folder %s: %w", dir, err)
	}
	fs := options.FS
	if _, err := fs.Stat(fs.PathJoin(dir, identityFile)); err != nil {
		return nil, fmt.Errorf("inspect data folder %s: %w", dir, err)
	}
	lock, err := lockFolder(fs, dir)
	if err != nil {
		return nil, err
	}
	if err := checkFolderIdentity(fs, dir, folderIdentity{folderFormat, options.Partitions, options.Prefix}); err != nil {
		return nil, errors.Join(fmt.Errorf("inspect data folder %s: %w", dir, err), lock.Close())
	}
	return &Inspector{Folder{
		dir: dir, options: options, lock: lock,
		cache: pebble.NewCache(options.CacheBytes), files: pebble.NewFileCache(fileCacheShards, openFilesMax),
	}}, nil
}

// Close lets go of the folder.
func (i *Inspector) Close() error {
	i.folder.files.Unref()
	i.folder.cache.Unref()
	return i.folder.lock.Close()
}

// Quarantine moves the folder of partition p aside and returns where to. At its next start the partition begins
// anew and is built from its log; nothing is deleted.
func (i *Inspector) Quarantine(p int, name string) (string, error) {
	from := i.folder.partitionDir(p)
	to := from + ".quarantine-" + name
	fs := i.folder.options.FS
	if _, err := fs.Stat(to); err == nil {
		return "", fmt.Errorf("quarantine %s: %s is there already", from, to)
	}
	if err := fs.Rename(from, to); err != nil {
		return "", fmt.Errorf("quarantine %s: %w", from, err)
	}
	return to, syncDir(fs, filepath.Dir(from))
}

// Inspected is what one partition's files hold. It satisfies what reads an engine's store.
type Inspected struct {
	pebble  *pebble.DB
	scratch []byte
	held    io.Closer // of the value that Get returned last
}

// Partition opens the files of partition p for reading alone. The error is fs.ErrNotExist where there are none.
func (i *Inspector) Partition(p int) (*Inspected, error) {
	dir := i.folder.partitionDir(p)
	if _, err := i.folder.options.FS.Stat(dir); err != nil {
		return nil, err
	}
	options := i.folder.pebbleOptions()
	options.ReadOnly = true
	kv, err := pebble.Open(dir, options)
	if err != nil {
		return nil, err
	}
	d := &Inspected{pebble: kv}
	stored, closer, err := kv.Get(keyIdentity)
	if err == nil {
		err = errors.Join(identity{partitionFormat, uint32(p), uint32(i.folder.options.Partitions)}.check(stored), closer.Close())
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close closes the files.
func (d *Inspected) Close() error { return errors.Join(d.release(), d.pebble.Close()) }

func (d *Inspected) release() error {
	if d.held == nil {
		return nil
	}
	held := d.held
	d.held = nil
	return held.Close()
}

// Get returns the value of an engine key, or nil where there is none; it is good until the next call.
func (d *Inspected) Get(key []byte) ([]byte, error) {
	if err := d.release(); err != nil {
		return nil, err
	}
	d.scratch = append(append(d.scratch[:0], spaceEngine), key...)
	value, closer, err := d.pebble.Get(d.scratch)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.held = closer
	return value, nil
}

// Scan is [DB.Scan].
func (d *Inspected) Scan(lower, upper []byte, yield func(key, value []byte) bool) error {
	return scanEngine(d.pebble, lower, upper, yield)
}

// Position is [DB.Position].
func (d *Inspected) Position() (Position, bool, error) { return readPosition(d.pebble) }

// Outputs is [DB.Outputs].
func (d *Inspected) Outputs(yield func(ordinal uint64, value []byte) bool) error {
	return scanOutbox(d.pebble, yield)
}

// Read reads keys and values in order, and with them the checksums of their blocks, until it has seen so many bytes, and
// returns how many there were. An error says that what is on disk is damaged.
func (d *Inspected) Read(bytesMax int64) (read int64, err error) {
	err = scan(d.pebble, nil, nil, func(key, value []byte) (bool, error) {
		read += int64(len(key) + len(value))
		return read < bytesMax, nil
	})
	return read, err
}
