package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-atp/holdfast/control"
	"github.com/holdfast-atp/holdfast/inventory"
	"github.com/holdfast-atp/holdfast/policy"
)

// controlSource stands for a source where the ids of control messages are kept. No delta has such
// a name.
const controlSource = "\x00control"

// person is whose decision is being carried out.
type person struct{ by, note string }

// reason says why a command about x is given. What made x open is no reason to release what it held.
func (p person) reason(action inventory.Action, x *inventory.Exception) string {
	if p.by == "" || action != inventory.Unhold {
		return x.Reason
	}
	reason := fmt.Sprintf("%s ended the %s of %s: it is %s", p.by, strings.ReplaceAll(string(x.Class), "_", " "), x.SKU, x.Status)
	if p.note != "" {
		return reason + ", “" + p.note + "”."
	}
	return reason + "."
}

// Control takes in the next message of the log that is no delta. It moves no watermark: a person's
// decision says nothing about when stock changed.
func (e *Engine) Control(at At, m *control.Message) (Result, error) {
	e.begin(at)
	if err := e.sayDeferred(); err != nil {
		return Result{}, fmt.Errorf("carry out %s %q of %q: %w", m.Kind(), m.ID, m.By, err)
	}
	id := e.ids.Hash(&inventory.Delta{Source: controlSource, ID: m.ID})
	known, err := e.ids.Known(id, e.meta.watermark)
	if err != nil {
		return Result{}, err
	}
	if known {
		e.meta.counters.Duplicates++
		return Result{Outcome: Duplicate}, nil
	}
	switch m.Kind() {
	case control.KindPolicy:
		p, err := policy.Parse(m.Policy)
		if err != nil {
			return e.reject(at, &inventory.Invalid{Reason: inventory.OutOfRange, Field: "policy", Detail: err.Error()}), nil
		}
		e.setPolicy(m, p)
	case control.KindMaster:
		bad, err := e.know(m)
		if err != nil {
			return Result{}, fmt.Errorf("take in master data %q of %q: %w", m.ID, m.By, err)
		}
		if bad != nil {
			return e.reject(at, bad), nil
		}
	default:
		e.person = person{m.By, m.Decision.Note}
		err = e.decide(m)
		e.person = person{}
		if err = errors.Join(err, e.fault); err != nil {
			return Result{}, fmt.Errorf("carry out %s %q of %q: %w", m.Kind(), m.ID, m.By, err)
		}
	}
	e.ids.Add(id, e.meta.watermark)
	e.meta.counters.Applied++
	return Result{Outcome: Applied}, nil
}

// decide carries a person's decision out, or says in the audit trail why it can't be.
func (e *Engine) decide(m *control.Message) error {
	it, err := e.exceptions.get([]byte(m.Decision.Exception))
	if err != nil {
		return err
	}
	if it == nil {
		e.refuseDecision(m, &inventory.Exception{ID: m.Decision.Exception}, "there is no such exception")
		return nil
	}
	x := &it.value.Exception
	if why := control.Unfit(m.Decision.Action, x.Status); why != "" {
		e.refuseDecision(m, x, why)
		return nil
	}
	if x.Class == inventory.GuardBreach {
		return e.decideGuard(m, it)
	}
	if x.Location == inventory.Network {
		return e.decideNetwork(m, it)
	}
	for i := range e.placeDetectors {
		if e.placeDetectors[i].Class == x.Class {
			return e.decidePlace(m, it)
		}
	}
	return e.decideRecord(m, it)
}

// decideRecord is decide for an exception of one location.
func (e *Engine) decideRecord(m *control.Message, it *item[exception]) error {
	x := &it.value.Exception
	rec, err := e.records.get(appendRecordKey(nil, x.SKU, x.Location))
	if err != nil {
		return err
	}
	if rec == nil {
		return fmt.Errorf("exception %s stands, but its record is not in the store", x.ID)
	}
	s, err := e.scene(rec)
	if err != nil {
		return err
	}
	if err := e.vouch(s.pl); err != nil {
		return err
	}
	e.records.touch(rec)
	e.show(s)
	e.view.Belief.Hold(&e.view)
	e.remember(&rec.value)
	e.before.network = s.net.value.figures()
	e.listStanding(&rec.value, &s.net.value)
	v, err := e.settleDecision(m, it, rec.value.open)
	if err != nil {
		return err
	}
	verdicts, err := e.directRecord(rec, []verdict{v})
	if err != nil {
		return err
	}
	e.auditAll(verdicts, &rec.value, &s.net.value)
	e.show(s) // holds came or went
	e.view.Belief.Hold(&e.view)
	e.armAlarm(s, false)
	return nil
}

// decideNetwork is decide for an exception of a SKU's whole network.
func (e *Engine) decideNetwork(m *control.Message, it *item[exception]) error {
	net, err := e.networks.get([]byte(it.value.SKU))
	if err != nil {
		return err
	}
	if net == nil {
		return fmt.Errorf("exception %s stands, but its network is not in the store", it.value.ID)
	}
	e.networks.touch(net)
	e.before.network = net.value.figures()
	e.listStanding(nil, &net.value)
	v, err := e.settleDecision(m, it, net.value.open)
	if err != nil {
		return err
	}
	verdicts, err := e.directNetwork(net, []verdict{v})
	if err != nil {
		return err
	}
	e.auditAll(verdicts, nil, &net.value)
	return nil
}

// settleDecision changes the exception, and where it stands among those that are open. What it holds
// is to be brought into line after that.
func (e *Engine) settleDecision(m *control.Message, it *item[exception], open []opened) (verdict, error) {
	x, d := &it.value.Exception, &m.Decision
	at := slices.IndexFunc(open, func(o opened) bool { return o.id == x.ID })
	if at < 0 {
		return verdict{}, fmt.Errorf("exception %s is %s, but nothing is open there", x.ID, x.Status)
	}
	e.exceptions.touch(it)
	x.Owner = cmp.Or(d.Owner, x.Owner)
	change := inventory.Change{Status: x.Status, By: m.By, Note: d.Note, Decision: m.ID}
	switch d.Action {
	case control.Assign:
		change.Note = cmp.Or(d.Note, "assigned to "+d.Owner)
		e.amend(it, change)
	case control.Approve:
		open[at].acting = true
		x.Status, x.ApprovedBy = inventory.Acting, m.By
		change.Status = inventory.Acting
		e.amend(it, change)
	case control.Reject, control.Resolve:
		open[at].acting, open[at].muted = false, true
		change.Status = inventory.Dismissed
		if d.Action == control.Resolve {
			change.Status = inventory.Resolved
		}
		e.end(it, change)
	}
	return verdict{exception: it, kind: string(d.Action), rule: "a person decides"}, nil
}

// onWhoseWord says on whose word a command about x is given now.
func (e *Engine) onWhoseWord(x *inventory.Exception) (inventory.Autonomy, string) {
	if by := cmp.Or(e.person.by, x.ApprovedBy); by != "" {
		return inventory.Approved, by
	}
	return inventory.Auto, ""
}

// refuseDecision puts a decision into the audit trail that changes nothing, and why. What x does not say of
// itself stays empty.
func (e *Engine) refuseDecision(m *control.Message, x *inventory.Exception, why string) {
	e.say(Output{Decision: &inventory.Decision{
		ID:        e.nextID("a"),
		Decision:  string(m.Decision.Action),
		Exception: x.ID,
		Class:     x.Class,
		SKU:       x.SKU,
		Location:  x.Location,
		Commands:  []string{},
		Rule:      "a person decides",
		Inputs:    map[string]any{},
		Policy:    e.policy.Version,
		By:        m.By,
		Note:      m.Decision.Note,
		Refused:   why,
		EventTime: e.meta.watermark,
		IssuedAt:  e.logTime,
		Cause:     e.cause,
	}})
}
