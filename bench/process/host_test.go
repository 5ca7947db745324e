package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

func TestARoleEndsWithItsInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, parent := io.Pipe()
		var out bytes.Buffer
		served := make(chan error)
		letGo := false
		go func() {
			served <- Serve(t.Context(), func(ctx context.Context, h *Host) error {
				<-ctx.Done()
				letGo = true
				return nil
			}, in, &out)
		}()
		_, _ = io.WriteString(parent, "{}\n")
		synctest.Wait()
		_ = parent.Close()
		if err := <-served; err != nil || !letGo || out.Len() > 0 {
			t.Errorf("served with %v, let go %v, said %q", err, letGo, out.String())
		}
	})
}

func TestALastErrorIsToldToo(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("not closed cleanly"): `{"kind":"failed","error":"not closed cleanly"}` + "\n",
		context.Canceled:                 "", // it was told to stop
	} {
		in, parent := io.Pipe()
		go func() {
			_, _ = io.WriteString(parent, "{}\n")
			_ = parent.Close()
		}()
		var out bytes.Buffer
		got := Serve(t.Context(), func(ctx context.Context, h *Host) error { <-ctx.Done(); return err }, in, &out)
		if out.String() != want || (got == nil) != (want == "") {
			t.Errorf("%v: served with %v, said %q", err, got, out.String())
		}
	}
}

func TestARoleThatDoesNotLetGoIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stay := make(chan struct{})
		err := Serve(t.Context(), func(context.Context, *Host) error { <-stay; return nil }, strings.NewReader("{}\n"), io.Discard)
		if err == nil || !strings.Contains(err.Error(), LetGoMax.String()) {
			t.Errorf("got %v", err)
		}
		close(stay)
	})
}

func TestServeTellsWhyTheRoleFailed(t *testing.T) {
	in, parent := io.Pipe()
	go func() { _, _ = io.WriteString(parent, "{}\n") }()
	var out bytes.Buffer
	err := Serve(t.Context(), func(context.Context, *Host) error { return errors.New("no disk") }, in, &out)
	if err == nil || out.String() != `{"kind":"failed","error":"no disk"}`+"\n" {
		t.Errorf("%v; said %q", err, out.String())
	}
	_ = parent.Close()
}

func TestServeWantsAConfiguration(t *testing.T) {
	role := func(context.Context, *Host) error { t.Error("the role was played"); return nil }
	for _, in := range []string{"", "{}"} { // the second was cut off
		if err := Serve(t.Context(), role, strings.NewReader(in), io.Discard); err == nil {
			t.Errorf("%q was enough", in)
		}
	}
}

func TestWhatIsNotAQuestionEndsTheRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, parent := io.Pipe()
		served := make(chan error)
		go func() {
			served <- Serve(t.Context(), func(ctx context.Context, h *Host) error { return h.Serve(ctx, nil) }, in, io.Discard)
		}()
		_, _ = io.WriteString(parent, "{}\nhello\n")
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatCannotBeSaidIsAnError(t *testing.T) {
	h := &Host{out: &lines{w: io.Discard}}
	for what, say := range map[string]func(any) error{"ready": h.Ready, "progress": h.Progress} {
		if say(make(chan int)) == nil {
			t.Errorf("%s: a channel went through JSON", what)
		}
	}
}
