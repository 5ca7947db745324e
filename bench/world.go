package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/role"
)

// session is the measuring of one scenario.
type session struct {
	*Options
	header *Header
	dir    string // of this scenario, removed after it
	rates  *rates

	caveats []string // see report.Scenario
}

// caveat keeps what has to be known about the figures of a run, counted from 0; "" is nothing.
func (s *session) caveat(run int, what string) {
	if what != "" {
		s.caveats = append(s.caveats, fmt.Sprintf("run %d: %s", run+1, what))
		s.say("note: %s", what)
	}
}

func (s *session) say(format string, args ...any) {
	s.Say(s.header.Name + ": " + fmt.Sprintf(format, args...))
}

// world is a broker in a process of its own, with its folder, and whoever else plays there.
type world struct {
	session *session
	dir     string
	broker  *process.Process
	url     string
	playing []*process.Process // the broker first
}

// letGoMax bounds how long the processes of a world may take to end.
const letGoMax = process.LetGoMax + 10*time.Second

func (s *session) newWorld(ctx context.Context) (w *world, err error) {
	dir, err := os.MkdirTemp(s.dir, "world-")
	if err != nil {
		return nil, err
	}
	w = &world{session: s, dir: dir}
	var ready role.BrokerReady
	w.broker, err = w.play(ctx, role.Broker, role.BrokerConfig{Dir: filepath.Join(dir, "nats"), SyncAlways: s.header.SyncAlways}, &ready, nil)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.url = ready.URL
	return w, nil
}

// play starts a role and waits until it is ready.
func (w *world) play(ctx context.Context, name string, config, ready any, progress func(json.RawMessage)) (*process.Process, error) {
	p, err := process.Start(process.Spec{
		Name:     name,
		Path:     w.session.Program[0],
		Args:     append(slices.Clone(w.session.Program[1:]), name),
		Config:   config,
		Progress: progress,
	})
	if err != nil {
		return nil, err
	}
	w.playing = append(w.playing, p)
	return p, p.Ready(ctx, ready)
}

// ask plays a role for the answer to one question.
func (w *world) ask(ctx context.Context, name string, config any, question string, answer any) error {
	p, err := w.play(ctx, name, config, nil, nil)
	if err != nil {
		return err
	}
	if err := p.Ask(ctx, question, answer); err != nil {
		return err
	}
	return w.stop(p)
}

// stop lets go of one of those that play.
func (w *world) stop(p *process.Process) error {
	w.forget(p)
	ctx, cancel := context.WithTimeout(context.Background(), letGoMax)
	defer cancel()
	return p.Stop(ctx)
}

// kill ends one of those that play as a power cut would.
func (w *world) kill(p *process.Process) error {
	w.forget(p)
	return p.Kill()
}

func (w *world) forget(p *process.Process) {
	w.playing = slices.DeleteFunc(w.playing, func(other *process.Process) bool { return other == p })
}

// close ends all that still play, the broker last, and removes the folder.
func (w *world) close() error {
	var errs []error
	for len(w.playing) > 0 {
		errs = append(errs, w.stop(w.playing[len(w.playing)-1]))
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// stateDir is where holdfast keeps the state of a prefix.
func (w *world) stateDir(prefix string) string { return filepath.Join(w.dir, "state-"+prefix) }

// dirBytes adds up the sizes of the files in a folder. Files may come and go meanwhile.
func dirBytes(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}
