package faultsim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/holdfast-atp/holdfast/state"
	"github.com/holdfast-atp/holdfast/stream"
)

// owner is a process that owns a partition, or believes so: a worker without its goroutine.
type owner struct {
	world     *world
	partition int
	disk      *disk

	// While it is up.
	folder    *state.Folder
	db        *state.DB
	applied   *stream.Partition
	publisher *stream.Publisher
	fetch     stream.Fetch

	at       state.Position // that it began from, or has come to
	lossSeen bool           // it stands still, as it has to: its log lost what it applied
}

const folderDir = "state"

// quiet takes what is logged: a full disk is no news here.
var quiet = slog.New(slog.DiscardHandler)

func openFolder(fs vfs.FS, diskFull func()) (*state.Folder, error) {
	return state.OpenFolder(folderDir, state.Options{
		Partitions: partitionsMax, Prefix: topology.Prefix, CacheBytes: 1 << 20, FS: fs,
		DiskFull: diskFull, Log: quiet,
	})
}

func (o *owner) up() bool { return o.applied != nil }

// start takes the partition up where the disk has it. A disk that fails is tried again later.
func (o *owner) start() error {
	err := o.open()
	if err == nil {
		return nil
	}
	if down := o.close(); down != nil {
		return down
	}
	return o.excuse(err)
}

// excuse returns nil for an error that had to come.
func (o *owner) excuse(err error) error {
	switch {
	case errors.Is(err, errDisk):
		return nil
	case errors.Is(err, stream.ErrLogDiffers) && (lost(o.at, o.world.logs[o.partition]) || o.world.orphaned(o.partition)):
		o.lossSeen = true
		return nil
	}
	return fmt.Errorf("partition %d: %w", o.partition, err)
}

func (o *owner) open() (err error) {
	if o.folder, err = openFolder(files{o.disk.mem, o.disk}, o.disk.awaitSpace); err != nil {
		return err
	}
	if o.db, err = o.folder.OpenPartition(o.partition); err != nil {
		return err
	}
	if o.at, _, err = o.db.Position(); err != nil {
		return err
	}
	config := o.world.partitionConfig(o.partition)
	config.Log = o.world.mutant.log(o.world.logs[o.partition])
	config.Speak = func(ctx context.Context, from stream.From) (stream.Speaker, error) {
		o.publisher, err = stream.NewPublisher(ctx, stream.PublisherConfig{
			Topology: topology, Partition: o.partition, Streams: o.world.outputLog,
			GroupMax: o.world.plan.groupMax, Log: quiet, Now: o.world.mutant.now(&o.world.clock),
		}, from)
		return o.world.mutant.speaker(o.publisher), err
	}
	if o.applied, err = stream.OpenPartition(context.Background(), config, o.world.mutant.store(o, store{o.db, o.disk})); err != nil {
		o.applied = nil
		return err
	}
	return o.begins()
}

// goesOn returns an error where the log is not the one that the state was made from, and nobody noticed.
func (o *owner) goesOn() error {
	if lost(o.at, o.world.logs[o.partition]) {
		return fmt.Errorf("it goes on at %d, though the log has lost what it applied", o.at.Sequence)
	}
	return nil
}

// begins is goesOn for one that has just started: it has looked at what was said, too.
func (o *owner) begins() error {
	if o.world.orphaned(o.partition) {
		return fmt.Errorf("it begins at %d, though something was said about what the log has lost", o.at.Sequence)
	}
	return o.goesOn()
}

// startAfresh makes an owner whose log was rewritten begin from the log's start, without its state, and takes back what
// was said about what is lost: the way out that the error names.
func (o *owner) startAfresh() error {
	o.lossSeen, o.disk = false, newDisk(vfs.NewCrashableMem())
	return errors.Join(o.world.takeBack(o.partition), o.start())
}

// close lets go of all that open opened. What is committed gets to the disk with it, as the DB's Close flushes.
func (o *owner) close() error {
	o.disk.mend()
	var errs []error
	if o.applied != nil {
		errs = append(errs, o.applied.Close())
	}
	if o.db != nil {
		errs = append(errs, o.db.Close())
	}
	if o.folder != nil {
		errs = append(errs, o.folder.Close())
	}
	o.applied, o.db, o.folder, o.publisher = nil, nil, nil, nil
	return errors.Join(errs...)
}

// crash takes the process away. What is left on the disk is all that was synced, and a share of the rest.
func (o *owner) crash(unsyncedPercent int) error {
	left := o.disk.after(unsyncedPercent, o.world.rng)
	err := o.close() // writes to the disk that is no more
	o.disk = left
	return err
}

// failed is what becomes of an owner whose partition gave an error: it ends as a worker does that stops.
func (o *owner) failed(err error) error {
	return errors.Join(o.excuse(err), o.close())
}

// apply reads up to n messages and applies them.
func (o *owner) apply(n int) error {
	if !o.world.logs[o.partition].read(&o.fetch, o.applied.Position().Whole(), n) {
		return nil
	}
	o.world.mutant.decoded(o, &o.fetch)
	err := o.applied.Apply(context.Background(), &o.fetch)
	spoil(&o.fetch)
	if err != nil {
		return o.failed(err)
	}
	o.at = o.applied.Position()
	return nil
}

func (o *owner) commit() error {
	if err := o.applied.Commit(); err != nil {
		return o.failed(err)
	}
	return o.world.checkCommitted(o)
}

// begin begins a batch, which advance gets into the store while more is applied.
func (o *owner) begin() error {
	if o.applied.Underway() {
		return nil
	}
	if err := o.applied.Begin(); err != nil {
		return o.failed(err)
	}
	return nil
}

func (o *owner) advance(values int) error {
	underway := o.applied.Underway()
	if err := o.applied.Step(values); err != nil {
		return o.failed(err)
	}
	if underway && !o.applied.Underway() {
		return o.world.checkCommitted(o)
	}
	return nil
}

// look is what a reader does that lost its consumer: it compares what it read last with the log.
func (o *owner) look() error {
	if o.at.Sequence == 0 {
		return nil
	}
	if err := stream.CheckLog(context.Background(), o.world.mutant.log(o.world.logs[o.partition]), topology, o.partition, &o.at); err != nil {
		return o.failed(err)
	}
	return o.goesOn()
}
