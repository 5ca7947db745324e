package console

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// countsUsual is how many keys a list names where nobody says, which one person counts in a morning; countsMax how many at most.
	countsUsual = 20
	countsMax   = 500

	// countPages bounds how many pages of exceptions are read for a list.
	countPages = 50
)

// countAnswer is one key that is to be counted.
type countAnswer struct {
	SKU         string   `json:"sku"`
	Location    string   `json:"location"`
	Worth       int64    `json:"worth"`       // probability × exposure, minor units
	Probability float64  `json:"probability"` // that the record is wrong, of the exception that is worth most
	Exposure    int64    `json:"exposure"`    // of that one, minor units
	Exceptions  []string `json:"exceptions"`  // that a count would settle, that one first
	Why         string   `json:"why"`
}

type countsAnswer struct {
	Counts []countAnswer `json:"counts"`
}

// getCounts answers what a location should count first: the keys of the exceptions that stand there and that a count would settle, by what is
// at risk times how probable it is, within a budget.
func (s *Server) getCounts(w http.ResponseWriter, r *http.Request, q query) error {
	location := q["location"]
	if location == "" || location == inventory.Network {
		return badRequest(`Say whose list it is: ?location=… names one location.`)
	}
	budget, err := q.count("budget", countsUsual, 1, countsMax)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	counts, err := s.counts(ctx, location, budget)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, countsAnswer{orEmpty(counts)})
}

func (s *Server) counts(ctx context.Context, location string, budget int) (list []countAnswer, err error) {
	filter := ExceptionFilter{Statuses: []inventory.Status{inventory.Open, inventory.AwaitingApproval, inventory.Acting}, Location: location}
	page := Page{Limit: pageLimitMax}
	for range countPages {
		exceptions, next, err := s.backend.Exceptions(ctx, filter, page)
		if err != nil {
			return nil, err
		}
		for i := range exceptions {
			list = settles(list, &exceptions[i])
		}
		slices.SortStableFunc(list, func(a, b countAnswer) int {
			return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(a.SKU, b.SKU))
		})
		// They come by exposure, which nothing is worth more than: what follows the last can't come before what is listed.
		full := len(list) >= budget && len(exceptions) > 0 && exceptions[len(exceptions)-1].Exposure <= list[budget-1].Worth
		if next == "" || full {
			break
		}
		page.Cursor = next
	}
	return list[:min(len(list), budget)], nil
}

// settles adds an exception to the list, if a count of its key would settle it.
func settles(list []countAnswer, e *inventory.Exception) []countAnswer {
	if !slices.ContainsFunc(e.Recommendations, func(r inventory.Recommendation) bool { return r.Action == "count" }) || e.SKU == "*" {
		return list
	}
	worth := int64(math.Round(e.Confidence * float64(e.Exposure)))
	at := slices.IndexFunc(list, func(c countAnswer) bool { return c.SKU == e.SKU })
	if at < 0 {
		return append(list, countAnswer{e.SKU, e.Location, worth, e.Confidence, e.Exposure, []string{e.ID}, e.Reason})
	}
	c := &list[at]
	if worth <= c.Worth {
		c.Exceptions = append(c.Exceptions, e.ID)
		return list
	}
	*c = countAnswer{e.SKU, e.Location, worth, e.Confidence, e.Exposure, append([]string{e.ID}, c.Exceptions...), e.Reason}
	return list
}
