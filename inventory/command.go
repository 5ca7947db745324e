package inventory

// Action is what a command tells a channel to do.
type Action string

// The actions. A release says that the channel may show Sellable again.
const (
	Hold     Action = "hold"     // show 0
	Throttle Action = "throttle" // show at most Sellable
	Unhold   Action = "release"  // show Sellable again
)

// Network is the location of a command that binds a channel everywhere.
const Network = "*"

// Autonomy says on whose word a command was given.
type Autonomy string

// The two ways in which a command comes about.
const (
	Auto     Autonomy = "auto"     // policy let holdfast act by itself
	Approved Autonomy = "approved" // a person said yes
)

// Cause names the delta that tipped a decision.
type Cause struct {
	Partition int    `json:"partition" msgpack:"partition"`
	Sequence  uint64 `json:"sequence" msgpack:"sequence"` // of the message in the partition's stream
	Index     int    `json:"index" msgpack:"index"`       // of the delta within the message
}

// Command is what a channel is told. Its ID is a function of its Cause, so the
// same log gives the same commands, after any crash and on any machine.
type Command struct {
	ID         string         `json:"id" msgpack:"id"`
	Action     Action         `json:"action" msgpack:"action"`
	Channel    string         `json:"channel" msgpack:"channel"`
	SKU        string         `json:"sku" msgpack:"sku"`
	Location   string         `json:"location" msgpack:"location"` // or Network
	Sellable   int64          `json:"sellable" msgpack:"sellable"` // units the channel may show now, ≥ 0
	Revision   uint64         `json:"revision" msgpack:"revision"` // rises by one with each command for this channel, sku and location
	Exception  string         `json:"exception" msgpack:"exception"`
	Class      Class          `json:"class" msgpack:"class"`
	Confidence float64        `json:"confidence" msgpack:"confidence"` // 0–1
	Reason     string         `json:"reason" msgpack:"reason"`         // one sentence for a planner
	Evidence   map[string]any `json:"evidence" msgpack:"evidence"`     // the figures that decided, by name
	Autonomy   Autonomy       `json:"autonomy" msgpack:"autonomy"`
	ApprovedBy string         `json:"approved_by,omitempty" msgpack:"approved_by,omitempty"`
	Policy     string         `json:"policy" msgpack:"policy"` // its version
	EventTime  Millis         `json:"event_time" msgpack:"event_time"`
	IssuedAt   Millis         `json:"issued_at" msgpack:"issued_at"`   // when the log took the cause in
	ExpiresAt  Millis         `json:"expires_at" msgpack:"expires_at"` // event time at which it lapses unless renewed
	Cause      Cause          `json:"cause" msgpack:"cause"`
}
