package inventory

// Class is the kind of an exception.
type Class string

// The classes of the contract.
const (
	Oversell            Class = "oversell"
	OversellRisk        Class = "oversell_risk"
	PhantomInventory    Class = "phantom_inventory"
	StockMismatch       Class = "stock_mismatch"
	StaleListing        Class = "stale_listing"
	DemandSpike         Class = "demand_spike"
	PromoStockout       Class = "promo_stockout"
	ReceiptDiscrepancy  Class = "receipt_discrepancy"
	ReturnDistortion    Class = "return_distortion"
	TransferDelay       Class = "transfer_delay"
	FulfilmentOverload  Class = "fulfilment_overload"
	AdjustmentAnomaly   Class = "adjustment_anomaly"
	CancellationAnomaly Class = "cancellation_anomaly"
	FeedStale           Class = "feed_stale"
)

// Classes returns every class there is, in the order of the contract.
func Classes() []Class {
	return []Class{
		Oversell, OversellRisk, PhantomInventory, StockMismatch, StaleListing, DemandSpike,
		PromoStockout, ReceiptDiscrepancy, ReturnDistortion, TransferDelay, FulfilmentOverload,
		AdjustmentAnomaly, CancellationAnomaly, FeedStale,
	}
}

// GuardBreach is the class of an incident that is no detector's: acting by policy alone has stopped on a channel, as a guard
// of the policy wants. It is about no SKU.
const GuardBreach Class = "guard_breach"

// Status is where an exception stands.
type Status string

// The statuses; Resolved and Dismissed are final.
const (
	Open             Status = "open"
	AwaitingApproval Status = "awaiting_approval"
	Acting           Status = "acting"
	Resolved         Status = "resolved"
	Dismissed        Status = "dismissed"
)

// Statuses returns every status there is, in the order of the contract.
func Statuses() []Status {
	return []Status{Open, AwaitingApproval, Acting, Resolved, Dismissed}
}

// Severity ranks exceptions for people.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Recommendation is something a person could do about an exception.
type Recommendation struct {
	Action   string `json:"action"` // hold, throttle, count, transfer, replenish, escalate
	Channel  string `json:"channel,omitempty"`
	From     string `json:"from,omitempty"` // transfer: the giving location
	Quantity int64  `json:"quantity,omitempty"`
	By       Millis `json:"by,omitzero"` // event time; 0: not said

	// Confidence is the probability that a transfer's units are where they are to come from; 0: not said.
	Confidence float64 `json:"confidence,omitempty"`

	Why string `json:"why"`
}

// Change is one entry of an exception's history.
type Change struct {
	At     Millis `json:"at"` // event time
	Status Status `json:"status"`
	By     string `json:"by"` // "holdfast", or who decided
	Note   string `json:"note"`

	// Decision is the id of the person's message that did it; "" where holdfast did.
	Decision string `json:"decision,omitempty"`
}

// Exception is something wrong with the stock of one SKU, from its opening to
// its end.
type Exception struct {
	ID              string           `json:"id"`
	Class           Class            `json:"class"`
	SKU             string           `json:"sku"`
	Location        string           `json:"location"` // or Network
	Channels        []string         `json:"channels"` // whom it concerns, by name
	Status          Status           `json:"status"`
	Severity        Severity         `json:"severity"`
	Exposure        int64            `json:"exposure"` // minor units at risk
	Confidence      float64          `json:"confidence"`
	Owner           string           `json:"owner"`
	ApprovedBy      string           `json:"approved_by,omitempty"` // who let commands follow; "" where nobody was asked
	SLADue          Millis           `json:"sla_due"`
	Reason          string           `json:"reason"`
	Evidence        map[string]any   `json:"evidence"`
	Recommendations []Recommendation `json:"recommendations"`
	OpenedAt        Millis           `json:"opened_at"`  // event time
	UpdatedAt       Millis           `json:"updated_at"` // event time
	History         []Change         `json:"history"`
	Cause           Cause            `json:"cause"`
}

// Decision is one entry of the audit trail: what was decided, on what grounds,
// under which policy.
type Decision struct {
	ID        string         `json:"id"`
	Decision  string         `json:"decision"` // open, change, resolve, hold, release, renew; approve, reject, assign
	Exception string         `json:"exception"`
	Class     Class          `json:"class"`
	SKU       string         `json:"sku"`
	Location  string         `json:"location"`
	Commands  []string       `json:"commands"` // ids of the commands that followed
	Rule      string         `json:"rule"`     // the rule as applied, with its thresholds
	Reason    string         `json:"reason,omitempty"`
	Inputs    map[string]any `json:"inputs"`
	Before    *Figures       `json:"before,omitempty"` // before what tipped it was applied; absent where nothing tipped it
	After     *Figures       `json:"after,omitempty"`  // once it was decided
	Policy    string         `json:"policy"`
	Autonomy  Autonomy       `json:"autonomy"`
	By        string         `json:"by,omitempty"`      // whose decision it was; "" where it was holdfast's
	Note      string         `json:"note,omitempty"`    // what that person wrote
	Refused   string         `json:"refused,omitempty"` // why a person's decision changed nothing; "" where it did
	EventTime Millis         `json:"event_time"`
	IssuedAt  Millis         `json:"issued_at"`
	Cause     Cause          `json:"cause"`
}
