package state

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// PartitionsMax bounds the number of partitions of a folder.
const PartitionsMax = 4096

// CacheBytesDefault is the memory for blocks and memtables of all partitions
// where Options names none.
const CacheBytesDefault = 256 << 20

// Options of a data folder.
type Options struct {
	// Partitions of the deployment, 1 to [PartitionsMax]. Fixed when the folder is
	// created: another number later is an error, as it would remap nearly every key.
	Partitions int

	// Prefix of the deployment's subjects and streams. Fixed like Partitions, so that
	// a folder is never fed from somebody else's log.
	Prefix string

	// CacheBytes bounds the memory that blocks and memtables of all partitions take
	// together; 0 means [CacheBytesDefault]. See memTableBytes for how it is spent.
	CacheBytes int64

	// WAL turns Pebble's write-ahead log on, without syncing it. The log is the
	// stream's affair (see the package's doc); this is there to compare with.
	WAL bool

	// FS is where the folder lives; nil means the operating system's file system.
	FS vfs.FS

	// DiskFull is called when a write finds no space left; after it that write is tried once more, and others
	// wait meanwhile. nil: a rest of a second. Without one Pebble would try again thousands of times a second.
	DiskFull func()

	// CloseMax bounds how long a partition waits for the disk when it is closed; 0 means 10 s.
	CloseMax time.Duration

	// DigestSkip lists prefixes of engine keys that [DB.Digest] leaves out, such as
	// those whose layout depends on the order of arrival and not on what is known.
	DigestSkip [][]byte

	// Log takes errors of the storage layer; nil means slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Partitions < 1 || o.Partitions > PartitionsMax {
		return o, fmt.Errorf("%d partitions: there must be 1 to %d", o.Partitions, PartitionsMax)
	}
	if o.Prefix == "" {
		return o, fmt.Errorf("no prefix: name the deployment whose log the folder is fed from")
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = CacheBytesDefault
	}
	if o.CacheBytes < 0 {
		return o, fmt.Errorf("%d cache bytes: there must be some, or 0 for %d", o.CacheBytes, int64(CacheBytesDefault))
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.DiskFull == nil {
		o.DiskFull = func() { time.Sleep(diskFullRest) }
	}
	if o.CloseMax == 0 {
		o.CloseMax = closeMaxDefault
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o, nil
}

const closeMaxDefault = 10 * time.Second

// diskFullRest is for how long nothing is written to a full disk before it is tried again.
const diskFullRest = time.Second

// Bounds of one partition's memtable.
const (
	memTableBytesMin = 256 << 10 // below it a flush every few thousand deltas
	memTableBytesMax = 64 << 20  // above it a crash loses more than is pleasant to replay
	memTablesMax     = 2         // one being filled, one being flushed; then writes wait
)

// memTableBytes is the size of one partition's memtable.
//
// Pebble charges memtables to the block cache: a memtable shrinks the cache by its
// size, so CacheBytes bounds both together. Half of it is for memtables, two to a
// partition. The default of 256 MiB with 16 partitions gives each 4 MiB: at 0.5 KiB
// of changed state a delta that is a flush every 8,000 deltas, and 128 MiB are left
// to keep hot blocks, indexes and filters in. More partitions or less memory mean
// smaller memtables and more flushes, never more memory, until the minimum: 16
// partitions at the minimum take 8 MiB. A batch larger than half a memtable is held
// by itself until it is flushed, and is charged too.
func (o *Options) memTableBytes() uint64 {
	each := o.CacheBytes / 2 / int64(o.Partitions) / memTablesMax
	return uint64(min(max(each, memTableBytesMin), memTableBytesMax))
}

// Bounds shared by all partitions of a folder.
const (
	openFilesMax    = 1000 // tables kept open, of all partitions
	fileCacheShards = 2    // a shard has a goroutine and a mutex; there are few cores

	// filterBits is the bloom filter's size a key: 10 bits let 1 % of the tables
	// without a key be read in vain, for 1.25 MiB a million keys.
	filterBits = 10

	// indexBlockBytes lets a table have one index block, as the blocks of an index are read one after the other: more
	// than one are looked up in an index of their own.
	indexBlockBytes = 256 << 10
)

// pebbleOptions are the options of one partition. Compaction runs on one goroutine
// a partition: with many partitions on few cores more would only take turns with
// the owners of the partitions.
func (f *Folder) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          vfs.OnDiskFull(f.options.FS, f.full),
		Cache:                       f.cache,
		FileCache:                   f.files,
		FormatMajorVersion:          pebbleFormat,
		DisableWAL:                  !f.options.WAL,
		MemTableSize:                f.options.memTableBytes(),
		MemTableStopWritesThreshold: memTablesMax,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 1 },
		Logger:                      logger{f.options.Log},
		EventListener:               &pebble.EventListener{DataCorruption: f.damaged},
		// A compaction writes most of a partition again, so it waits for twelve flushes, which take little to
		// look through as each has a filter; writes wait at 36.
		L0CompactionThreshold: 12,
		L0StopWritesThreshold: 36,
	}
	for i := range o.Levels {
		o.Levels[i].IndexBlockSize = indexBlockBytes
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(filterBits)
	}
	return o
}

// full hears that no space is left.
func (f *Folder) full() {
	f.fullAt.Store(time.Now().UnixNano())
	f.options.DiskFull()
}

// damaged hears of a block that is not what was written. Whoever reads it gets an error, so that its partition stops and
// the others go on; Pebble's own way is to end the process.
func (f *Folder) damaged(info pebble.DataCorruptionInfo) {
	f.options.Log.Error("state: a file is damaged: stop, and let holdfast doctor look at it", "file", info.Path, "error", info.Details)
}

// logger passes on what needs somebody's attention and drops the rest.
type logger struct{ log *slog.Logger }

func (logger) Infof(string, ...any) {}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("state: " + fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble calls it where going on would break an invariant.
func (l logger) Fatalf(format string, args ...any) {
	panic("state: " + fmt.Sprintf(format, args...))
}
