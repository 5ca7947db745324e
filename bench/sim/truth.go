package sim

import "github.com/holdfast-atp/holdfast/inventory"

// Episode is something wrong, from when it began to be so to when it ended: what an exception of its
// class should say.
type Episode struct {
	Class    inventory.Class `json:"class"`
	Cause    FaultKind       `json:"cause,omitempty"` // the latest fault at its key before it began; "": none, it is trade's own
	SKU      string          `json:"sku,omitempty"`   // "": all there
	Location string          `json:"location"`
	Channel  string          `json:"channel,omitempty"` // "": all, or none; an oversell with one: it shows what the books don't have
	Source   string          `json:"source,omitempty"`  // whose feed it is about
	Ref      string          `json:"ref,omitempty"`

	Begin inventory.Millis `json:"begin"`
	End   inventory.Millis `json:"end,omitzero"` // 0: it goes on

	// Order is when the first order was taken that should not have been, of an oversell; 0: none was.
	Order inventory.Millis `json:"order,omitzero"`
	Units int64            `json:"units"` // on record when it began

	// Minor: it is so, but too little or too short for anybody to have to find it.
	Minor bool `json:"minor,omitempty"`
}

// Totals are what came of trade so far, in units, and what was shown and kept back, in unit-hours over
// all channels.
type Totals struct {
	Wanted, Sold, Lost                     int64 // over the counter; lost: nothing was there
	OnlineWanted, OnlineRefused, Ordered   int64 // refused: no place showed as many
	Shipped, Cancelled, Withdrawn          int64 // of those ordered; withdrawn: by the customer
	OversoldRaced, OversoldUnfound         int64 // cancelled as there were not as many: the books knew, or did not
	Shrunk, SoldValue, ShrunkValue, Counts int64 // value in minor units

	Sellable    float64 // what was on the books, and there, for a channel to sell
	Held        float64 // what of the books commands or the buffer kept from it
	WronglyHeld float64 // what of that was there

	// Books is for how many hours a channel could have been shown so many units by the books; the last: or more.
	Books [BooksMax + 1]float64
}

// BooksMax is from how many units on Totals.Books tells no more apart.
const BooksMax = 63

// Minus returns what came of trade since t was earlier.
func (t Totals) Minus(earlier *Totals) Totals {
	for _, f := range []func(*Totals) *int64{
		func(t *Totals) *int64 { return &t.Wanted }, func(t *Totals) *int64 { return &t.Sold }, func(t *Totals) *int64 { return &t.Lost },
		func(t *Totals) *int64 { return &t.OnlineWanted }, func(t *Totals) *int64 { return &t.OnlineRefused }, func(t *Totals) *int64 { return &t.Ordered },
		func(t *Totals) *int64 { return &t.Shipped }, func(t *Totals) *int64 { return &t.Cancelled },
		func(t *Totals) *int64 { return &t.Withdrawn },
		func(t *Totals) *int64 { return &t.OversoldRaced }, func(t *Totals) *int64 { return &t.OversoldUnfound },
		func(t *Totals) *int64 { return &t.Shrunk }, func(t *Totals) *int64 { return &t.SoldValue },
		func(t *Totals) *int64 { return &t.ShrunkValue }, func(t *Totals) *int64 { return &t.Counts },
	} {
		*f(&t) -= *f(earlier)
	}
	t.Sellable -= earlier.Sellable
	t.Held -= earlier.Held
	t.WronglyHeld -= earlier.WronglyHeld
	for i := range t.Books {
		t.Books[i] -= earlier.Books[i]
	}
	return t
}

// Oversold is how many units were sold that were not there.
func (t *Totals) Oversold() int64 { return t.OversoldRaced + t.OversoldUnfound }

// Totals returns what came of trade so far.
func (s *Sim) Totals() Totals {
	t := s.totals
	for _, sh := range s.shelves { // what runs still
		sh.truth.account(&t, s.now, false)
	}
	return t
}

// Episodes returns what has been wrong so far, by when it began to be noted. The slice is the Sim's own.
func (s *Sim) Episodes() []*Episode { return s.episodes }

// shelfTruth is what of the truth is followed at a shelf.
type shelfTruth struct {
	latest   FaultKind
	wanted   float64    // demand events to be expected since the start
	phantom  *Episode   // what is promised is not there; nil: some is
	oversold []*Episode // by channel: it shows what is not there by the books
	stale    []stale    // by channel: it stands still, and shows more than it may
	short    *Episode   // more is promised by the books than there is, by all channels or by one of them
	soldOut  *Episode   // it is promoted, and all that there is is promised
	isShort  bool       // more is promised than there is, by what is there or by the books
	unfilled int        // how often orders were taken, or promises became such, that could not be filled by what was there
	lot      *Episode   // much of what was sold came back, and is not sorted out

	since                       inventory.Millis // the rates below have held since
	sellable, held, wronglyHeld int64            // units over all channels
	books                       []int            // by channel, BooksMax at most
}

func (t *shelfTruth) begin(channels int, at inventory.Millis) {
	t.oversold, t.stale = make([]*Episode, channels), make([]stale, channels)
	t.books = make([]int, channels)
	t.since = at
}

// account adds the unit-hours up to a time.
func (t *shelfTruth) account(to *Totals, at inventory.Millis, note bool) {
	hours := float64(at-t.since) / float64(inventory.Hour)
	to.Sellable += hours * float64(t.sellable)
	to.Held += hours * float64(t.held)
	to.WronglyHeld += hours * float64(t.wronglyHeld)
	for _, units := range t.books {
		to.Books[units] += hours
	}
	if note {
		t.since = at
	}
}

// ordered notes that an order was taken.
func (t *shelfTruth) ordered(channel int, at inventory.Millis) {
	if t.isShort {
		t.unfilled++
	}
	if e := t.oversold[channel]; e != nil && e.Order == 0 {
		e.Order = at
	}
}

// episode begins one at a shelf.
func (s *Sim) episode(class inventory.Class, cause FaultKind, sh *shelf, channel, ref string, at inventory.Millis) *Episode {
	e := &Episode{
		Class: class, Cause: cause, SKU: sh.sku.name, Location: sh.place.name, Channel: channel, Ref: ref,
		Begin: at, Units: sh.recorded,
	}
	s.episodes = append(s.episodes, e)
	return e
}

// watch notes what has become of a shelf's truth.
func (s *Sim) watch(sh *shelf, at inventory.Millis) {
	t := &sh.truth
	t.account(&s.totals, at, true)
	t.sellable, t.held, t.wronglyHeld = 0, 0, 0
	really := max(sh.there-sh.reserved-sh.safety, 0)
	for c := range sh.windows {
		books := max(sh.share(c), 0)
		t.books[c] = int(min(books, BooksMax))
		real := min(really, books)
		let := sh.allowed(c, max(books-sh.buffer, 0), at)
		t.sellable += real
		t.held += books - let
		t.wronglyHeld += max(real-let, 0)
		s.watchOversell(sh, c, at)
		s.watchListing(sh, c, at)
	}
	t.fill(sh)
	s.watchShort(sh, at)
	s.watchPromotion(sh, at)
	switch is := sh.there == 0 && sh.promised() > 0; {
	case is && t.phantom == nil:
		t.phantom = s.episode(inventory.PhantomInventory, t.latest, sh, "", "", at)
	case !is && t.phantom != nil:
		t.phantom.End = at
		t.phantom = nil
	}
}

// fill notes whether more is promised than there is.
func (t *shelfTruth) fill(sh *shelf) {
	is := sh.reserved > sh.there || sh.promised()-sh.fence.left < 0
	if is && !t.isShort {
		t.unfilled++
	}
	t.isShort = is
}

// watchShort: more is promised by the books than there is, or some channel's share of it is below zero for what is kept for another.
func (s *Sim) watchShort(sh *shelf, at inventory.Millis) {
	e := &sh.truth.short
	switch is := sh.promised()-sh.fence.left < 0; {
	case is && *e == nil:
		*e = s.episode(inventory.Oversell, sh.truth.latest, sh, "", "", at)
	case !is && *e != nil:
		(*e).End = at
		*e = nil
	}
}

// watchOversell: a channel shows something where the books say that more is promised than there is.
func (s *Sim) watchOversell(sh *shelf, channel int, at inventory.Millis) {
	e := &sh.truth.oversold[channel]
	switch is := sh.share(channel) < 0 && sh.windows[channel].shown > 0; {
	case is && *e == nil:
		*e = s.episode(inventory.Oversell, sh.truth.latest, sh, s.channels[channel].Name, "", at)
	case !is && *e != nil:
		(*e).End = at
		*e = nil
	}
}

// Shelf is how a key stands now.
type Shelf struct {
	Key      inventory.Key
	Centre   bool
	There    int64            // can be found and sold
	Promised int64            // on record, less what is reserved and kept back
	Recorded int64            // fit for sale
	Phantom  inventory.Millis // since when what is promised is not there; 0: some is, or nothing is promised
	Short    bool             // more is promised than there is, by what is there or by the books
	Unfilled int              // how often it has become short, or a further order was taken while it was
	PerDay   float64          // demand events a day, online ones included, as of now but for the day's mood
	Wanted   float64          // demand events to be expected since the start, whatever each day's mood
}

// Shelves calls each with every key, in an order that stays. What it is given it may not keep.
func (s *Sim) Shelves(each func(sh *Shelf)) {
	for _, sh := range s.shelves {
		state := Shelf{
			Key: sh.key(), Centre: sh.place.centre, There: sh.there, Promised: sh.promised(), Recorded: sh.recorded, Wanted: sh.truth.wanted,
		}
		if p := sh.truth.phantom; p != nil {
			state.Phantom = p.Begin
		}
		state.Short, state.Unfilled = sh.truth.isShort, sh.truth.unfilled
		state.PerDay = sh.sku.known(s.now) * (sh.place.size + s.onlineShare())
		each(&state)
	}
}

// onlineShare is a store's share of what is wanted online, as a multiple of a middling store's demand.
func (s *Sim) onlineShare() (share float64) {
	for _, c := range s.channels {
		share += c.Share
	}
	return share / float64(s.config.Stores)
}
