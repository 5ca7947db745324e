package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-atp/holdfast/detectors"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// byHoldfast is who changed an exception where no person did.
const byHoldfast = "holdfast"

// verdict is an edge or a person's decision that was carried out: what the audit trail is told, once it is
// known which commands followed.
type verdict struct {
	exception *item[exception]
	kind      string // open, resolve, hold, release, renew; approve, reject, assign
	rule      string
	commands  []string
}

// govern opens and resolves exceptions as the detectors found, lets the commands follow that
// the policy allows, and puts both into the audit trail.
func (e *Engine) govern(s scene) error {
	if len(e.found) == 0 && len(s.rec.value.open) == 0 && len(s.net.value.open) == 0 {
		return nil
	}
	e.listStanding(&s.rec.value, &s.net.value)
	var verdicts []verdict
	for i := range e.found {
		f := &e.found[i]
		var v verdict
		var err error
		switch f.Edge {
		case detectors.Raise:
			v, err = e.raise(s, f)
		case detectors.Adjust:
			v, err = e.adjust(s, f)
		default:
			v, err = e.clear(s, f)
		}
		if err != nil {
			return err
		}
		if v.exception != nil {
			verdicts = append(verdicts, v)
		}
	}
	verdicts, err := e.direct(s, verdicts)
	if err != nil {
		return err
	}
	e.auditAll(verdicts, &s.rec.value, &s.net.value)
	return nil
}

// raise opens an exception, or lets go on what stood only because its policy wants it to.
func (e *Engine) raise(s scene, f *detectors.Finding) (verdict, error) {
	if open := *e.standing(s, f.Scope); len(open) > 0 {
		if at := slices.IndexFunc(open, func(o opened) bool { return o.endsAt != 0 && o.scope == f.Scope }); at >= 0 {
			open[at].endsAt = 0
			return e.adjust(s, f)
		}
	}
	d := e.describe(f)
	channels := e.concerned(s, f.Scope)
	rule := e.policy.Opens(e.facts(f, &d), channels)
	status := rule.Autonomy.Status()
	opening := d.Reason
	if status == inventory.Acting && s.rec != nil { // of a location as a whole nothing follows
		guarded, err := e.mayAct(channels)
		if err != nil {
			return verdict{}, err
		}
		if guarded != "" {
			status = inventory.AwaitingApproval
			d.Evidence["guard"] = guarded
			opening += " A guard of the policy wants a person to be asked: " + guarded + "."
		}
	}
	if err := e.advise(s, &d, e.after(rule.SLA)); err != nil {
		return verdict{}, err
	}
	id := e.nextID("x")
	it, _, err := e.exceptions.make([]byte(id))
	if err != nil {
		return verdict{}, err
	}
	it.value.Exception = inventory.Exception{
		ID:              id,
		Class:           f.Class,
		SKU:             e.view.SKU,
		Location:        e.view.Location,
		Channels:        channels,
		Severity:        d.Severity,
		Exposure:        d.Exposure,
		Status:          status,
		Confidence:      detectors.Round4(f.Confidence),
		Owner:           rule.Owner,
		SLADue:          e.after(rule.SLA),
		Reason:          d.Reason,
		Evidence:        d.Evidence,
		Recommendations: d.Recommendations,
		OpenedAt:        e.meta.watermark,
		Cause:           e.cause,
	}
	x := &it.value.Exception
	o := opened{scope: f.Scope, id: id, acting: status == inventory.Acting, most: f.Most}
	if f.Network {
		x.Location = inventory.Network
	}
	open := e.standing(s, f.Scope)
	*open = append(*open, o)
	note(x, inventory.Change{At: e.meta.watermark, Status: status, By: byHoldfast, Note: opening})
	e.rank(x)
	e.meta.standing.Exceptions++
	e.meta.exposure.add(x.Exposure)
	return verdict{exception: it, kind: "open", rule: d.Rule}, e.announce(it)
}

// facts are what a policy's conditions may ask of an exception that opens.
func (e *Engine) facts(f *detectors.Finding, d *detectors.Description) *policy.Facts {
	v := &e.view
	facts := &policy.Facts{
		Class: f.Class, SKU: v.SKU, Location: v.Location, Confidence: f.Confidence, Exposure: d.Exposure, Price: v.Price,
		Severity: string(d.Severity), OnHand: v.OnHand, ATP: v.ATP(), NetworkATP: v.Network.ATP, Locations: v.Network.Locations,
	}
	if f.Network {
		facts.Location = inventory.Network
	}
	facts.Know(e.item(v.SKU), e.region(facts.Location))
	return facts
}

// standing returns the exceptions among which one of that scope stands, to be changed. Those of a scene without a record are the
// location's.
func (e *Engine) standing(s scene, scope detectors.Scope) *[]opened {
	switch {
	case s.rec == nil:
		e.places.touch(s.pl)
		return &s.pl.value.open
	case scope.Network:
		e.networks.touch(s.net)
		return &s.net.value.open
	}
	e.records.touch(s.rec)
	return &s.rec.value.open
}

// standsAt returns where the exception of a finding stands, which is touched, and its place there.
func (e *Engine) standsAt(s scene, f *detectors.Finding) (open *[]opened, at int, err error) {
	open = e.standing(s, f.Scope)
	at = slices.IndexFunc(*open, func(o opened) bool { return o.scope == f.Scope })
	if at < 0 {
		err = fmt.Errorf("detector %s has an edge at %+v, which is not open", f.Class, f.Scope)
	}
	return open, at, err
}

// adjust changes what an exception says and lets its channels show. Of one that a person ended there is nothing to say.
func (e *Engine) adjust(s scene, f *detectors.Finding) (verdict, error) {
	open, at, err := e.standsAt(s, f)
	if err != nil {
		return verdict{}, err
	}
	o := &(*open)[at]
	o.most = f.Most
	if o.muted {
		return verdict{}, nil
	}
	it, err := e.mustException(o.id)
	if err != nil {
		return verdict{}, err
	}
	e.exceptions.touch(it)
	x := &it.value.Exception
	d := e.describe(f)
	if err := e.advise(s, &d, x.SLADue); err != nil {
		return verdict{}, err
	}
	e.unrank(x)
	e.meta.exposure.add(d.Exposure - x.Exposure)
	x.Reason = d.Reason
	x.Evidence = d.Evidence
	x.Confidence = detectors.Round4(f.Confidence)
	x.Severity = d.Severity
	x.Exposure = d.Exposure
	x.Recommendations = d.Recommendations
	e.rank(x)
	e.amend(it, inventory.Change{Status: x.Status, By: byHoldfast, Note: d.Reason})
	return verdict{exception: it, kind: "change", rule: d.Rule}, nil
}

// clear resolves an exception. Of one that a person ended there is nothing left to say.
func (e *Engine) clear(s scene, f *detectors.Finding) (verdict, error) {
	open, at, err := e.standsAt(s, f)
	if err != nil {
		return verdict{}, err
	}
	o := &(*open)[at]
	if o.muted {
		*open = slices.Delete(*open, at, at+1)
		return verdict{}, nil
	}
	it, err := e.mustException(o.id)
	if err != nil {
		return verdict{}, err
	}
	if e.dwells(s, o, &it.value.Exception) {
		return verdict{}, nil
	}
	*open = slices.Delete(*open, at, at+1)
	e.exceptions.touch(it)
	x := &it.value.Exception
	d := e.describe(f)
	x.Reason = d.Reason
	x.Evidence = d.Evidence
	x.Confidence = detectors.Round4(f.Confidence)
	e.end(it, inventory.Change{Status: inventory.Resolved, By: byHoldfast, Note: d.Reason})
	return verdict{exception: it, kind: "resolve", rule: d.Rule}, nil
}

// dwells reports whether an exception is to stand for a while longer, and sees to it that its key is looked at then; armPlace sees to a
// location.
func (e *Engine) dwells(s scene, o *opened, x *inventory.Exception) bool {
	rule := e.policy.RuleAt(x.Class, e.at(x.SKU, x.Location, o.scope.Channel))
	until := min(x.OpenedAt+rule.Dwell, inventory.MillisMax)
	if e.meta.watermark >= until {
		return false
	}
	if o.endsAt != until && s.rec != nil {
		e.setTimer(until, timerDwell, s.rec.key)
	}
	o.endsAt = until
	return true
}

// endDwelt finds again that those are over which have stood for as long as their policy wants, unless their condition was found again.
func (e *Engine) endDwelt(open []opened) {
	for i := range open {
		o := &open[i]
		if o.endsAt == 0 || o.endsAt > e.meta.watermark {
			continue
		}
		if !slices.ContainsFunc(e.found, func(f detectors.Finding) bool { return f.Scope == o.scope }) {
			e.found = append(e.found, detectors.Finding{Scope: o.scope, Edge: detectors.Clear, Confidence: 1})
		}
	}
}

// end gives an exception, which is touched, its final status, and says so.
func (e *Engine) end(it *item[exception], c inventory.Change) {
	x := &it.value.Exception
	e.unrank(x)
	e.meta.standing.Exceptions--
	e.meta.exposure.add(-x.Exposure)
	x.Status = c.Status
	x.Recommendations = nil
	e.rank(x)
	e.amend(it, c)
	e.setTimer(e.meta.watermark+endedRetention, timerEnded, x.ID)
}

// amend notes a change that was made of an exception, which is touched, and says so, at once or in its turn.
func (e *Engine) amend(it *item[exception], c inventory.Change) {
	c.At = e.meta.watermark
	note(&it.value.Exception, c)
	e.sayChange(it, c.By)
}

func (e *Engine) mustException(id string) (*item[exception], error) {
	it, err := e.exceptions.get([]byte(id))
	if err == nil && it == nil {
		err = fmt.Errorf("exception %s is open but not in the store", id)
	}
	return it, err
}

// describe lets the finding's own detector put it into words.
func (e *Engine) describe(f *detectors.Finding) detectors.Description {
	if e.view.Price == 0 { // no delta ever said
		e.view.Price = e.item(e.view.SKU).Price
	}
	for _, table := range [...][]detectors.Detector{e.detectors, e.placeDetectors} {
		for i := range table {
			if table[i].Class == f.Class {
				d := table[i].Describe(&e.view, f)
				plainNumbers(d.Evidence)
				return d
			}
		}
	}
	panic(fmt.Sprintf("finding of class %s, which no detector has", f.Class))
}

// concerned returns the channels that an exception of that scope concerns, by name.
func (e *Engine) concerned(s scene, scope detectors.Scope) []string {
	names := []string{}
	switch {
	case scope.Channel != "":
		names = append(names, scope.Channel)
	case s.rec == nil:
	case scope.Network:
		names = append(names, s.net.value.channels...)
	default:
		for i := range s.rec.value.Channels {
			names = append(names, s.rec.value.Channels[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

// sayException puts a copy of the exception among the outputs: the original goes on changing.
func (e *Engine) sayException(x *inventory.Exception) {
	said := *x
	said.Evidence = maps.Clone(x.Evidence)
	said.Channels = slices.Clone(x.Channels)
	said.Recommendations = slices.Clone(x.Recommendations)
	said.History = slices.Clone(x.History)
	e.say(Output{Exception: &said})
}

// auditAll puts verdicts into the audit trail, with what stood before and what stands now. r is nil where they
// are about a network.
func (e *Engine) auditAll(verdicts []verdict, r *record, n *network) {
	if len(verdicts) == 0 {
		return
	}
	before, after := e.figuresBefore(r), e.figures(r, n)
	for i := range verdicts {
		e.audit(&verdicts[i], before, after)
	}
}

// audit puts a verdict into the audit trail.
func (e *Engine) audit(v *verdict, before, after *inventory.Figures) {
	x := &v.exception.value.Exception
	autonomy := inventory.Autonomy("")
	if len(v.commands) > 0 {
		autonomy, _ = e.onWhoseWord(x)
	}
	commands := v.commands
	if commands == nil {
		commands = []string{}
	}
	e.say(Output{Decision: &inventory.Decision{
		ID:        e.nextID("a"),
		Decision:  v.kind,
		Exception: x.ID,
		Class:     x.Class,
		SKU:       x.SKU,
		Location:  x.Location,
		Commands:  commands,
		Rule:      v.rule,
		Reason:    x.Reason,
		Inputs:    maps.Clone(x.Evidence),
		Before:    before,
		After:     after,
		Policy:    e.policy.Version,
		Autonomy:  autonomy,
		By:        e.person.by,
		Note:      e.person.note,
		EventTime: e.meta.watermark,
		IssuedAt:  e.logTime,
		Cause:     e.cause,
	}})
}
