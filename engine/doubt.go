package engine

// Doubt is what is believed of a key at the watermark.
type Doubt struct {
	Probability float64 // that none of the recorded stock is to be found, 0–1
	OnHand, ATP int64
}

// Doubt returns what is believed of a key; false where no delta has named it. It changes nothing: whoever looks does
// not move the location's clock on.
func (e *Engine) Doubt(sku, location string) (Doubt, bool, error) {
	rec, err := e.records.get(appendRecordKey(nil, sku, location))
	if err != nil || rec == nil {
		return Doubt{}, false, err
	}
	s, err := e.scene(rec)
	if err != nil {
		return Doubt{}, false, err
	}
	e.show(s)
	feed, vouched := s.pl.value.feed, s.pl.value.vouched
	src, err := e.sourceOf(&s.pl.value)
	if err != nil {
		return Doubt{}, false, err
	}
	if !src.gone {
		vouched = max(vouched, src.value.vouched)
	}
	feed.Vouch(min(vouched, e.meta.watermark))
	v := e.view
	v.Feed = &feed
	return Doubt{v.Belief.Probability(&v), v.OnHand, v.ATP()}, true, nil
}
