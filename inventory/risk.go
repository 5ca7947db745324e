package inventory

// Risk is what may become of a key within a window to come.
type Risk struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
	Supplier string `json:"supplier,omitempty"` // as master data say, else who announced what is inbound; "": not known
	Until    Millis `json:"until"`              // the end of the window; it begins at the partition's watermark

	// Probability is that more is promised within the window than can be found: an order is taken that can't be filled.
	Probability float64 `json:"probability"`

	Empty    float64 `json:"empty"`    // probability that nothing of what is on record is to be found
	RunsOut  float64 `json:"runs_out"` // probability that more is asked for than there is to promise, were the record right
	Expected float64 `json:"expected"` // units that are likely asked for
	ATP      int64   `json:"atp"`
	Due      int64   `json:"due"` // units that are due within the window

	Exposure int64 `json:"exposure"` // what is at risk if it happens, minor units
	Worth    int64 `json:"worth"`    // probability × exposure: what lists are in order of

	Channels []ChannelRisk `json:"channels"` // those that list something, likeliest first
}

// ChannelRisk is a channel's part of a [Risk].
type ChannelRisk struct {
	Channel     string  `json:"channel"`
	Probability float64 `json:"probability"` // that it takes such an order
}
