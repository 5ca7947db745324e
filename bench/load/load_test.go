package load_test

import (
	"testing"

	"github.com/holdfast-atp/holdfast/bench/load"
)

func mustNew(t testing.TB, m load.Mix) *load.Load {
	t.Helper()
	l, err := load.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
