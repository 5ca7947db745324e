package inventory

// Quantities are the figures of one key that availability is made of.
type Quantities struct {
	OnHand      int64 `json:"on_hand"`
	Unavailable int64 `json:"unavailable"`
	Reserved    int64 `json:"reserved"`
	Safety      int64 `json:"safety"`
	Inbound     int64 `json:"inbound"`    // announced by ASN, not yet received
	InTransit   int64 `json:"in_transit"` // sent here by another location, not yet in
}

// Available is what could be sold if nothing were promised or kept back.
func (q Quantities) Available() int64 { return q.OnHand - q.Unavailable }

// ATP is what may still be promised; negative where too much was.
func (q Quantities) ATP() int64 { return q.Available() - q.Reserved - q.Safety }

// Availability is the answer to "what can we promise here?" for one key.
type Availability struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
	Quantities
	Available int64                 `json:"available"`
	ATP       int64                 `json:"atp"`
	Channels  []ChannelAvailability `json:"channels"`            // by channel name
	CountedAt Millis                `json:"counted_at,omitzero"` // of the latest count; absent where there was none
	Price     int64                 `json:"price,omitempty"`     // last known unit price, minor units
}

// ChannelAvailability is one channel's part of an [Availability].
type ChannelAvailability struct {
	Channel   string `json:"channel"`
	ATP       int64  `json:"atp"`                 // ATP less what other channels' ring-fences still hold
	Allocated int64  `json:"allocated"`           // its own ring-fence as set
	Fenced    int64  `json:"fenced"`              // what its own ring-fence still holds
	Listed    *int64 `json:"listed"`              // what the channel shows; null where it never said
	Held      bool   `json:"held"`                // a hold binds it here
	Throttled *int64 `json:"throttled,omitempty"` // what a throttle lets it show here; absent where none binds it
}

// SKUAvailability is the answer for all locations of one SKU.
type SKUAvailability struct {
	SKU       string           `json:"sku"`
	ATP       int64            `json:"atp"`      // Σ max(0, ATP) over the locations
	Channels  []NetworkChannel `json:"channels"` // by channel name
	Locations []Availability   `json:"locations"`
	Position
}

// NetworkChannel is a channel's network ATP: locations held for it are left out.
type NetworkChannel struct {
	Channel string `json:"channel"`
	ATP     int64  `json:"atp"`
	Held    bool   `json:"held"` // a hold binds it in the whole network
}

// LocationAvailability is the answer for one key, with the partition's position.
type LocationAvailability struct {
	Availability
	Position
}

// Position says how far a partition had read when it gave an answer.
type Position struct {
	Partition int    `json:"partition"`
	Sequence  uint64 `json:"position"`   // stream sequence of the last message applied
	EventTime Millis `json:"event_time"` // its watermark
}
