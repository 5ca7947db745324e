package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
)

// Spec says what to run.
type Spec struct {
	Name   string   // in errors and reports: broker, holdfast, driver
	Path   string   // of the program; "" is the one that is running
	Args   []string // without the program's name
	Config any      // as JSON, what Host.Config reads

	// Progress hears of each Host.Progress, on a goroutine of the process's; nil: nobody does.
	Progress func(json.RawMessage)
}

// Process is a child. Ready and Ask are for one goroutine. Stop and Kill are for another, and end
// what the one waits for; Usage is for any.
type Process struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *lines // over in
	ready   chan json.RawMessage
	answers chan reply
	stderr  *tail
	done    chan struct{} // closed when it has ended, after failure was set
	failure error

	told atomic.Bool // failure was returned; nobody has to hear it twice

	mu   sync.Mutex
	last Usage // the last that was seen; final once ended
}

// Start runs a program. Whoever starts it calls Stop or Kill.
func Start(spec Spec) (*Process, error) {
	path := spec.Path
	if path == "" {
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name, err)
		}
	}
	p := &Process{
		name:    spec.Name,
		cmd:     exec.Command(path, spec.Args...),
		ready:   make(chan json.RawMessage, 1),
		answers: make(chan reply, 1),
		stderr:  &tail{},
		done:    make(chan struct{}),
	}
	p.cmd.Stderr = p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	p.in, p.out = in, &lines{w: in}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	go p.run(out, spec.Progress)
	if err := p.out.write(spec.Config); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: configuration: %w", spec.Name, err), p.Kill())
	}
	return p, nil
}

// run reads what the child says until it ends.
func (p *Process) run(out io.Reader, progress func(json.RawMessage)) {
	var failed string
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var said reply
		if err := json.Unmarshal(line, &said); err != nil {
			failed = fmt.Sprintf("said %.100q, which is no JSON", line)
			continue
		}
		switch said.Kind {
		case kindReady:
			offer(p.ready, said.Value)
		case kindProgress:
			if progress != nil {
				progress(said.Value)
			}
		case kindAnswer:
			offer(p.answers, said)
		case kindFailed:
			failed = said.Error
		}
	}
	_, _ = p.Usage() // its greatest memory, as long as the system still knows it
	err := p.cmd.Wait()
	switch {
	case failed != "":
		p.failure = fmt.Errorf("%s: %s", p.name, failed)
	case err != nil:
		p.failure = fmt.Errorf("%s ended: %w%s", p.name, err, p.stderr)
	default:
		p.failure = fmt.Errorf("%s ended", p.name)
	}
	p.mu.Lock()
	p.last.RSS = 0
	p.last.CPU, p.last.Known = p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime(), true
	p.mu.Unlock()
	close(p.done)
}

// offer never blocks: what a child says unasked is thrown away, for the reader has to go on.
func offer[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// Name is the process's.
func (p *Process) Name() string { return p.name }

// Done is closed when the process has ended, for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ready waits until the child says that it is, and reads what it says into a value, nil for none.
func (p *Process) Ready(ctx context.Context, into any) error {
	select {
	case value := <-p.ready:
		return p.decode(value, into)
	case <-p.done:
		return p.tell()
	case <-ctx.Done():
		return fmt.Errorf("%s is not ready: %w", p.name, ctx.Err())
	}
}

// Ask asks the child and waits for the answer. After ctx has ended in between, the process is of
// no more use but to be stopped.
func (p *Process) Ask(ctx context.Context, what string, into any) error {
	if err := p.out.write(question{what}); err != nil {
		select {
		case <-p.done:
			return p.tell()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case a := <-p.answers:
		if a.Error != "" {
			return fmt.Errorf("%s: %s: %s", p.name, what, a.Error)
		}
		return p.decode(a.Value, into)
	case <-p.done:
		return p.tell()
	case <-ctx.Done():
		return fmt.Errorf("%s: %s: %w", p.name, what, ctx.Err())
	}
}

func (p *Process) decode(value json.RawMessage, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// Stop lets go of the child, waits until it has ended, and returns its error where it did not
// end well and Ready or Ask have not returned it already. Where ctx ends before, the child is killed.
func (p *Process) Stop(ctx context.Context) error {
	_ = p.in.Close() // an error means that it is closed
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s does not let go: %w", p.name, ctx.Err()), p.Kill())
	}
	if !p.cmd.ProcessState.Success() && !p.told.Load() {
		return p.tell()
	}
	return nil
}

// tell returns why the process has ended.
func (p *Process) tell() error {
	p.told.Store(true)
	return p.failure
}

// Kill ends the child as a power cut would, and waits until it has ended.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	_ = p.in.Close()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// tailBytesMax bounds what is kept of what a child writes to its standard error.
const tailBytesMax = 4 << 10

// tail keeps the end of what is written to it. It is written to by the goroutine that
// cmd.Wait waits for, and read after that.
type tail struct{ text []byte }

func (t *tail) Write(text []byte) (int, error) {
	t.text = append(t.text, text...)
	if over := len(t.text) - tailBytesMax; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(text), nil
}

func (t *tail) String() string {
	if len(t.text) == 0 {
		return ""
	}
	return ": " + string(t.text)
}
