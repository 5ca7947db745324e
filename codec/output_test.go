package codec

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-atp/holdfast/inventory"
)

func TestOutputsAreReadAgainAndAlwaysTheSameBytes(t *testing.T) {
	command := inventory.Command{
		ID: "3-17-2-0", Action: inventory.Throttle, Channel: "web & more", SKU: "a b", Location: inventory.Network, Sellable: 4, Revision: 7,
		Exception: "x3-1-1-0", Class: inventory.OversellRisk, Confidence: 0.75, Reason: "Four <left>.", Autonomy: inventory.Approved, ApprovedBy: "kim",
		Policy: "p1", EventTime: 1000, IssuedAt: 2000, ExpiresAt: 3000, Cause: inventory.Cause{Partition: 3, Sequence: 17, Index: 2},
		Evidence: map[string]any{"text": "b", "ratio": 0.5, "a": "c", "z": "y"},
	}
	for _, e := range []Encoding{JSON, Msgpack} {
		data, err := EncodeCommand(&command, e)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if again, err := EncodeCommand(&command, e); err != nil || !bytes.Equal(data, again) {
				t.Fatalf("%s: %q and then %q, %v", e, data, again, err)
			}
		}
		if got, err := DecodeCommand(data); err != nil || !reflect.DeepEqual(got, command) {
			t.Errorf("%s: got %+v, %v", e, got, err)
		}
		if e == JSON && (!bytes.Contains(data, []byte(`"channel":"web & more"`)) || !bytes.Contains(data, []byte("Four <left>."))) {
			t.Errorf("JSON is not as people read it: %s", data)
		}
	}

	exception := inventory.Exception{
		ID: "x1", Class: inventory.Oversell, SKU: "a", Location: "b", Channels: []string{"web"}, Status: inventory.Acting, Severity: inventory.High,
		Evidence: map[string]any{"n": "1"}, Recommendations: []inventory.Recommendation{{Action: "count", Why: "so"}},
		OpenedAt: 5, UpdatedAt: 6, History: []inventory.Change{{At: 5, Status: inventory.Acting, By: "holdfast", Note: "n"}},
	}
	data, err := EncodeException(&exception)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeException(data); err != nil || !reflect.DeepEqual(got, exception) {
		t.Errorf("exception: got %+v, %v", got, err)
	}
	decision := inventory.Decision{ID: "a1", Decision: "open", Commands: []string{"c"}, Inputs: map[string]any{"x": "y"}, EventTime: 9}
	if data, err = EncodeDecision(&decision); err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeDecision(data); err != nil || !reflect.DeepEqual(got, decision) {
		t.Errorf("decision: got %+v, %v", got, err)
	}
	for _, broken := range []string{"", "{", "\xc1", "[]"} {
		if c, err := DecodeCommand([]byte(broken)); err == nil {
			t.Errorf("%q is a command: %+v", broken, c)
		}
	}
}

func TestPartitionIsFNVOfTheToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sku, partitions := rapid.String().Draw(t, "sku"), rapid.IntRange(1, 4096).Draw(t, "partitions")
		h := fnv.New32a()
		h.Write([]byte(Token(sku)))
		if got, want := Partition(sku, partitions), int(h.Sum32()%uint32(partitions)); got != want {
			t.Fatalf("%q of %d: %d, want %d", sku, partitions, got, want)
		}
		if back, err := ParseToken(Token(sku)); err != nil || back != sku {
			t.Fatalf("token %q of %q is %q again, %v", Token(sku), sku, back, err)
		}
	})
	for s, want := range map[string]string{"plain-1_A": "plain-1_A", "a b.c*>": "a=20b=2Ec=2A=3E", "é": "=C3=A9", "=": "=3D", "": ""} {
		if got := Token(s); got != want {
			t.Errorf("token of %q is %q, want %q", s, got, want)
		}
	}
	for _, bad := range []string{"=", "=4", "=4a", "=41", "a.b", "a b", "=GG"} {
		if s, err := ParseToken(bad); err == nil {
			t.Errorf("%q is taken for the token of %q", bad, s)
		}
	}
}

// benchmarks of the decoder beside the libraries.
func BenchmarkDecode(b *testing.B) {
	for name, form := range forms {
		payload := manyDeltas(form)
		b.Run(fmt.Sprint(name, "/ours"), func(b *testing.B) {
			var batch Batch
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Decode(payload)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/delta")
		})
	}
	b.Run("map/msgpack.v5", func(b *testing.B) { benchLibrary(b, libraryMaps) })
	b.Run("array/msgpack.v5", func(b *testing.B) { benchLibrary(b, libraryArrays) })
	b.Run("JSON/encoding.json", func(b *testing.B) { benchLibrary(b, libraryJSON) })
}
