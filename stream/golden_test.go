package stream

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/holdfast-atp/holdfast/internal/golden"
)

// TestAnOutboxIsReadAsEver: what waits in the outbox of a folder that is opened again.
func TestAnOutboxIsReadAsEver(t *testing.T) {
	o := Output{
		Ordinal: 300, Kind: Rejected, Subject: "holdfast.rejected.late",
		Headers: []Header{{HeaderError, "late: time: more than a day"}, {HeaderPartition, "3"}, {HeaderSequence, "17"}, {HeaderIndex, "0"}},
		Data:    []byte(`{"id":"1"}`),
	}
	now := AppendOutput(nil, &o)
	kept := golden.Bytes(t, fmt.Sprintf("output-%d", outputFormat), now)
	if string(kept) != string(now) {
		t.Errorf("written as %x, it was %x: a change of bytes has a number of its own", now, kept)
	}
	if got, err := ParseOutput(300, kept); err != nil || !reflect.DeepEqual(got, o) {
		t.Errorf("read as %+v, %v", got, err)
	}
}
