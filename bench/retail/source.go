package retail

import (
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-atp/holdfast/inventory"
)

// locationsMax bounds what a Config may spread stock over: each costs the rule a shelf for each SKU.
const locationsMax = 64

// Config says how the file is read. The zero Config is the default: seed 0, one
// location, stock made.
type Config struct {
	Seed      uint64 // of the stock rule and of the spread over locations
	Locations int    // 0 or 1: all at "uk-dc"; N, 64 at most: "uk-1" … "uk-N"
	NoStock   bool   // leaves out opening counts, ASNs and receipts: stock starts at 0 and falls
}

// Source is an open file. It belongs to one goroutine.
type Source struct {
	cfg      Config
	lines    scanner
	rows     int // in the whole file
	accounts Accounts
	stock    *stock            // nil where none is made
	ready    []inventory.Delta // made, not yet given; read from given on
	given    int
	err      error
}

// Open opens the file and reads it through once, to count its rows and to learn
// each key's demand; that takes a second or two for the whole year.
func Open(path string, cfg Config) (*Source, error) {
	if cfg.Locations < 0 || cfg.Locations > locationsMax {
		return nil, fmt.Errorf("retail: %d locations: from 1 to %d", cfg.Locations, locationsMax)
	}
	s := &Source{cfg: cfg}
	demand, err := s.survey(path)
	if err != nil {
		return nil, fmt.Errorf("retail: %w", err)
	}
	if !cfg.NoStock {
		s.stock = newStock(&s.cfg, demand, s.emit)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("retail: %w", err)
	}
	s.lines = scanner{file: f}
	return s, nil
}

// survey is the first pass.
func (s *Source) survey(path string) (map[inventory.Key]*demand, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	all := make(map[inventory.Key]*demand)
	lines := scanner{file: f}
	for {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.rows++
		if l.bad != nil {
			continue
		}
		kind, quantity, _ := classify(&l.row, l.alone)
		if kind != inventory.Sale {
			continue
		}
		d := s.cfg.delta(&l.row, kind, quantity)
		if d.Validate() != nil {
			continue
		}
		key := d.Key()
		if all[key] == nil {
			all[key] = new(demand)
		}
		all[key].add(quantity, d.Time)
	}
}

// Rows is how many rows the whole file has, for a progress bar; compare Accounts().Rows.
func (s *Source) Rows() int { return s.rows }

// Next returns the next delta; false at the end of the file or at an error, which
// [Source.Err] then returns. Every delta is valid and no two have the same source and id.
func (s *Source) Next() (inventory.Delta, bool) {
	for s.given == len(s.ready) {
		s.ready, s.given = s.ready[:0], 0
		l, err := s.lines.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.err = fmt.Errorf("retail: %w", err)
			}
			return inventory.Delta{}, false
		}
		s.take(&l)
	}
	d := s.ready[s.given]
	s.given++
	return d, true
}

// take accounts for one line and readies its deltas.
func (s *Source) take(l *line) {
	a := &s.accounts
	a.Rows++
	if l.bad != nil {
		a.skip(Unparsable, l.bad)
		return
	}
	kind, quantity, why := classify(&l.row, l.alone)
	if kind == inventory.KindNone {
		a.skip(why, nil)
		return
	}
	d := s.cfg.delta(&l.row, kind, quantity)
	if err := d.Validate(); err != nil {
		a.skip(OutOfLimits, fmt.Errorf("row %d: %w", l.row.number, err))
		return
	}
	if s.stock != nil {
		s.stock.before(&d)
		s.stock.move(&d)
	}
	s.emit(d)
}

// emit readies one delta and counts it.
func (s *Source) emit(d inventory.Delta) {
	a := &s.accounts
	switch d.Kind {
	case inventory.Sale:
		a.Sales++
	case inventory.Return:
		a.Returns++
	case inventory.Adjust:
		a.Adjustments++
	case inventory.Count:
		a.Counts++
	case inventory.ASN:
		a.ASNs++
	case inventory.Receipt:
		a.Receipts++
	}
	s.ready = append(s.ready, d)
}

// Err returns what ended the reading before the end of the file, nil otherwise.
func (s *Source) Err() error { return s.err }

// Accounts returns what became of the rows so far. Its Errors are shared, not copied.
func (s *Source) Accounts() Accounts { return s.accounts }

// Close closes the file.
func (s *Source) Close() error { return s.lines.file.close() }

// line is one row with its neighbourhood, or what is wrong with it.
type line struct {
	row   row
	alone bool // no neighbour is of the same invoice
	bad   error
}

// scanner looks one row ahead.
type scanner struct {
	file    *file
	started bool
	ahead   line
	end     error  // what came instead of ahead
	invoice string // of the row before
}

func (s *scanner) next() (line, error) {
	if !s.started {
		s.started = true
		s.read()
	}
	if s.end != nil {
		return line{}, s.end
	}
	l := s.ahead
	s.read()
	if l.bad == nil {
		l.alone = l.row.invoice != s.invoice && (s.end != nil || s.ahead.row.invoice != l.row.invoice)
		s.invoice = l.row.invoice
	}
	return l, nil
}

func (s *scanner) read() {
	r, err := s.file.rows.next()
	var bad *rowError
	if errors.As(err, &bad) {
		s.ahead = line{bad: bad}
		return
	}
	s.ahead, s.end = line{row: r}, err
}
