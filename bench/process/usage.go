package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Usage is what the operating system has charged to a process.
type Usage struct {
	CPU    time.Duration // user and system
	RSS    int64         // bytes of memory that are resident; 0: not known
	RSSMax int64         // the most that ever was; 0: not known
	Known  bool          // CPU is as of now; false where the system tells only at the end
}

// Usage returns what the process has used so far, and what it used in all once it has ended.
// An error means that the system's answer made no sense.
func (p *Process) Usage() (Usage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return p.last, nil
	default:
	}
	now, err := readUsage(p.cmd.Process.Pid)
	if errors.Is(err, os.ErrNotExist) {
		return p.last, nil // no /proc here, or it has just ended
	}
	if err != nil {
		return p.last, fmt.Errorf("%s: %w", p.name, err)
	}
	if now.RSSMax == 0 {
		now.RSS, now.RSSMax = 0, p.last.RSSMax // it has ended, and nobody has waited for it yet
	}
	p.last = now
	return now, nil
}

// tick is what the kernel gives times in: USER_HZ is 100 wherever Go runs on Linux.
const tick = time.Second / 100

// readUsage reads /proc. ErrNotExist where there is none, or no such process.
func readUsage(pid int) (u Usage, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return u, err
	}
	if u.CPU, err = parseStat(stat); err != nil {
		return u, err
	}
	u.Known = true
	// The peak that wait4 reports begins with what the parent had when it forked; the
	// kernel's high-water mark is of the program alone.
	u.RSS, u.RSSMax, err = parseStatus(status)
	return u, err
}

// Positions in /proc/PID/stat after the command, which stands in brackets and may hold
// anything, brackets and spaces included.
const (
	statUser   = 11
	statSystem = 12
)

// parseStat reads the time that a process has run from its /proc/PID/stat.
func parseStat(text []byte) (time.Duration, error) {
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= statSystem {
		return 0, fmt.Errorf("/proc stat has %d fields after the command", len(fields))
	}
	var ticks int64
	for _, f := range fields[statUser : statSystem+1] {
		n, err := strconv.ParseUint(string(f), 10, 40) // 2⁴⁰ ticks are three centuries
		if err != nil {
			return 0, fmt.Errorf("/proc stat: %w", err)
		}
		ticks += int64(n)
	}
	return time.Duration(ticks) * tick, nil
}

// parseStatus reads memory from a /proc/PID/status. A process that has ended has none.
func parseStatus(text []byte) (rss, peak int64, err error) {
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var into *int64
		switch string(name) {
		case "VmRSS":
			into = &rss
		case "VmHWM":
			into = &peak
		default:
			continue
		}
		number, _, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
		kib, err := strconv.ParseUint(string(number), 10, 50)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc status: %s: %w", name, err)
		}
		*into = int64(kib) << 10
	}
	return rss, peak, nil
}
