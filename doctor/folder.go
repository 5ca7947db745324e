package doctor

import (
	"errors"
	"io/fs"

	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/state"
)

// The ways out that more than one check names.
const (
	restartElsewhere = "name the right folder with --data, or start holdfast: it builds the state from the log"
	takeBack         = "holdfast doctor --repair takes back what was said about the messages that were lost; then publish those again"
	rebuild          = "holdfast doctor --repair moves its folder aside, and the next start builds it from the log"
	restoreLog       = "restore the stream from a backup or a replica; the state is whole as far as it goes, so keep its folder: it can't be built from this log"
	restore          = "restore the streams from a backup; to go on with what the log still has instead, move the partition's folder away and purge nothing"
)

// spaceLeast is what Pebble and JetStream want to be able to compact.
const spaceLeast = 1 << 30

func (e *examination) space() {
	free, known := freeBytes(e.StateDir)
	switch {
	case !known:
		e.add("space", e.StateDir, Skipped, "", "the free space is not known")
	case free < spaceLeast:
		e.add("space", e.StateDir, Warning, "make room, or shorten --retention: a full disk stops the partitions", "%d MiB are free", free>>20)
	default:
		e.add("space", e.StateDir, OK, "", "%d GiB are free", free>>30)
	}
}

// folder looks at the data folder, and into the files of each partition.
func (e *examination) folder() {
	inspector, err := inspect(&e.Config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.add("folder", e.StateDir, Warning, restartElsewhere, "there is no state")
		for p := range e.parts {
			e.parts[p].absent = true
		}
		return
	case errors.Is(err, state.ErrLocked):
		e.add("folder", e.StateDir, Skipped, "stop it to have its files looked at", "a holdfast runs on it")
		return
	case err != nil:
		e.add("folder", e.StateDir, Failed, "start with the numbers that it was made with, or with another folder", "%v", err)
		return
	}
	e.add("folder", e.StateDir, OK, "", "%d partitions of %q, nobody runs on it", e.Topology.Partitions, e.Topology.Prefix)
	for p := range e.parts {
		e.files(inspector, p)
	}
	if err := inspector.Close(); err != nil {
		e.add("folder", e.StateDir, Failed, "", "%v", err)
	}
}

// files reads a partition.
func (e *examination) files(inspector *state.Inspector, p int) {
	read, err := e.read(inspector, p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.parts[p].absent = true
		e.addPart(p, "files", Warning, "", "it has none yet; the next start builds them from the log")
	case err != nil:
		e.addPart(p, "files", Failed, rebuild, "%v", err)
		e.report.Findings[len(e.report.Findings)-1].Rebuild = true
	default:
		e.addPart(p, "files", OK, "", "%d KiB read, all as written", read>>10)
	}
}

func (e *examination) read(inspector *state.Inspector, p int) (read int64, err error) {
	files, err := inspector.Partition(p)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if read, err = files.Read(e.SampleBytes); err != nil {
		return read, err
	}
	at := &e.parts[p]
	position, known, err := files.Position()
	if err != nil {
		return read, err
	}
	if known {
		at.position = &position
	}
	if at.status, err = engine.ReadStatus(files); err != nil {
		return read, err
	}
	if at.said, err = engine.ReadOrdinal(files); err != nil {
		return read, err
	}
	if err := engine.CheckFormats(files, func(byte) {}); err != nil {
		return read, err
	}
	at.stored = at.said
	err = files.Outputs(func(ordinal uint64, _ []byte) bool {
		if at.waiting == 0 {
			at.stored = ordinal - 1
		}
		at.waiting++
		return true
	})
	at.open = err == nil
	return read, err
}
