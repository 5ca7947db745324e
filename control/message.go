package control

import (
	"encoding/json"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Limits of a message.
const (
	BytesMax     = 512 << 10            // of a message
	NameBytesMax = inventory.IDBytesMax // of id, exception, by and owner
	NoteBytesMax = 2 << 10              // of a note
	EntriesMax   = 4096                 // SKUs and locations of master data
)

// Kind is what a message is.
type Kind string

// The kinds of message.
const (
	KindDecision Kind = "decision" // a person decided about an exception
	KindPolicy   Kind = "policy"   // a policy takes effect; it goes to every partition
	KindMaster   Kind = "master"   // what is known of SKUs, which goes to their partition, and of locations, which goes to every one
)

// Action is what a person decided about an exception.
type Action string

// The actions.
const (
	Approve Action = "approve" // commands may follow
	Reject  Action = "reject"  // it is none: dismissed, and what it held is released
	Resolve Action = "resolve" // it is dealt with, and what it held is released
	Assign  Action = "assign"  // somebody else answers for it
)

// Actions returns every action there is.
func Actions() []Action { return []Action{Approve, Reject, Resolve, Assign} }

// Message is one message.
type Message struct {
	ID   string           // a repeat changes nothing
	By   string           // who sent it
	Time inventory.Millis // when, by the sender's clock; 0: not said. It decides nothing

	Decision Decision          // of KindDecision
	Policy   string            // of KindPolicy: its text; "" where m is of another kind
	Master   *inventory.Master // of KindMaster; nil where m is of another kind
}

// Kind returns what m is.
func (m *Message) Kind() Kind {
	switch {
	case m.Policy != "":
		return KindPolicy
	case m.Master != nil:
		return KindMaster
	}
	return KindDecision
}

// Decision is what a person decided about one exception.
type Decision struct {
	Exception string // its id
	Action    Action
	Note      string // why; "": not said
	Owner     string // who answers for it from now on; "": as before. Assign needs one
}

// wire is a message as it is written.
type wire struct {
	ID        string `json:"id"`
	Kind      Kind   `json:"kind"`
	Exception string `json:"exception,omitempty"`
	Action    Action `json:"action,omitempty"`
	By        string `json:"by"`
	Note      string `json:"note,omitempty"`
	Owner     string `json:"owner,omitempty"`
	Policy    string `json:"policy,omitempty"`
	inventory.Master
	Time inventory.Millis `json:"time,omitzero"`
}

// Encode writes m as Parse reads it.
func Encode(m *Message) ([]byte, error) {
	d := &m.Decision
	w := wire{
		ID: m.ID, Kind: m.Kind(), By: m.By, Time: m.Time,
		Exception: d.Exception, Action: d.Action, Note: d.Note, Owner: d.Owner, Policy: m.Policy,
	}
	if m.Master != nil {
		w.Master = *m.Master
	}
	return json.Marshal(w)
}

// Unfit returns why an exception that stands like that can't be decided so; "" where it can.
func Unfit(action Action, status inventory.Status) string {
	switch {
	case status == inventory.Resolved:
		return "it is resolved already"
	case status == inventory.Dismissed:
		return "it is dismissed already"
	case action == Approve && status == inventory.Acting:
		return "it acts already"
	}
	return ""
}
