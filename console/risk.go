package console

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/holdfast-atp/holdfast/inventory"
)

const (
	// riskUsual is how many keys or groups a list of risks has where nobody says, riskMax how many at most.
	riskUsual = 50
	riskMax   = 500

	// riskWorst is how many keys stand with a group.
	riskWorst = 3

	// The window, how far ahead is looked.
	windowLeast = 15 * time.Minute
	windowMost  = 168 * time.Hour
)

// riskBy is what risks can be put together by.
type riskBy string

var riskBys = []riskBy{"location", "supplier", "channel", "sku"}

type risksAnswer struct {
	Window string           `json:"window"` // a duration, such as 4h0m0s
	Risks  []inventory.Risk `json:"risks"`
}

// riskGroup is what the risks of a location, supplier, channel or SKU come to.
type riskGroup struct {
	Name        string           `json:"name"`        // "": not known
	Probability float64          `json:"probability"` // that it comes so at one of its keys at least, each for itself
	Expected    float64          `json:"expected"`    // keys at which it does
	Worth       int64            `json:"worth"`       // Σ probability × exposure, minor units
	Keys        int              `json:"keys"`        // at risk
	Worst       []inventory.Risk `json:"worst"`

	spared float64 // probability that it comes so at none
}

type riskGroupsAnswer struct {
	Window string      `json:"window"`
	By     riskBy      `json:"by"`
	Groups []riskGroup `json:"groups"`
}

// getRisk answers where more may be promised in the next window than can be found.
func (s *Server) getRisk(w http.ResponseWriter, r *http.Request, q query) error {
	window, err := q.span("window", windowLeast, windowMost)
	if err != nil {
		return err
	}
	by, err := oneOf(q, "by", riskBys)
	if err != nil {
		return err
	}
	limit, err := q.count("limit", riskUsual, 1, riskMax)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.backendTimeout)
	defer cancel()
	worst, groups := topRisks{limit: limit}, map[string]*riskGroup{}
	used, err := s.backend.Risks(ctx, inventory.Millis(window.Milliseconds()), func(risk *inventory.Risk) {
		if !riskPasses(risk, q) {
			return
		}
		if by == "" {
			worst.add(risk)
			return
		}
		for _, part := range riskParts(risk, by, q["channel"]) {
			g := groups[part.name]
			if g == nil {
				g = &riskGroup{Name: part.name, spared: 1}
				groups[part.name] = g
			}
			g.add(risk, part.probability)
		}
	})
	if err != nil {
		return err
	}
	length := (time.Duration(used) * time.Millisecond).String()
	if by == "" {
		return writeJSON(w, http.StatusOK, risksAnswer{length, orEmpty(worst.sorted())})
	}
	list := make([]riskGroup, 0, len(groups))
	for _, g := range groups {
		g.Probability = min(max(1-g.spared, 0), 1)
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b riskGroup) int { return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(a.Name, b.Name)) })
	return writeJSON(w, http.StatusOK, riskGroupsAnswer{length, by, list[:min(len(list), limit)]})
}

// riskPasses reports whether a risk is one of those asked for. One of a channel has that channel's probability then.
func riskPasses(r *inventory.Risk, q query) bool {
	if q["location"] != "" && q["location"] != r.Location || q["supplier"] != "" && q["supplier"] != r.Supplier || q["sku"] != "" && q["sku"] != r.SKU {
		return false
	}
	if q["channel"] == "" {
		return true
	}
	at := slices.IndexFunc(r.Channels, func(c inventory.ChannelRisk) bool { return c.Channel == q["channel"] })
	if at < 0 {
		return false
	}
	r.Probability = r.Channels[at].Probability
	r.Worth = riskWorth(r, r.Probability)
	return true
}

func riskWorth(r *inventory.Risk, probability float64) int64 {
	return int64(math.Round(probability * float64(r.Exposure)))
}

// riskPart is what a risk adds to a group.
type riskPart struct {
	name        string
	probability float64
}

func riskParts(r *inventory.Risk, by riskBy, channel string) (parts []riskPart) {
	switch by {
	case "location":
		return []riskPart{{r.Location, r.Probability}}
	case "supplier":
		return []riskPart{{r.Supplier, r.Probability}}
	case "sku":
		return []riskPart{{r.SKU, r.Probability}}
	}
	for _, c := range r.Channels {
		if channel == "" || channel == c.Channel {
			parts = append(parts, riskPart{c.Channel, c.Probability})
		}
	}
	return parts
}

func (g *riskGroup) add(r *inventory.Risk, probability float64) {
	g.Keys++
	g.Expected += probability
	g.spared *= 1 - probability
	g.Worth += riskWorth(r, probability)
	worst := topRisks{limit: riskWorst, risks: g.Worst}
	worst.add(r)
	g.Worst = worst.sorted()
}

// topRisks keeps the worst of many: up to twice as many as wanted, so that they are sorted now and then alone.
type topRisks struct {
	limit int
	risks []inventory.Risk
}

func (t *topRisks) add(r *inventory.Risk) {
	if t.risks = append(t.risks, *r); len(t.risks) >= 2*t.limit {
		t.sorted()
	}
}

// sorted returns those that are wanted, worst first.
func (t *topRisks) sorted() []inventory.Risk {
	slices.SortFunc(t.risks, func(a, b inventory.Risk) int {
		return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Location, b.Location))
	})
	t.risks = t.risks[:min(len(t.risks), t.limit)]
	return t.risks
}
