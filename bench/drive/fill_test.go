package drive

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/load"
	"github.com/holdfast-atp/holdfast/stream"
)

// TestFillStoresTheLoad reads back what it stored, whole and in order, and fills a second deployment with the same messages.
func TestFillStoresTheLoad(t *testing.T) {
	m := load.Mix{Seed: 2, Keys: 300, Skew: 1.1, Oversell: 0.03, Duplicates: 0.02}
	for _, packing := range []int{1, 7} {
		const partitions, deltas = 2, 700
		w := newWorld(t, stream.Topology{Partitions: partitions})
		plan := FillPlan{URL: w.server.URL(), Partitions: partitions, Mix: m, Shelves: true, Deltas: deltas, Packing: packing}
		filled, err := Fill(testContext(t), plan)
		must(t, err)
		stored := w.payloads()
		want := encoded(t, m, true, deltas, partitions)
		var messages, size, count int
		for p, of := range stored {
			if got := bytes.Join(of, nil); !bytes.Equal(got, want[p]) {
				t.Errorf("packed by %d, partition %d has other deltas than the load", packing, p)
			}
			for i, payload := range of {
				n := deltasIn(t, payload)
				if n > packing || n < packing && i < len(of)-1 {
					t.Errorf("packed by %d, message %d of %d has %d deltas", packing, i, len(of), n)
				}
				messages++
				size += len(payload)
				count += n
			}
		}
		if filled.Messages != uint64(messages) || filled.Bytes != uint64(size) || filled.Deltas != uint64(count) || count != 300+deltas {
			t.Errorf("%+v, but there are %d messages, %d bytes, %d deltas", filled, messages, size, count)
		}
		if filled.Counts.Deltas != deltas || filled.Counts.Probes == 0 || filled.Elapsed <= 0 || !filled.Latest.After(m.Start) {
			t.Errorf("%+v", filled)
		}
		again := newWorld(t, stream.Topology{Partitions: partitions})
		plan.URL = again.server.URL()
		_, err = Fill(testContext(t), plan)
		must(t, err)
		if !reflect.DeepEqual(again.payloads(), stored) {
			t.Errorf("packed by %d, a second deployment has other messages", packing)
		}
	}
}

func TestFillEndsWithItsContext(t *testing.T) {
	w := newWorld(t, stream.Topology{Partitions: 2})
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	_, err := Fill(ctx, FillPlan{URL: w.server.URL(), Partitions: 2, Deltas: 1 << 40})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was canceled", err)
	}
}
