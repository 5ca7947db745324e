package detectors

import (
	"strings"

	"github.com/holdfast-atp/holdfast/inventory"
)

// Limits are the thresholds of all classes that a policy may set; [Usual] are those where it does not. What is not in here, a
// detector has as constants of its own.
type Limits struct {
	Phantom Alarm

	OversellClear float64 // units to promise at which an oversell ends

	Risk Risk

	MismatchTolerance float64          // share of the record by which a snapshot may be off
	MismatchInFlight  inventory.Millis // what moved so long before or after a snapshot may be in it or not
	MismatchSettles   inventory.Millis // after its time a snapshot is judged

	StaleExcess float64          // share of what a channel may sell by which it has to show more
	StaleGrace  inventory.Millis // for which it may where it is held, or was wrong from the start

	ReceiptLate   float64          // share of their lead by which goods may be late
	ReceiptSettle inventory.Millis // after the latest receipt units are held against those announced
	TransferLate  float64          // as ReceiptLate, for transfers

	Returns      Odds             // of returns
	BacklogUnits float64          // that are a backlog of what came back
	BacklogShare float64          // of those on hand that are one
	BacklogGrace inventory.Millis // for which they may wait

	AdjustAlarm  float64 // sum of corrections, in units of the location's mean one, at which they are raised
	AdjustCalm   float64 // and cleared
	AdjustOften  float64 // corrections of late that are many
	AdjustOthers float64 // how many times as many as other keys have

	Spike Odds // of demand events within an hour; no Times
	Promo Odds // that a promotion runs out; no Least and no Times

	OverloadRaise float64 // units waiting, as a share of what can still be done
	OverloadClear float64

	Cancels Odds // of cancellations

	SilentEvents float64          // moments with a sale that are missing
	SilentLeast  inventory.Millis // for which a feed has to be silent
	SilentKnown  float64          // moments with a sale that its rhythm has to be learned from
}

// Odds are the thresholds of a class that goes by the chance of what it sees.
type Odds struct {
	Least, Times float64 // how many there have to be, and how many times as many as usual
	Raise, Clear float64 // chances
}

// Usual returns the limits where no policy sets any. Phantoms, and when risks are raised and cleared, have none: a policy always says.
func Usual() Limits {
	return Limits{
		OversellClear:     clearAt,
		Risk:              Risk{Step: riskStep, Dwell: riskDwell, Lag: LagPrior{riskLag, riskLagWeight}},
		MismatchTolerance: 1.0 / snapshotTolerance, MismatchInFlight: inFlight, MismatchSettles: snapshotSettles,
		StaleExcess: 1.0 / listingExcess, StaleGrace: listingGrace,
		ReceiptLate: 1.0 / graceShare, ReceiptSettle: settleAfter, TransferLate: 1.0 / graceShare,
		Returns:      Odds{returnsLeast, returnTimes, returnRaise, returnClear},
		BacklogUnits: backlogLeast, BacklogShare: 1.0 / backlogShare, BacklogGrace: backlogGrace,
		AdjustAlarm: adjustAlarm, AdjustCalm: adjustCalm, AdjustOften: adjustOften, AdjustOthers: adjustOthers,
		Spike:         Odds{Least: spikeLeast, Raise: spikeRaise, Clear: spikeClear},
		Promo:         Odds{Raise: promoRaise, Clear: promoClear},
		OverloadRaise: 1, OverloadClear: 0.9,
		Cancels:      Odds{cancelsLeast, cancelTimes, cancelRaise, cancelClear},
		SilentEvents: silentEvents, SilentLeast: silentLeast, SilentKnown: silentKnown,
	}
}

// Number returns the limit that policies call so, the class and a name of its own, and nil where there is none.
func (l *Limits) Number(path string) *float64 {
	switch path {
	case "oversell.clear_units":
		return &l.OversellClear
	case "oversell_risk.step":
		return &l.Risk.Step
	case "stock_mismatch.tolerance":
		return &l.MismatchTolerance
	case "stale_listing.excess":
		return &l.StaleExcess
	case "receipt_discrepancy.late_share":
		return &l.ReceiptLate
	case "transfer_delay.late_share":
		return &l.TransferLate
	case "return_distortion.returns":
		return &l.Returns.Least
	case "return_distortion.times":
		return &l.Returns.Times
	case "return_distortion.raise_chance":
		return &l.Returns.Raise
	case "return_distortion.clear_chance":
		return &l.Returns.Clear
	case "return_distortion.backlog_units":
		return &l.BacklogUnits
	case "return_distortion.backlog_share":
		return &l.BacklogShare
	case "adjustment_anomaly.alarm":
		return &l.AdjustAlarm
	case "adjustment_anomaly.calm":
		return &l.AdjustCalm
	case "adjustment_anomaly.often":
		return &l.AdjustOften
	case "adjustment_anomaly.others":
		return &l.AdjustOthers
	case "demand_spike.events":
		return &l.Spike.Least
	case "demand_spike.raise_chance":
		return &l.Spike.Raise
	case "demand_spike.clear_chance":
		return &l.Spike.Clear
	case "promo_stockout.raise_chance":
		return &l.Promo.Raise
	case "promo_stockout.clear_chance":
		return &l.Promo.Clear
	case "fulfilment_overload.raise_share":
		return &l.OverloadRaise
	case "fulfilment_overload.clear_share":
		return &l.OverloadClear
	case "cancellation_anomaly.cancellations":
		return &l.Cancels.Least
	case "cancellation_anomaly.times":
		return &l.Cancels.Times
	case "cancellation_anomaly.raise_chance":
		return &l.Cancels.Raise
	case "cancellation_anomaly.clear_chance":
		return &l.Cancels.Clear
	case "feed_stale.expected_sales":
		return &l.SilentEvents
	case "feed_stale.known_sales":
		return &l.SilentKnown
	}
	return nil
}

// Span is Number for limits that are times.
func (l *Limits) Span(path string) *inventory.Millis {
	switch path {
	case "oversell_risk.calm":
		return &l.Risk.Dwell
	case "oversell_risk.lag":
		return &l.Risk.Lag.Mean
	case "stock_mismatch.in_flight":
		return &l.MismatchInFlight
	case "stock_mismatch.settle":
		return &l.MismatchSettles
	case "stale_listing.grace":
		return &l.StaleGrace
	case "receipt_discrepancy.settle":
		return &l.ReceiptSettle
	case "return_distortion.backlog_grace":
		return &l.BacklogGrace
	case "feed_stale.silence":
		return &l.SilentLeast
	}
	return nil
}

// On returns the limits for a channel of the view's key or location.
func (v *View) On(channel string) *Limits {
	if v.LimitsOn == nil {
		return v.limits()
	}
	return v.LimitsOn(channel)
}

func (v *View) limits() *Limits {
	if v.Limits == nil {
		u := Usual()
		return &u
	}
	return v.Limits
}

// part returns that share of n, towards zero. A product that is a hair below the whole number that it stands for is that number.
func part(n int64, share float64) int64 {
	return int64(float64(float64(n)*share) * (1 + 1e-12))
}

// lasts writes a time for people: 15m, 48h, 1h30m.
func lasts(d inventory.Millis) string {
	text := d.Time().Sub(inventory.Millis(0).Time()).String()
	for _, none := range [...]string{"0s", "0m"} {
		if rest, ends := strings.CutSuffix(text, none); ends && rest != "" && strings.ContainsAny(rest[len(rest)-1:], "hm") {
			text = rest
		}
	}
	return text
}
