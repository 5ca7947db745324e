package oracle

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Lateness is 100 minutes in these stories, so a quarter of it is 25.
var config = Config{Lateness: 100 * inventory.Minute, WindowLateness: 5 * inventory.Minute}

// dayOne is minute 0 of every story: the start of a day and of a quarter of the lateness.
const dayOne inventory.Millis = 1_795_392_000_000

func minute(m int64) inventory.Millis { return dayOne + inventory.Millis(m)*inventory.Minute }

// deltas reads a story: a delta a line, "minute kind quantity", then fields by
// name. The SKU is "tea", the location "leeds", and ids count up from d01, unless said.
func deltas(t *testing.T, story string) []inventory.Delta {
	t.Helper()
	var all []inventory.Delta
	for line := range strings.Lines(story) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		d := inventory.Delta{
			ID: fmt.Sprintf("d%02d", len(all)+1), Source: "test", SKU: "tea", Location: "leeds",
			Kind: inventory.ParseKind(words[1]), Time: minute(number(t, words[0])),
		}
		if d.Kind == inventory.Tick {
			d.SKU, d.Location = "", ""
		} else {
			d.Quantity = number(t, words[2])
			words = words[1:]
		}
		for _, word := range words[2:] {
			name, value, _ := strings.Cut(word, "=")
			switch name {
			case "id":
				d.ID = value
			case "source":
				d.Source = value
			case "sku":
				d.SKU = value
			case "at":
				d.Location = value
			case "channel":
				d.Channel = value
			case "ref":
				d.Ref = value
			case "reason":
				d.Reason = value
			case "to":
				d.Counterparty = value
			case "due":
				d.Due = minute(number(t, value))
			case "price":
				d.Price = number(t, value)
			default:
				t.Fatalf("no field %q in %q", name, line)
			}
		}
		all = append(all, d)
	}
	return all
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// summary writes what an availability says, leaving out what is zero.
func summary(a inventory.Availability) string {
	var words []string
	add := func(name string, q int64) {
		if q != 0 {
			words = append(words, fmt.Sprintf("%s=%d", name, q))
		}
	}
	add("on_hand", a.OnHand)
	add("unavailable", a.Unavailable)
	add("reserved", a.Reserved)
	add("safety", a.Safety)
	add("inbound", a.Inbound)
	add("in_transit", a.InTransit)
	add("price", a.Price)
	words = append(words, fmt.Sprintf("atp=%d", a.ATP))
	for _, c := range a.Channels {
		word := fmt.Sprintf("%s:%d", c.Channel, c.ATP)
		if c.Allocated != 0 {
			word += fmt.Sprintf("(fence %d of %d)", c.Fenced, c.Allocated)
		}
		if c.Listed != nil {
			word += fmt.Sprintf("(lists %d)", *c.Listed)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
