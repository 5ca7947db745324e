package inventory

import "encoding/json"

// Figures are what stood around a decision. Of a decision about a whole network there is no one
// location's stock.
type Figures struct {
	Stock   *StockFigures  `json:"stock,omitempty"`
	Network NetworkFigures `json:"network"`
	Open    []string       `json:"open"` // ids of the exceptions that stood at the key and in its network
	Held    []string       `json:"held"` // channels that were held; "web@*" is one that was held everywhere

	// Throttled are channels that were throttled, with what they might show: "web=3", "web@*=3".
	Throttled []string `json:"throttled,omitempty"`
}

// StockFigures are a key's.
type StockFigures struct {
	Quantities
	ATP                int64   `json:"atp"`
	PhantomProbability float64 `json:"phantom_probability"` // that none of what is on record is there
}

// NetworkFigures are a SKU's over all its locations.
type NetworkFigures struct {
	Locations int   `json:"locations"`
	Sum       int64 `json:"sum"` // Σ ATP, shortfalls included
	ATP       int64 `json:"atp"` // Σ max(0, ATP)
}

// Explanation is a decision again: what tipped it, the state before and after, the rule and the policy. What is not kept any
// more is nil.
type Explanation struct {
	Command   *Command   `json:"command,omitempty"`   // that was asked for
	Decision  *Decision  `json:"decision"`            // of which it was a part
	Exception *Exception `json:"exception,omitempty"` // as it stands now
	Tipped    Tipped     `json:"tipped_by"`
}

// Tipped is what tipped a decision, as the log has it: a delta, or what a person decided.
type Tipped struct {
	Cause
	StoredAt Millis          `json:"stored_at"`
	Delta    json.RawMessage `json:"delta,omitempty"`
	Message  json.RawMessage `json:"message,omitempty"`
	Gone     string          `json:"gone,omitempty"` // why there is neither
}
