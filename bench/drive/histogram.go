package drive

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram is how long things took, in nanoseconds. In JSON it is a string: HDR's own compressed
// encoding, version 2, in base64, which HdrHistogram's tools read.
type Histogram struct{ *hdrhistogram.Histogram }

const (
	tookMost   = time.Hour // whatever takes longer counts as this long
	tookDigits = 3
)

func newHistogram() Histogram {
	return Histogram{hdrhistogram.New(1, int64(tookMost), tookDigits)}
}

// record counts n things that took so long.
func (h Histogram) record(took time.Duration, n int64) {
	if err := h.RecordValues(int64(min(max(took, 1), tookMost)), n); err != nil {
		panic("drive: " + err.Error()) // never: the value is within the bounds
	}
}

// at returns what that percentage took at most; 0 where there is nothing.
func (h Histogram) at(percentile float64) time.Duration {
	return time.Duration(h.ValueAtPercentile(percentile))
}

// MarshalJSON writes HDR's encoding; null for the zero Histogram.
func (h Histogram) MarshalJSON() ([]byte, error) {
	if h.Histogram == nil {
		return []byte("null"), nil
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode a histogram: %w", err)
	}
	return json.Marshal(string(encoded))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var encoded string
	if err := json.Unmarshal(data, &encoded); err != nil {
		return fmt.Errorf("read a histogram: %w", err)
	}
	if encoded == "" {
		h.Histogram = nil
		return nil
	}
	decoded, err := hdrhistogram.Decode([]byte(encoded))
	if err != nil {
		return fmt.Errorf("read a histogram: %w", err)
	}
	h.Histogram = decoded
	return nil
}
