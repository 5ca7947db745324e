package retail

import (
	"fmt"
	"strings"
)

// A Skip is a reason for which a row gives no delta.
type Skip int

// The reasons.
const (
	NotAProduct  Skip = iota // postage, fees, discounts, samples, vouchers, tests
	BadDebt                  // an A invoice: money, no stock
	ZeroQuantity             // nothing moved
	WrongSign                // a C line above 0, or a priced line below 0 without C
	Unparsable               // not a row of this file; see Accounts.Errors
	OutOfLimits              // a row that reads well but whose delta would not be valid; see Accounts.Errors

	skips // how many there are
)

var skipNames = [skips]string{"not a product", "bad debt", "zero quantity", "wrong sign", "unparsable", "out of limits"}

func (s Skip) String() string { return skipNames[s] }

// errorsMax bounds the errors that are kept in full; all are counted.
const errorsMax = 20

// Accounts says what became of the rows read so far.
type Accounts struct {
	Rows int // read, the header and empty lines not counted

	Sales       int
	Returns     int
	Adjustments int
	Skipped     [skips]int // by Skip

	// Made by the stock rule, not read.
	Counts   int
	ASNs     int
	Receipts int

	Errors []error // the first 20 rows that could not be used, with line and reason
}

// FromRows is how many deltas came from rows.
func (a *Accounts) FromRows() int { return a.Sales + a.Returns + a.Adjustments }

// Made is how many deltas the stock rule made.
func (a *Accounts) Made() int { return a.Counts + a.ASNs + a.Receipts }

// SkippedRows is how many rows gave no delta.
func (a *Accounts) SkippedRows() int {
	n := 0
	for _, k := range a.Skipped {
		n += k
	}
	return n
}

// String says it in a few lines for people.
func (a *Accounts) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows: %d sales, %d returns, %d adjustments, %d skipped", a.Rows, a.Sales, a.Returns, a.Adjustments, a.SkippedRows())
	sep := " ("
	for s, n := range a.Skipped {
		if n > 0 {
			fmt.Fprintf(&b, "%s%d %s", sep, n, Skip(s))
			sep = ", "
		}
	}
	if sep == ", " {
		b.WriteString(")")
	}
	fmt.Fprintf(&b, "; made: %d counts, %d ASNs, %d receipts", a.Counts, a.ASNs, a.Receipts)
	return b.String()
}

func (a *Accounts) skip(why Skip, err error) {
	a.Skipped[why]++
	if err != nil && len(a.Errors) < errorsMax {
		a.Errors = append(a.Errors, err)
	}
}
