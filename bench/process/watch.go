package process

import (
	"sync"
	"time"
)

// Memory is how much memory a process had, over time.
type Memory struct {
	Name string
	At   []float64 // seconds from the start of the watch
	RSS  []int64   // bytes
}

// Watch samples the memory of processes until it is stopped. It starts one goroutine.
type Watch struct {
	stop    chan struct{}
	done    sync.WaitGroup
	samples []Memory // the goroutine's until it is done
}

// NewWatch samples each process now and then every so often. Where the system does not say,
// there are no samples.
func NewWatch(every time.Duration, processes ...*Process) *Watch {
	w := &Watch{stop: make(chan struct{}), samples: make([]Memory, len(processes))}
	for i, p := range processes {
		w.samples[i].Name = p.Name()
	}
	start := time.Now()
	w.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			for i, p := range processes {
				if u, err := p.Usage(); err == nil && u.RSS > 0 {
					w.samples[i].At = append(w.samples[i].At, time.Since(start).Seconds())
					w.samples[i].RSS = append(w.samples[i].RSS, u.RSS)
				}
			}
			select {
			case <-ticker.C:
			case <-w.stop:
				return
			}
		}
	})
	return w
}

// Stop ends the watch and returns what it saw, by process; once.
func (w *Watch) Stop() []Memory {
	close(w.stop)
	w.done.Wait()
	return w.samples
}
