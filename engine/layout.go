package engine

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/holdfast-atp/holdfast/engine/dedupe"
	"github.com/holdfast-atp/holdfast/engine/ledger"
	"github.com/holdfast-atp/holdfast/engine/timer"
	"github.com/holdfast-atp/holdfast/inventory"
)

// The key spaces of a partition, by first byte. Names hold no NUL, so that NUL
// separates them. Numbers in keys are big-endian: keys sort as they do.
//
//	'r' sku NUL location                       → record      (formatRecord)
//	'k' sku                                    → network     (formatNetwork)
//	'l' location                               → place       (formatPlace)
//	'w' location                               → its week    (formatWeek)
//	'f' sku NUL location NUL class(1) ref      → timeline    (formatTimeline)
//	'j' sku NUL location NUL end(8) number(4)  → journal page (formatPage)
//	't' time(8) flush(8)                       → timers      (package timer)
//	'b', 'd', 'D'                              → ids         (package dedupe)
//	'x' exception id                           → exception   (JSON, as users see it, and its turn where it waits to be told of)
//	'X' ended(1) ^exposure(8) exception id     → nothing     (exceptions, worst first)
//	's' source                                 → source      (formatSource)
//	'c' channel                                → channel     (formatChannel)
//	'g' channel                                → its guard   (formatGuard)
//	'i' sku                                    → its item    (formatItem): master data
//	'a' location                               → its site    (formatSite): master data
//	'q'                                        → pace        (formatPace); none: no exception ever opened
//	'p'                                        → the policy in force: its text (formatPolicy); none: Config's
//	'm'                                        → meta        (formatMeta)
//	'n'                                        → how many flushes there were (formatFlushes)
const (
	keyRecord    = 'r'
	keyNetwork   = 'k'
	keyPlace     = 'l'
	keyWeek      = 'w'
	keyTimeline  = 'f'
	keyPage      = 'j'
	keyException = 'x'
	keyRanked    = 'X'
	keySource    = 's'
	keyChannel   = 'c'
	keyGuard     = 'g'
	keyItem      = 'i'
	keySite      = 'a'
	keyPolicy    = 'p'
	keyPace      = 'q'
	keyMeta      = 'm'
	keyFlushes   = 'n'
)

// LaidOutByBatch returns the first bytes of the keys of which the layout depends on where batches ended
// and on the size of memory: the ids that are known, the timers, and the number of flushes. All else that a partition
// keeps is the log's alone.
func LaidOutByBatch() []byte { return append(dedupe.Prefixes(), timer.Prefix, keyFlushes) }

// LiveTimers calls yield for every timer in store that has not fired; one that was set twice may come twice.
func LiveTimers(store Store, yield func(timer.Timer)) error {
	m, err := readMeta(store)
	if err != nil {
		return err
	}
	return timer.Live(store, m.unfired(), yield)
}

// The formats of values; each value begins with its own. A change of layout gets a new
// number, and what reads the old one.
const (
	formatRecord   = 14
	formatNetwork  = 7
	formatPlace    = 6
	formatWeek     = 1
	formatTimeline = 3
	formatPage     = 3
	formatSource   = 2
	formatChannel  = 1
	formatPolicy   = 1
	formatGuard    = 1
	formatItem     = 2
	formatSite     = 1
	formatMeta     = 6
	formatPace     = 1
	formatFlushes  = 1
)

// The kinds of timers: what they are for. Their key is that of whom they are for.
const (
	timerAlarm    = 'A' // record key: silence may have reached the alarm
	timerWake     = 'W' // record key: something that a detector waits for may be due
	timerPlace    = 'L' // location: something that its detectors wait for may be due
	timerRenew    = 'R' // record key: a directive is to be renewed
	timerNetwork  = 'N' // sku: a network directive is to be renewed
	timerTimeline = 'T' // timeline key: lapses, or may be forgotten
	timerEnded    = 'X' // exception id: ended long ago
	timerGuard    = 'G' // channel: a minute is over in which its guard did not let policy act
	timerDwell    = 'D' // record key: an exception has stood for as long as its policy wants
)

func appendRecordKey(dst []byte, sku, location string) []byte {
	dst = append(dst, sku...)
	dst = append(dst, 0)
	return append(dst, location...)
}

func splitRecordKey(key string) (sku, location string) {
	sku, location, _ = strings.Cut(key, "\x00")
	return sku, location
}

func appendTimelineKey(dst []byte, record string, class ledger.Class, ref string) []byte {
	dst = append(dst, record...)
	dst = append(dst, 0, byte(class))
	return append(dst, ref...)
}

// splitTimelineKey returns the key of the record that a timeline belongs to, its class and its reference.
func splitTimelineKey(key string) (record string, class ledger.Class, ref string) {
	sku := strings.IndexByte(key, 0)
	location := strings.IndexByte(key[sku+1:], 0)
	end := sku + 1 + location
	return key[:end], ledger.Class(key[end+1]), key[end+2:]
}

func appendPageKey(dst []byte, record string, end inventory.Millis, number uint32) []byte {
	dst = append(dst, keyPage)
	dst = append(dst, record...)
	dst = append(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(end))
	return binary.BigEndian.AppendUint32(dst, number)
}

func appendRankedKey(dst []byte, ended bool, exposure int64, id string) []byte {
	dst = append(dst, keyRanked, 0)
	if ended {
		dst[len(dst)-1] = 1
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(math.MaxInt64-exposure))
	return append(dst, id...)
}

// idOfRankedKey returns the exception id in a ranked key.
func idOfRankedKey(key []byte) string { return string(key[1+1+8:]) }
