package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/internal/wire"
)

// formats are the formats of the values that this program reads, by the first byte of their keys.
var formats = []struct {
	prefix byte
	what   string
	format uint64
}{
	{keyRecord, "records", formatRecord},
	{keyNetwork, "networks", formatNetwork},
	{keyPlace, "places", formatPlace},
	{keyWeek, "weeks", formatWeek},
	{keyTimeline, "timelines", formatTimeline},
	{keyPage, "pages", formatPage},
	{keySource, "sources", formatSource},
	{keyChannel, "channels", formatChannel},
	{keyGuard, "guards", formatGuard},
	{keyItem, "items", formatItem},
	{keySite, "sites", formatSite},
	{keyPolicy, "policy", formatPolicy},
	{keyMeta, "meta", formatMeta},
	{keyPace, "pace", formatPace},
	{keyFlushes, "flushes", formatFlushes},
}

// CheckFormats looks at the first value of each kind that a store has, calls seen with the first byte of its key, and says which
// kind has a format that this program does not read. A partition that it has nothing against may still hold
// others: what is read later is checked then.
func CheckFormats(store Store, seen func(prefix byte)) error {
	for _, f := range formats {
		var bad error
		err := store.Scan([]byte{f.prefix}, []byte{f.prefix + 1}, func(_, value []byte) bool {
			seen(f.prefix)
			r := wire.NewReader(value)
			r.Version(f.format)
			if r.Failed() {
				r.Rest()
				bad = fmt.Errorf("its %s: %w", f.what, r.Done())
			}
			return false
		})
		if err == nil {
			err = bad
		}
		if err != nil {
			return err
		}
	}
	return nil
}
