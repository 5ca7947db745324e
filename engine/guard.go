package engine

import (
	"fmt"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/internal/wire"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// guard is what a partition counts of a sales channel, so that what is done by policy alone stays within the policy's
// bounds, and whether it has stopped acting there.
//
// While it stops, what opens for the channel awaits a person's approval. Nothing else is withheld: releases, renewals, what an
// exception that acts already makes of its throttle, and what a person approved.
type guard struct {
	listings int64 // records at which the channel is known
	held     int64 // directives that hold it, at records and in networks

	minute inventory.Millis // of event time, since 1970
	given  int64            // holds and throttles within it, but for renewals
	waits  int64            // exceptions within it that would have acted
	before int64            // both, of the minute before

	incident string // the exception that says that it stopped acting; "": it has not
	lifted   bool   // a person lets policy act again, though it is not over
	muted    bool   // by ending the incident: it is over without a word
	checkAt  inventory.Millis
}

func (g *guard) stops() bool { return g.incident != "" && !g.lifted }

// roll begins the minute of now, if that is another.
func (g *guard) roll(now inventory.Millis) {
	minute := now / inventory.Minute
	if minute == g.minute {
		return
	}
	g.before = 0
	if minute == g.minute+1 {
		g.before = g.given + g.waits
	}
	g.minute, g.given, g.waits = minute, 0, 0
}

// breach is the bound that one exception more would go beyond.
type breach int

const (
	within breach = iota
	ofCommands
	ofShare
)

func (g *guard) breach(b *policy.Guard) breach {
	switch {
	case b.Commands > 0 && g.given+g.waits >= b.Commands:
		return ofCommands
	case b.Share > 0 && g.held >= b.From && float64(g.held+1) > b.Share*float64(g.listings):
		return ofShare
	}
	return within
}

// calm reports whether this minute and the one before had half of the commands that there may be, at most.
func (g *guard) calm(b *policy.Guard) bool {
	return b.Commands == 0 || g.before <= b.Commands/2 && g.given+g.waits <= b.Commands/2
}

// slack reports whether what is held is well below its bound: four fifths, so that acting does not stop again with the next hold.
func (g *guard) slack(b *policy.Guard) bool {
	return b.Share == 0 || g.held*5 < b.From*4 || float64(g.held) <= 0.8*b.Share*float64(g.listings)
}

// guard returns what is counted of a channel, touched and rolled on to now, and its bounds.
func (e *Engine) guard(channel string) (*item[guard], policy.Guard, error) {
	it, _, err := e.guards.make([]byte(channel))
	if err != nil {
		return nil, policy.Guard{}, err
	}
	e.guards.touch(it)
	it.value.roll(e.meta.watermark)
	guards := e.policy.Guards()
	return it, guards.Of(channel, e.config.Partitions), nil
}

// list counts a record in at which a channel was not known before.
func (e *Engine) list(channel string) error {
	it, _, err := e.guards.make([]byte(channel))
	if err != nil {
		return err
	}
	e.guards.touch(it)
	it.value.listings++
	return nil
}

// gave counts a command of policy's or a person's that is no renewal. held is by how many more directives hold the channel now.
func (e *Engine) gave(channel string, action inventory.Action, held int64) error {
	it, bounds, err := e.guard(channel)
	if err != nil {
		return err
	}
	it.value.held += held
	if action != inventory.Unhold {
		it.value.given++
		return nil
	}
	return e.ease(it, &bounds)
}

// mayAct asks the guards of the channels that an exception would act on. It returns the incident by which one of them wants a
// person to be asked; "" where none does.
func (e *Engine) mayAct(channels []string) (incident string, err error) {
	for _, channel := range channels {
		it, bounds, err := e.guard(channel)
		if err != nil {
			return "", err
		}
		g := &it.value
		if err := e.ease(it, &bounds); err != nil {
			return "", err
		}
		if of := g.breach(&bounds); g.incident == "" && of != within {
			if err := e.stop(it, &bounds, of); err != nil {
				return "", err
			}
		}
		if !g.stops() {
			continue
		}
		g.waits++
		e.armGuard(it, &bounds)
		if incident == "" {
			incident = g.incident
		}
	}
	return incident, nil
}

// stop ends acting on a channel by policy alone, and opens the incident that says so.
func (e *Engine) stop(it *item[guard], bounds *policy.Guard, of breach) error {
	g := &it.value
	g.incident, g.lifted, g.muted = e.nextID("x"), false, false
	x, _, err := e.exceptions.make([]byte(g.incident))
	if err != nil {
		return err
	}
	guards := e.policy.Guards()
	evidence := map[string]any{
		"partition": e.config.Partition, "commands": g.given, "waiting": g.waits, "held": g.held, "listings": g.listings,
		"commands_bound": bounds.Commands, "share_bound": bounds.Share, "held_from": bounds.From,
	}
	plainNumbers(evidence)
	reason := fmt.Sprintf("Acting on %s has stopped in partition %d: %d holds and throttles within a minute are as many as its guard allows.",
		it.key, e.config.Partition, g.given)
	rule := "stop at commands_per_minute, end at half"
	if of == ofShare {
		reason = fmt.Sprintf("Acting on %s has stopped in partition %d: %d of its %d listings are held, and its guard allows a share of %g.",
			it.key, e.config.Partition, g.held, g.listings, bounds.Share)
		rule = "stop at held_share, end at four fifths"
	}
	x.value.Exception = inventory.Exception{
		ID: g.incident, Class: inventory.GuardBreach, SKU: everySKU, Location: inventory.Network, Channels: []string{it.key},
		Status: inventory.AwaitingApproval, Severity: inventory.High, Confidence: 1,
		Owner: guards.Owner, SLADue: e.after(guards.SLA), Reason: reason, Evidence: evidence,
		Recommendations: []inventory.Recommendation{{
			Action: "escalate", Channel: it.key, Why: "find out whether a feed is wrong; approve this to act again, or what awaits approval one by one",
		}},
		OpenedAt: e.meta.watermark, Cause: e.cause,
	}
	note(&x.value.Exception, inventory.Change{At: e.meta.watermark, Status: inventory.AwaitingApproval, By: byHoldfast, Note: reason})
	e.rank(&x.value.Exception)
	e.sayException(&x.value.Exception)
	e.meta.standing.Exceptions++
	e.meta.standing.Guarded++
	e.audit(&verdict{exception: x, kind: "open", rule: rule}, nil, nil)
	return nil
}

// ease lets policy act again on a channel, once it is well within its bounds.
func (e *Engine) ease(it *item[guard], bounds *policy.Guard) error {
	g := &it.value
	if g.incident == "" {
		return nil
	}
	if !g.calm(bounds) || !g.slack(bounds) {
		e.armGuard(it, bounds)
		return nil
	}
	if !g.lifted {
		e.meta.standing.Guarded--
	}
	incident, muted := g.incident, g.muted
	g.incident, g.lifted, g.muted = "", false, false
	if muted {
		return nil
	}
	x, err := e.mustException(incident)
	if err != nil {
		return err
	}
	e.exceptions.touch(x)
	x.value.Reason = fmt.Sprintf("Policy acts on %s again in partition %d: %d holds and throttles in the last two minutes, %d of %d listings held.",
		it.key, e.config.Partition, g.before+g.given, g.held, g.listings)
	e.end(x, inventory.Change{Status: inventory.Resolved, By: byHoldfast, Note: x.value.Reason})
	e.audit(&verdict{exception: x, kind: "resolve", rule: "end at half of commands_per_minute and four fifths of held_share"}, nil, nil)
	return nil
}

// armGuard sees to it that somebody looks again when the minute is over, while commands are what keeps the guard from ending. What is
// held is looked at with each release.
func (e *Engine) armGuard(it *item[guard], bounds *policy.Guard) {
	if g := &it.value; g.incident != "" && g.checkAt == 0 && !g.calm(bounds) {
		g.checkAt = e.setTimer((g.minute+1)*inventory.Minute, timerGuard, it.key)
	}
}

// fireGuard looks whether a channel's guard has an end, as its timer wants.
func (e *Engine) fireGuard(channel []byte, at inventory.Millis) error {
	it, err := e.guards.get(channel)
	if err != nil || it == nil || it.value.checkAt != at {
		return err
	}
	it, bounds, err := e.guard(it.key)
	if err != nil {
		return err
	}
	it.value.checkAt = 0
	return e.ease(it, &bounds)
}

// decideGuard is decide for an incident of a guard: to approve it lets policy act while it stands, to end it does so too.
func (e *Engine) decideGuard(m *control.Message, x *item[exception]) error {
	it, _, err := e.guard(x.value.Channels[0])
	if err != nil {
		return err
	}
	g := &it.value
	open := []opened{{scope: detectors.Scope{Class: inventory.GuardBreach}, id: g.incident}}
	v, err := e.settleDecision(m, x, open)
	if err != nil {
		return err
	}
	if (open[0].acting || open[0].muted) && !g.lifted {
		g.lifted = true
		e.meta.standing.Guarded--
	}
	g.muted = open[0].muted
	e.audit(&v, nil, nil)
	return nil
}

func (g *guard) append(dst []byte) []byte {
	dst = wire.AppendUint(dst, formatGuard)
	for _, n := range g.numbers() {
		dst = wire.AppendInt(dst, *n)
	}
	dst = wire.AppendInt(dst, g.minute)
	dst = wire.AppendInt(dst, g.checkAt)
	dst = wire.AppendString(dst, g.incident)
	flags := uint64(0)
	if g.lifted {
		flags |= 1
	}
	if g.muted {
		flags |= 2
	}
	return wire.AppendUint(dst, flags)
}

func (g *guard) read(in *wire.Reader) {
	in.Version(formatGuard)
	for _, n := range g.numbers() {
		*n = in.Int()
	}
	g.minute = inventory.Millis(in.Int())
	g.checkAt = inventory.Millis(in.Int())
	g.incident = in.String()
	flags := in.Uint()
	if flags > 3 {
		in.Fail(fmt.Errorf("a guard has flags %b", flags))
	}
	g.lifted, g.muted = flags&1 != 0, flags&2 != 0
}

func (g *guard) numbers() [5]*int64 {
	return [...]*int64{&g.listings, &g.held, &g.given, &g.waits, &g.before}
}
