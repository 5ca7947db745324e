package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/internal/golden"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// start is the event time of the golden folder's first delta.
const start inventory.Millis = 1_764_000_000_000

func goldenOptions() state.Options {
	options := state.Options{Partitions: 1, Prefix: "holdfast", CacheBytes: 1 << 20}
	for _, prefix := range engine.LaidOutByBatch() {
		options.DigestSkip = append(options.DigestSkip, []byte{prefix})
	}
	return options
}

// goldenLog is what the golden folder was made of: stock, a ring-fence, reservations of which one waits to lapse,
// inbound and a transfer, more movements than a record holds, holds, and what was rejected.
func goldenLog() (log []inventory.Delta) {
	add := func(kind inventory.Kind, minute int, q int64, set func(*inventory.Delta)) {
		d := inventory.Delta{
			Kind: kind, ID: fmt.Sprint(len(log)), Source: "pos", SKU: "tea", Location: "leeds", Channel: "web", Ref: "o-1",
			Quantity: q, Time: start + inventory.Millis(minute)*inventory.Minute, Price: 499,
		}
		if set != nil {
			set(&d)
		}
		log = append(log, d)
	}
	add(inventory.Count, 0, 90, nil)
	add(inventory.Allocate, 1, 5, nil)
	add(inventory.Reserve, 2, 4, func(d *inventory.Delta) { d.Due = start + 10*inventory.Hour })
	add(inventory.ASN, 3, 20, func(d *inventory.Delta) { d.Ref, d.Due = "po-1", start+inventory.Day })
	add(inventory.TransferOut, 4, 3, func(d *inventory.Delta) { d.Ref, d.Counterparty = "t-1", "york" })
	for i := range 120 {
		add(inventory.Sale, 5+i, 1, func(d *inventory.Delta) { d.Channel = []string{"web", "amazon", "store"}[i%3] })
	}
	add(inventory.Sale, -3000, 1, nil)
	add(inventory.PickFailed, 130, 1, nil)
	add(inventory.Tick, 131, 0, func(d *inventory.Delta) { d.SKU, d.Location = "", "" })
	return log
}

// writeGolden makes the golden folder anew.
func writeGolden(t *testing.T, dir string) {
	t.Helper()
	folder, err := state.OpenFolder(filepath.Join(dir, "state"), goldenOptions())
	must(t, err)
	db, err := folder.OpenPartition(0)
	must(t, err)
	e, err := engine.New(engine.Config{}, db)
	must(t, err)
	log := goldenLog()
	for i := range log {
		_, err := e.Apply(engine.At{Sequence: uint64(i) + 1, LogTime: log[i].Time + inventory.Day}, &log[i])
		must(t, err)
		if i%50 == 0 || i == len(log)-1 {
			b := db.NewBatch()
			must(t, e.Flush(b))
			must(t, b.SetPosition(state.Position{Sequence: uint64(i) + 1, Fingerprint: 1, LogTime: log[i].Time}))
			must(t, b.PutOutput(uint64(i)+1, []byte("said")))
			must(t, db.Commit(b))
			must(t, b.Close())
			e.Committed()
		}
	}
	digest, err := db.Digest()
	must(t, err)
	must(t, db.Close())
	must(t, folder.Close())
	must(t, os.WriteFile(filepath.Join(dir, "DIGEST"), []byte(digest+"\n"), 0o644))
}

// TestTheGoldenFolderOpens: a folder as a release of this format leaves it behind has the digest that it had, and is gone on
// with: its ids are known, its stock is what it was, and its timers fire. A change of formats makes it unreadable; then it is
// replaced (delete it, go test -update), and the changelog says that older folders are refused.
func TestTheGoldenFolderOpens(t *testing.T) {
	kept := filepath.Join("testdata", "folder")
	if _, err := os.Stat(kept); errors.Is(err, fs.ErrNotExist) && golden.Updating() {
		writeGolden(t, kept)
	}
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(kept)))
	want, err := os.ReadFile(filepath.Join(dir, "DIGEST"))
	must(t, err)

	folder, err := state.OpenFolder(filepath.Join(dir, "state"), goldenOptions())
	must(t, err)
	db, err := folder.OpenPartition(0)
	must(t, err)
	if digest, err := db.Digest(); err != nil || digest+"\n" != string(want) {
		t.Errorf("the digest is %s, %v; it was %s", digest, err, want)
	}
	log := goldenLog()
	position, known, err := db.Position()
	if position.Sequence != uint64(len(log)) || !known || err != nil {
		t.Errorf("the position is %+v, %v, %v", position, known, err)
	}

	e, err := engine.New(engine.Config{}, db)
	must(t, err)
	sequence := position.Sequence
	apply := func(d inventory.Delta) engine.Outcome {
		sequence++
		r, err := e.Apply(engine.At{Sequence: sequence, LogTime: d.Time + inventory.Day}, &d)
		must(t, err)
		return r.Outcome
	}
	for _, d := range log[:20] {
		if got := apply(d); got != engine.Duplicate {
			t.Errorf("delta %s once more is %s", d.ID, got)
		}
	}
	standing := func(onHand, reserved int64) {
		t.Helper()
		b := db.NewBatch()
		must(t, e.Flush(b))
		must(t, db.Commit(b))
		must(t, b.Close())
		e.Committed()
		a, found, err := engine.ReadKey(db, "tea", "leeds")
		if err != nil || !found || a.OnHand != onHand || a.Reserved != reserved || a.Inbound != 20 {
			t.Errorf("it has %+v, %v; want %d on hand and %d reserved", a.Quantities, err, onHand, reserved)
		}
	}
	standing(90-3-120, 4)
	apply(inventory.Delta{Kind: inventory.Tick, ID: "later", Source: "pos", Time: start + 11*inventory.Hour})
	standing(90-3-120, 0)
	late := log[0]
	late.ID, late.Time, late.Quantity = "recount", start+30*inventory.Minute, 200
	apply(late)
	standing(200-95, 0)
	must(t, db.Close())
	must(t, folder.Close())

	var spaces int
	inspector, err := state.Inspect(filepath.Join(dir, "state"), goldenOptions())
	must(t, err)
	files, err := inspector.Partition(0)
	must(t, err)
	must(t, engine.CheckFormats(files, func(byte) { spaces++ }))
	if spaces < 8 {
		t.Errorf("the folder has something of %d kinds, want nearly all", spaces)
	}
	must(t, files.Close())
	must(t, inspector.Close())
}
