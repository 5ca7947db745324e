package quality_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-atp/holdfast/bench/quality"
	"github.com/holdfast-atp/holdfast/bench/report"
)

// small is a study of some seconds.
func small(workers int) quality.Config {
	return quality.Config{
		Seeds: quality.TuningSeeds(2), Phantoms: []float64{quality.Target}, Stores: 3, SKUs: 24, Warm: 4, Days: 5, Workers: workers,
	}
}

// TestAStudyIsAReport: it has every scenario, and figures for each of the targets.
func TestAStudyIsAReport(t *testing.T) {
	r, err := quality.Run(t.Context(), small(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	scenarios := map[string]report.Scenario{}
	for _, s := range r.Scenarios {
		scenarios[s.Name] = s
		if len(s.Runs) != 2 {
			t.Errorf("%s has %d runs, want one a seed", s.Name, len(s.Runs))
		}
	}
	targets := 0
	for _, name := range []string{"oversell", "phantom-3", "classes"} {
		for _, m := range scenarios[name].Summaries() {
			if m.Target != nil {
				targets++
			}
		}
	}
	if targets < 8 {
		t.Errorf("%d figures with targets", targets)
	}
	for _, s := range scenarios["phantom-3-methods"].Summaries() {
		if strings.HasPrefix(s.Name, "AUPRC") && (s.Median <= 0 || s.Median > 1) {
			t.Errorf("%s is %g", s.Name, s.Median)
		}
	}
	if len(scenarios["phantom-3"].Plots) != 4 {
		t.Errorf("%d plots", len(scenarios["phantom-3"].Plots))
	}
	for _, print := range []func() error{
		func() error { return report.WriteTable(new(strings.Builder), r) },
		func() error { return report.WriteHTML(new(strings.Builder), r) },
		func() error { return report.Write(new(strings.Builder), r) },
	} {
		if err := print(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSameSeedsGiveTheSameFigures(t *testing.T) {
	one, err := quality.Run(t.Context(), small(1))
	if err != nil {
		t.Fatal(err)
	}
	two, err := quality.Run(t.Context(), small(2))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, two) {
		t.Error("two workers found other figures than one")
	}
}

func TestAStudyCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := quality.Run(ctx, small(2)); err == nil {
		t.Error("an interrupted study gave figures")
	}
}

// TestNobodyTunesOnTestSeeds: as many as anybody takes of each are apart.
func TestNobodyTunesOnTestSeeds(t *testing.T) {
	tuning := quality.TuningSeeds(10_000)
	for _, seed := range quality.TestSeeds(10_000) {
		if slices.Contains(tuning, seed) {
			t.Fatalf("seed %d is both", seed)
		}
	}
}
