package bench

import (
	"time"

	"github.com/holdfast-atp/holdfast/bench/process"
	"github.com/holdfast-atp/holdfast/bench/report"
)

// account is what processes used from the moment at which it was opened.
type account struct {
	processes []*process.Process
	before    []process.Usage
}

func openAccount(processes ...*process.Process) (*account, error) {
	a := &account{processes: processes, before: make([]process.Usage, len(processes))}
	for i, p := range processes {
		var err error
		if a.before[i], err = p.Usage(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// addNew adds a process all of whose life is in the account.
func (a *account) addNew(p *process.Process) {
	a.processes, a.before = append(a.processes, p), append(a.before, process.Usage{})
}

// close says what each process used since then. Of one of which the system says nothing before
// it has ended, the CPU is 0: not known.
func (a *account) close() ([]report.Process, error) {
	used := make([]report.Process, len(a.processes))
	for i, p := range a.processes {
		now, err := p.Usage()
		if err != nil {
			return nil, err
		}
		used[i] = report.Process{Name: p.Name(), RSSMax: now.RSSMax}
		if now.Known {
			used[i].CPU = max(now.CPU-a.before[i].CPU, 0)
		}
	}
	return used, nil
}

// perCoreSecond gives the deltas that went through for each second of a core's time: of all
// processes together, and of each. Where one is not known, neither is the sum.
func perCoreSecond(deltas uint64, used []report.Process) []report.Metric {
	var each []report.Metric
	var all time.Duration
	for _, p := range used {
		all += p.CPU
		if p.CPU > 0 {
			each = append(each, higher(coreSecond+" of "+p.Name, report.PerCoreSecond, float64(deltas)/p.CPU.Seconds()))
		}
	}
	if len(each) == 0 || len(each) < len(used) {
		return each
	}
	return append([]report.Metric{higher(coreSecond, report.PerCoreSecond, float64(deltas)/all.Seconds())}, each...)
}

const coreSecond = "per core-second"

// coreSeconds names the metrics of perCoreSecond.
func coreSeconds(processes ...string) []string {
	names := []string{coreSecond}
	for _, p := range processes {
		names = append(names, coreSecond+" of "+p)
	}
	return names
}

// memoryOf is the most memory that a process had, where that is known.
func memoryOf(name string, used []report.Process) []report.Metric {
	for _, p := range used {
		if p.Name == name && p.RSSMax > 0 {
			return []report.Metric{lower("memory", report.Bytes, float64(p.RSSMax))}
		}
	}
	return nil
}

// memorySeries turns what a watch saw into series.
func memorySeries(seen []process.Memory) (all []report.Series) {
	for _, m := range seen {
		s := report.Series{Name: report.PlotMemory + "/" + m.Name, Unit: report.Bytes, At: m.At, Value: make([]float64, len(m.RSS))}
		for i, bytes := range m.RSS {
			s.Value[i] = float64(bytes)
		}
		if len(s.At) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func higher(name, unit string, value float64) report.Metric {
	return report.Metric{Name: name, Unit: unit, Value: value, Better: report.Higher}
}

func lower(name, unit string, value float64) report.Metric {
	return report.Metric{Name: name, Unit: unit, Value: value, Better: report.Lower}
}

// neither is a metric that is told, and is not better either way.
func neither(name, unit string, value float64) report.Metric {
	return report.Metric{Name: name, Unit: unit, Value: value}
}
