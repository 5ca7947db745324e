package console

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
)

// The errors by which a Backend tells the server what to answer. They may be
// wrapped; any other error is answered with 500 (503 for Ingest) and logged.
var (
	// ErrNotFound: there is no such SKU, key, exception or partition (404).
	ErrNotFound = errors.New("not found")
	// ErrBadCursor: the cursor is not one that this Backend gave out (400).
	ErrBadCursor = errors.New("cursor is not one of ours")
	// ErrUnavailable: it can't be answered now, but likely soon (503, Retry-After).
	ErrUnavailable = errors.New("unavailable")
)

// Backend is all that the server asks of the rest of holdfast. Its methods are
// called from many goroutines at once; each returns soon after ctx ends, with
// ctx's error.
type Backend interface {
	// Ingest stores deltas, each of which is valid, and returns once JetStream has
	// acknowledged every one of them; duplicates counts those that it knew already.
	// On an error any part of them may be stored or not. The slice and the strings in it are the
	// caller's: whatever is kept after returning must be cloned.
	Ingest(ctx context.Context, deltas []inventory.Delta) (duplicates int, err error)

	// SKU answers for every location of a SKU. ErrNotFound where none is known.
	SKU(ctx context.Context, sku string) (inventory.SKUAvailability, error)

	// Location answers for one key. ErrNotFound where it is not known.
	Location(ctx context.Context, sku, location string) (inventory.LocationAvailability, error)

	// WaitPosition returns once partition has applied its message sequence.
	// ErrNotFound where there is no such partition; ctx bounds the waiting.
	WaitPosition(ctx context.Context, partition int, sequence uint64) error

	// Directives returns up to page.Limit commands in force that pass the filter,
	// in an order of the Backend's own that stays the same from page to page, and the cursor of
	// the next page, "" after the last. ErrBadCursor.
	Directives(ctx context.Context, filter DirectiveFilter, page Page) (commands []inventory.Command, next string, err error)

	// Exceptions returns up to page.Limit exceptions that pass the filter, those
	// with the greatest exposure first, and the cursor of the next page, "" after the last. ErrBadCursor.
	Exceptions(ctx context.Context, filter ExceptionFilter, page Page) (exceptions []inventory.Exception, next string, err error)

	// Exception returns the exception of that id. ErrNotFound.
	Exception(ctx context.Context, id string) (inventory.Exception, error)

	// Policy says which policy is in force.
	Policy(ctx context.Context) (PolicyInForce, error)

	// SetMaster puts master data, which are valid, through the log, and returns once they are applied. On an error a part of
	// them may be known.
	SetMaster(ctx context.Context, by string, m *inventory.Master) error

	// Item returns what master data say of a SKU. ErrNotFound where they say nothing.
	Item(ctx context.Context, sku string) (inventory.Item, error)

	// Risks calls yield for every key at which more may be promised within a window than can be found, in any order, and returns the window: that
	// of the policy in force where the one given is 0. What yield is given is its own.
	Risks(ctx context.Context, window inventory.Millis, yield func(*inventory.Risk)) (inventory.Millis, error)

	// Explain looks a decision up by the id of a command, an exception or the decision itself. ErrNotFound.
	Explain(ctx context.Context, id string) (inventory.Explanation, error)

	// Decide puts a person's decision about an exception through the log, and returns the exception as it stands once that
	// is applied; done says whether the decision changed it: if not, its status did not fit. ErrNotFound.
	Decide(ctx context.Context, by string, d control.Decision) (e inventory.Exception, done bool, err error)

	// LastCommand returns the stream sequence of the newest command; 0 where there
	// was never one.
	LastCommand(ctx context.Context) (uint64, error)

	// Commands opens the stream of commands behind the sequence after; where the
	// stream no longer holds that far back, it starts at the oldest that is left.
	// The caller closes it.
	Commands(ctx context.Context, after uint64) (CommandStream, error)

	// Overview says how the partitions stand. It is asked every few seconds by each
	// open console and by /readyz, so it should cost little.
	Overview(ctx context.Context) (Overview, error)
}

// CommandStream hands out commands one by one, for one goroutine. It holds a
// bounded number of commands ahead of its reader, or none.
type CommandStream interface {
	// Next waits for the next command and returns it with its stream sequence, which
	// rises from call to call. When ctx ends first it returns ctx's error and loses
	// nothing: Next may be called again. Any other error is final.
	Next(ctx context.Context) (sequence uint64, command inventory.Command, err error)

	// Close lets go of what the stream holds. No Next is running by then.
	Close()
}

// Page asks for one page of a list.
type Page struct {
	Cursor string // as the page before gave it; "" for the first
	Limit  int    // 1 to pageLimitMax
}

// DirectiveFilter selects commands in force. An empty field lets all pass.
type DirectiveFilter struct {
	Channel  string
	SKU      string
	Location string // inventory.Network for commands that bind the whole network
	Action   inventory.Action
}

// Match reports whether c passes.
func (f *DirectiveFilter) Match(c *inventory.Command) bool {
	return (f.Channel == "" || f.Channel == c.Channel) &&
		(f.SKU == "" || f.SKU == c.SKU) &&
		(f.Location == "" || f.Location == c.Location) &&
		(f.Action == "" || f.Action == c.Action)
}

// ExceptionFilter selects exceptions. An empty field lets all pass.
type ExceptionFilter struct {
	Statuses []inventory.Status // any of these
	Class    inventory.Class
	SKU      string
	Location string // inventory.Network for those of the whole network
}

// Match reports whether e passes.
func (f *ExceptionFilter) Match(e *inventory.Exception) bool {
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, e.Status)) &&
		(f.Class == "" || f.Class == e.Class) &&
		(f.SKU == "" || f.SKU == e.SKU) &&
		(f.Location == "" || f.Location == e.Location)
}

// PolicyInForce is the policy by which partitions decide. While one takes effect they may have two.
type PolicyInForce struct {
	Version    string            `json:"version"` // of the first partition
	Text       string            `json:"text"`    // its YAML
	Partitions []PartitionPolicy `json:"partitions"`
}

// PartitionPolicy is the version of a partition's policy.
type PartitionPolicy struct {
	Partition int    `json:"partition"`
	Version   string `json:"version"`
}

// Overview is how holdfast stands, at a glance.
type Overview struct {
	Partitions []PartitionOverview `json:"partitions"` // those owned here, by number

	OpenExceptions   int   `json:"open_exceptions"`   // neither resolved nor dismissed
	UntoldExceptions int   `json:"untold_exceptions"` // not in the stream of exceptions yet, for too many opened at once
	Exposure         int64 `json:"exposure"`          // of those that are open together, minor units
	Directives       int   `json:"directives"`        // holds and throttles in force
	Guarded          int   `json:"guarded"`           // channels on which a guard of the policy has stopped acting, each in each partition
}

// Ready reports whether every partition has caught up and none is in trouble; without a partition
// there is nothing to be ready with.
func (o *Overview) Ready() bool {
	for i := range o.Partitions {
		if !o.Partitions[i].CaughtUp || o.Partitions[i].Error != "" {
			return false
		}
	}
	return len(o.Partitions) > 0
}

// PartitionOverview is how one partition stands. The counters count deltas since the
// process started: read = applied + duplicates + rejected.
type PartitionOverview struct {
	inventory.Position
	Lag        uint64 `json:"lag"`             // messages in the stream that are not applied yet
	CaughtUp   bool   `json:"caught_up"`       // has reached what was the stream's end when it started
	Error      string `json:"error,omitempty"` // why it stands still; "" where it does not
	Applied    uint64 `json:"applied"`
	Duplicates uint64 `json:"duplicates"`
	Rejected   uint64 `json:"rejected"`
}
