package load

import "github.com/holdfast-atp/holdfast/inventory"

// group is of the kinds that begin something and those that end it.
type group uint8

const (
	alone group = iota
	order
	inbound
	transfer
	groups
)

// refPrefixes are what the refs of a group begin with.
var refPrefixes = [groups]string{alone: "r-", order: "o-", inbound: "po-", transfer: "t-"}

// shape is what a delta of one kind looks like.
type shape struct {
	begins, ends group
	units        int64 // its quantity is 1 to 3 times this; 0: a full shelf
	channel      bool
	price        bool
	ref          bool // to what it begins or ends; where it does neither, to itself
	reason       string
	elsewhere    bool             // it names a counterparty
	due          inventory.Millis // after its time; 0: none
}

var shapes = [...]shape{
	inventory.Sale:        {units: 1, channel: true, price: true},
	inventory.Reserve:     {units: 1, channel: true, ref: true, begins: order},
	inventory.Release:     {units: 1, ref: true, ends: order},
	inventory.Ship:        {units: 1, ref: true, ends: order},
	inventory.Return:      {units: 1, reason: "sellable"},
	inventory.ASN:         {units: 40, ref: true, due: 2 * inventory.Day, begins: inbound},
	inventory.Receipt:     {units: 40, ref: true, ends: inbound},
	inventory.TransferOut: {units: 5, ref: true, elsewhere: true, due: inventory.Day, begins: transfer},
	inventory.TransferIn:  {units: 5, ref: true, ends: transfer},
	inventory.Adjust:      {units: 1, reason: "found"},
	inventory.Block:       {units: 1, reason: "damage"},
	inventory.Unblock:     {units: 1, reason: "checked"},
	inventory.Count:       {},
	inventory.Snapshot:    {},
	inventory.Listing:     {units: 10, channel: true},
	inventory.Safety:      {units: 1},
	inventory.Allocate:    {units: 10, channel: true},
	inventory.PickFailed:  {units: 1, ref: true},
	inventory.Substitute:  {units: 1, ref: true},
	inventory.Promo:       {units: 10, ref: true, due: 7 * inventory.Day},
	inventory.Task:        {units: 1},
	inventory.TaskDone:    {units: 1},
	inventory.Capacity:    {units: 1000, due: 8 * inventory.Hour},
	inventory.Tick:        {units: 1},
}

var channels = [...]string{"web", "store", "amazon"}
