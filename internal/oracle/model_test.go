package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/inventory"
)

func TestStock(t *testing.T) {
	for _, c := range []struct{ name, story, want string }{
		{"sales go below zero and are not clipped", `
			1 receipt 5 ref=po
			2 sale 8 channel=web`,
			"on_hand=-3 atp=-3 web:-3"},
		{"a return is unavailable unless it is sellable", `
			1 return 3
			2 return 2 reason=sellable
			3 return 4 reason=damaged
			4 unblock 1`,
			"on_hand=9 unavailable=6 atp=3"},
		{"block and safety lower ATP, not on-hand", `
			1 count 20
			2 block 3
			3 safety 5
			4 safety 4`,
			"on_hand=20 unavailable=3 safety=4 atp=13"},
		{"what happened before a count is in it, whenever it arrives", `
			10 count 50
			11 sale 1 channel=web
			5 sale 7 channel=web
			9 receipt 30 ref=po`,
			"on_hand=49 atp=49 web:49"},
		{"a movement at the very time of a count was made after it", `
			10 sale 2 channel=web
			10 count 50`,
			"on_hand=48 atp=48 web:48"},
		{"a late count moves the base below what came since", `
			10 receipt 5 ref=po
			20 sale 1 channel=web
			15 count 100`,
			"on_hand=99 atp=99 web:99"},
		{"of two counts at one time the longer id wins, then the greater", `
			10 count 1 id=b
			10 count 2 id=aa
			10 count 3 id=ab
			10 count 4 id=a`,
			"on_hand=3 atp=3"},
		{"a snapshot and the work of a store change nothing", `
			1 count 9
			2 snapshot 4
			3 pick_failed 2 ref=o
			4 substitute 1 ref=o
			5 promo 30 due=9
			6 task 1
			7 task_done 1
			8 capacity 7 due=9`,
			"on_hand=9 atp=9"},
		{"the price is the latest one, at one time the greater", `
			1 sale 1 channel=web price=500
			3 sale 1 channel=web price=700
			3 sale 1 channel=web price=650
			2 sale 1 channel=web price=900
			4 sale 1 channel=web`,
			"on_hand=-5 price=700 atp=-5 web:-5"},
		{"a listing is a channel's own and makes it known", `
			1 listing 5 channel=web
			3 listing 7 channel=web
			2 listing 9 channel=web
			1 listing 0 channel=amazon`,
			"atp=0 amazon:0(lists 0) web:0(lists 7)"},
		{"a return or a release makes no channel known", `
			1 return 1 reason=sellable channel=web
			2 release 1 ref=o channel=web`,
			"on_hand=1 atp=1"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.story, c.want) })
	}
}

func TestReferences(t *testing.T) {
	for _, c := range []struct{ name, story, want string }{
		{"a shipment takes from the shelf and from the order", `
			1 count 10
			2 reserve 4 ref=o channel=web
			3 ship 3 ref=o`,
			"on_hand=7 reserved=1 atp=6 web:6"},
		{"a reference is never taken below zero", `
			1 reserve 2 ref=o channel=web
			2 release 5 ref=o
			3 reserve 2 ref=o channel=web`,
			"reserved=2 atp=-2 web:-2"},
		{"and that in the order of time, not of arrival", `
			1 reserve 2 ref=o channel=web
			3 reserve 2 ref=o channel=web
			2 release 5 ref=o`,
			"reserved=2 atp=-2 web:-2"},
		{"what adds precedes what takes at one time, a shipment a release", `
			1 release 3 ref=o
			1 ship 2 ref=o
			1 reserve 4 ref=o channel=web`,
			"on_hand=-2 atp=-2 web:-2"},
		{"a reservation lapses when event time reaches its due", `
			1 reserve 4 ref=o channel=web due=10
			9 tick
			10 tick`,
			"atp=0 web:0"},
		{"and not a moment before", `
			1 reserve 4 ref=o channel=web due=10
			9 tick`,
			"reserved=4 atp=-4 web:-4"},
		{"a release at its due comes too late", `
			1 count 4
			1 allocate 4 channel=web
			1 reserve 4 ref=o channel=web due=10
			10 release 4 ref=o`,
			"on_hand=4 atp=4 web:4(fence 4 of 4)"},
		{"a second reserve sets the due anew", `
			1 reserve 4 ref=o channel=web due=10
			2 reserve 1 ref=o channel=web
			20 tick`,
			"reserved=5 atp=-5 web:-5"},
		{"a reserve after the lapse stands alone", `
			1 reserve 4 ref=o channel=web due=10
			30 tick
			12 reserve 1 ref=o channel=web`,
			"reserved=1 atp=-1 web:-1"},
		{"but one from before it, however late, keeps the order open", `
			1 reserve 4 ref=o channel=web due=150
			151 tick
			140 reserve 1 ref=o channel=web`,
			"reserved=5 atp=-5 web:-5"},
		{"an ASN is settled by its receipt and does not lapse", `
			1 asn 10 ref=asn due=5
			20 receipt 6 ref=asn
			21 receipt 9 ref=other`,
			"on_hand=15 inbound=4 atp=15"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.story, c.want) })
	}
}

func TestTransferTouchesTwoKeys(t *testing.T) {
	m := apply(t, `
		1 count 10
		2 transfer_out 4 ref=t to=york due=9
		3 transfer_in 1 ref=t at=york`)
	want(t, "leeds", summary(m.Availability("tea", "leeds")), "on_hand=6 atp=6")
	want(t, "york", summary(m.Availability("tea", "york")), "on_hand=1 in_transit=3 atp=1")
	want(t, "keys", fmt.Sprint(m.Keys()), "[{tea leeds} {tea york}]")
	want(t, "network", fmt.Sprint(m.Network("tea").ATP), "7")
}

func TestRingFences(t *testing.T) {
	for _, c := range []struct{ name, story, want string }{
		{"a fence is kept from the others, not from its channel", `
			1 count 10
			2 allocate 4 channel=web
			3 listing 9 channel=amazon`,
			"on_hand=10 atp=10 amazon:6(lists 9) web:10(fence 4 of 4)"},
		{"sales and reservations consume it, releases and lapses give back", `
			1 count 20
			2 allocate 10 channel=web
			3 sale 1 channel=web
			4 reserve 4 ref=a channel=web
			5 release 2 ref=a
			6 reserve 3 ref=b channel=web due=8
			9 tick`,
			"on_hand=19 reserved=2 atp=17 web:17(fence 7 of 10)"},
		{"a shipment consumes nothing more", `
			1 count 20
			2 allocate 10 channel=web
			3 reserve 4 ref=a channel=web
			4 ship 4 ref=a`,
			"on_hand=16 atp=16 web:16(fence 6 of 10)"},
		{"consumption counts from the time of the allocation", `
			1 sale 3 channel=web
			2 sale 1 channel=web
			2 allocate 10 channel=web`,
			"on_hand=-4 atp=-4 web:-4(fence 9 of 10)"},
		{"what is given back of a promise from before the fence never makes it more", `
			1 reserve 5 ref=a channel=web
			2 allocate 3 channel=web
			3 release 5 ref=a`,
			"atp=0 web:0(fence 3 of 3)"},
		{"a release gives back to the channel of the first reserve", `
			2 allocate 10 channel=web
			2 allocate 10 channel=amazon
			4 reserve 2 ref=a channel=amazon
			3 reserve 2 ref=a channel=web
			5 release 4 ref=a`,
			"atp=0 amazon:-10(fence 8 of 10) web:-8(fence 10 of 10)"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.story, c.want) })
	}
}

// A reference that is settled and older than the lateness is a new one when it comes again.
func TestForgottenReferenceTakesANewChannel(t *testing.T) {
	check(t, `
		1 reserve 2 ref=a channel=web
		2 release 2 ref=a
		103 allocate 10 channel=amazon
		103 reserve 2 ref=a channel=amazon
		104 release 1 ref=a`,
		"reserved=1 atp=-1 amazon:-1(fence 9 of 10) web:-10")
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct{ name, story, want string }{
		{"an id is known by its source, whatever else it says", `
			1 sale 1 channel=web id=x
			2 count 5 id=x
			2 count 5 id=x source=other`,
			"applied duplicate applied"},
		{"older than the lateness is late, as old is not", `
			200 tick
			100 count 5
			99 count 6`,
			"applied applied late"},
		{"a duplicate is known as such even where it would be late", `
			100 count 5 id=x
			200 tick
			99 count 5 id=x`,
			"applied applied duplicate"},
		{"an id is forgotten when its epoch is over by the lateness", `
			0 count 5 id=x
			124 tick
			124 count 5 id=x
			125 tick
			125 count 5 id=x`,
			"applied applied duplicate applied applied"},
		{"what was rejected leaves no trace", `
			200 tick
			9 count 5 id=x
			150 count 5 id=x`,
			"applied late applied"},
		{"no total goes beyond what JSON holds exactly", `
			1 adjust 9007199254740991
			2 adjust 1
			3 sale 1 channel=web
			4 reserve 9007199254740991 ref=a channel=web
			5 reserve 1 ref=b channel=web
			6 count 9007199254740991
			7 return 1`,
			"applied overflow applied applied overflow applied overflow"},
		{"a field that its kind needs", `
			1 sale 1`,
			"missing_field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(config)
			var got []string
			for _, d := range deltas(t, c.story) {
				outcome, why := m.Apply(d, 0)
				word := outcome.String()
				if why != nil {
					word = string(why.Reason)
				}
				got = append(got, word)
			}
			want(t, "outcomes", strings.Join(got, " "), c.want)
		})
	}
}

func TestRejectedDeltaDoesNotMoveEventTime(t *testing.T) {
	m := apply(t, `1 adjust 9007199254740991`)
	if got, _ := m.Apply(deltas(t, "50 adjust 1 id=x")[0], 0); got != Rejected {
		t.Fatalf("adjust beyond the limit: %s, want rejected", got)
	}
	want(t, "watermark", m.Watermark().String(), minute(1).String())
}

func TestWindows(t *testing.T) {
	m := apply(t, `
		1 sale 3 channel=web
		1 reserve 2 ref=a channel=web
		2 adjust -4
		2 adjust 1
		63 sale 1 channel=web
		58 sale 5 channel=web
		57 sale 7 channel=web`)
	at := func(s Series, size inventory.Millis) string {
		panes := m.Window("tea", "leeds", s, size)
		var got []string
		for i, p := range panes {
			got = append(got, fmt.Sprintf("%d:%d/%d", (i*size-dayOne)/inventory.Minute, p.Count, p.Sum))
		}
		slices.Sort(got)
		return strings.Join(got, " ")
	}
	// Minute 57 came six minutes late; 60 minutes reach back to minute 4.
	want(t, "sales by minute", at(Sales, inventory.Minute), "58:1/5 63:1/1")
	want(t, "sales by hour", at(Sales, inventory.Hour), "0:2/8 60:1/1")
	want(t, "demand by hour", at(Demand, inventory.Hour), "0:3/10 60:1/1")
	want(t, "adjustments by day", at(Adjustments, inventory.Day), "0:2/-3")
	want(t, "sales by second", at(Sales, inventory.Second), "63:1/1")
}

// apply applies a story of which every delta is good.
func apply(t *testing.T, story string) *Model {
	t.Helper()
	m := New(config)
	for _, d := range deltas(t, story) {
		if got, why := m.Apply(d, 0); got != Applied {
			t.Fatalf("%s at minute %d: %s (%v), want applied", d.Kind, (d.Time-dayOne)/inventory.Minute, got, why)
		}
	}
	return m
}

func check(t *testing.T, story, expected string) {
	t.Helper()
	want(t, "leeds", summary(apply(t, story).Availability("tea", "leeds")), expected)
}

func want(t *testing.T, what, got, expected string) {
	t.Helper()
	if got != expected {
		t.Errorf("%s:\n got %s\nwant %s", what, got, expected)
	}
}
