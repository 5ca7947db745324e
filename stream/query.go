package stream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-atp/holdfast/codec"
	"github.com/holdfast-atp/holdfast/engine"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/state"
)

// The errors by which questions fail that are nobody's fault.
var (
	ErrNotFound  = errors.New("not found")
	ErrBadCursor = errors.New("cursor is not one of ours")
)

// Partitions is the number of partitions.
func (p *Processor) Partitions() int { return len(p.slots) }

// SKU answers for every location of a SKU as of a moment ago.
// ErrNotFound where no delta has named it.
func (p *Processor) SKU(sku string) (all inventory.SKUAvailability, err error) {
	err = p.readFresh(codec.Partition(sku, len(p.slots)), func(s *state.Snapshot, at inventory.Position) (bool, error) {
		found, ok, err := engine.ReadSKU(s, sku)
		all, all.Position = found, at
		return ok, err
	})
	return all, err
}

// Location answers for one key as of the partition's last commit. ErrNotFound where
// no delta has named it.
func (p *Processor) Location(sku, location string) (one inventory.LocationAvailability, err error) {
	err = p.readFresh(codec.Partition(sku, len(p.slots)), func(s *state.Snapshot, at inventory.Position) (bool, error) {
		found, ok, err := engine.ReadKey(s, sku, location)
		one = inventory.LocationAvailability{Availability: found, Position: at}
		return ok, err
	})
	return one, err
}

// Watermark returns the event time of a partition as of its last commit.
func (p *Processor) Watermark(partition int) inventory.Millis {
	status, _, _ := p.slots[partition].progress.get()
	return status.Watermark
}

// Exception returns the exception of that id. ErrNotFound.
func (p *Processor) Exception(id string) (x inventory.Exception, err error) {
	p.freshen()
	for i := range p.slots {
		if p.slots[i].db == nil {
			continue
		}
		err = p.read(i, func(s *state.Snapshot, _ inventory.Position) (ok bool, err error) {
			x, ok, err = engine.ReadException(s, id)
			return ok, err
		})
		if !errors.Is(err, ErrNotFound) {
			return x, err
		}
	}
	return x, fmt.Errorf("exception %q: %w", id, ErrNotFound)
}

// Exceptions returns up to limit exceptions that match, those that stand before those
// that ended, then the greater exposure first; next is the cursor of the next page, "" after the
// last. ErrBadCursor.
func (p *Processor) Exceptions(cursor string, limit int, match func(*inventory.Exception) bool) (page []inventory.Exception, next string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, "", ErrBadCursor
	}
	type ranked struct {
		rank      engine.Rank
		exception inventory.Exception
	}
	var all []ranked
	p.freshen()
	for i := range p.slots {
		if p.slots[i].db == nil {
			continue // it could not be opened; its status says so
		}
		err := p.read(i, func(s *state.Snapshot, _ inventory.Position) (bool, error) {
			taken := 0
			return true, engine.ReadExceptions(s, engine.Rank(after), func(rank engine.Rank, x *inventory.Exception) bool {
				if match(x) {
					all = append(all, ranked{rank, *x})
					taken++
				}
				return taken <= limit // one more shows that there is a next page
			})
		})
		if err != nil {
			return nil, "", err
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if a.rank < b.rank {
			return -1
		}
		return 1 // never equal: a rank ends in the exception's id
	})
	if len(all) > limit {
		all = all[:limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(all[limit-1].rank))
	}
	for i := range all {
		page = append(page, all[i].exception)
	}
	return page, next, nil
}

// freshen is [progress.fresh] for all partitions, which takes openMin at most, however many are busy.
func (p *Processor) freshen() {
	patience, cancel := context.WithTimeout(context.Background(), openMin)
	defer cancel()
	for i := range p.slots {
		p.slots[i].progress.ask()
	}
	for i := range p.slots {
		p.slots[i].progress.fresh(patience)
	}
}

// readFresh is read of what was applied a moment ago, for which it waits openMin at most.
func (p *Processor) readFresh(partition int, fn func(*state.Snapshot, inventory.Position) (bool, error)) error {
	patience, cancel := context.WithTimeout(context.Background(), openMin)
	defer cancel()
	p.slots[partition].progress.fresh(patience)
	return p.read(partition, fn)
}

// read calls fn with a snapshot of a partition and its position. Where fn says that it
// found nothing, read fails with ErrNotFound.
func (p *Processor) read(partition int, fn func(*state.Snapshot, inventory.Position) (bool, error)) error {
	db := p.slots[partition].db
	if db == nil {
		_, _, err := p.slots[partition].progress.get()
		return err
	}
	s, err := db.Snapshot()
	if err != nil {
		return err
	}
	found, err := func() (bool, error) {
		status, err := engine.ReadStatus(s)
		if err != nil {
			return false, err
		}
		at, _, err := s.Position()
		if err != nil {
			return false, err
		}
		return fn(s, inventory.Position{Partition: partition, Sequence: at.Whole(), EventTime: status.Watermark})
	}()
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if !found {
		return ErrNotFound
	}
	return nil
}

// WaitPosition returns once partition has committed its message sequence. ErrNotFound
// where there is no such partition, the partition's own error where it stands still.
func (p *Processor) WaitPosition(ctx context.Context, partition int, sequence uint64) error {
	if partition < 0 || partition >= len(p.slots) {
		return fmt.Errorf("partition %d of %d: %w", partition, len(p.slots), ErrNotFound)
	}
	return p.slots[partition].progress.wait(ctx, func(at *progress) bool { return at.status.Sequence >= sequence })
}

// CatchUp returns once every partition has committed all that its log holds now, or with
// the error of one that stands still.
func (p *Processor) CatchUp(ctx context.Context) error {
	p.log.forget()
	ends, err := p.log.read(ctx)
	if err != nil {
		return err
	}
	for i, end := range ends {
		if err := p.WaitPosition(ctx, i, end); err != nil {
			return err
		}
	}
	return nil
}

// Settle is CatchUp, and returns only once all that was said about it is in the streams.
func (p *Processor) Settle(ctx context.Context) error {
	if err := p.CatchUp(ctx); err != nil {
		return err
	}
	for i := range p.slots {
		if err := p.slots[i].publisher.Wait(ctx, p.slots[i].progress.lastSaid()); err != nil {
			return fmt.Errorf("partition %d: %w", i, err)
		}
	}
	return nil
}

// PartitionStatus is how one partition stands.
type PartitionStatus struct {
	engine.Status
	Lag      uint64 // messages in the log that are not applied yet
	CaughtUp bool   // has applied what the log held at the start
	Err      error  // why it stands still, or nothing of it gets to the disk; nil where neither is so
	Tally    Tally  // since the process started
	State    state.Metrics
}

// Status says how every partition stands, by number. It asks the broker how long the
// logs are at most once a second.
func (p *Processor) Status(ctx context.Context) ([]PartitionStatus, error) {
	ends, err := p.log.read(ctx)
	if err != nil {
		return nil, err
	}
	p.freshen()
	all := make([]PartitionStatus, len(p.slots))
	for i := range p.slots {
		s := &all[i]
		s.Status, s.CaughtUp, s.Err = p.slots[i].progress.get()
		s.Tally = p.slots[i].tally.read()
		if db := p.slots[i].db; db != nil {
			s.State = db.Metrics()
			if s.Err == nil {
				s.Err = db.Trouble()
			}
		}
		if end := ends[i]; end > s.Sequence {
			s.Lag = end - s.Sequence
		}
	}
	return all, nil
}

// Tally adds up what all partitions did since the process started.
func (p *Processor) Tally() Tally {
	all := newTally()
	for i := range p.slots {
		t := p.slots[i].tally.read()
		all.Add(&t)
	}
	return all
}

// Digests returns the digest of each partition's state.
func (p *Processor) Digests() ([]string, error) {
	p.freshen()
	all := make([]string, len(p.slots))
	for i := range p.slots {
		err := p.read(i, func(s *state.Snapshot, _ inventory.Position) (_ bool, err error) {
			all[i], err = s.Digest()
			return true, err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// logEndsMaxAge is how old the answer about the logs' ends may be.
const logEndsMaxAge = time.Second

// logEnds knows the last sequence of each partition's log, not older than logEndsMaxAge.
type logEnds struct {
	js       jetstream.JetStream
	topology Topology

	mu   sync.Mutex
	at   time.Time
	last []uint64
}

// forget makes the next answer a new one.
func (l *logEnds) forget() {
	l.mu.Lock()
	l.last = nil
	l.mu.Unlock()
}

func (l *logEnds) read(ctx context.Context) ([]uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && time.Since(l.at) < logEndsMaxAge {
		return l.last, nil
	}
	byName := make(map[string]uint64, l.topology.Partitions)
	streams := l.js.ListStreams(ctx, jetstream.WithStreamListSubject(l.topology.Prefix+".delta.>"))
	for info := range streams.Info() {
		byName[info.Config.Name] = info.State.LastSeq
	}
	if err := streams.Err(); err != nil {
		return nil, fmt.Errorf("ask how long the logs are: %w", err)
	}
	last := make([]uint64, l.topology.Partitions)
	for p := range last {
		last[p] = byName[l.topology.DeltaStream(p)]
	}
	l.at, l.last = time.Now(), last
	return last, nil
}
