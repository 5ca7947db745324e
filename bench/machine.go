package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-atp/holdfast/bench/report"
)

// machine says where the figures are found; dir is on the disk that is measured.
func machine(dir string) (m report.Machine, err error) {
	m = Machine()
	m.DiskSync, err = diskSync(dir)
	return m, err
}

// Machine says where figures are found that need no disk. What the system does not tell stays empty.
func Machine() report.Machine {
	m := report.Machine{
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		CPU:         procValue("/proc/cpuinfo", "model name"),
		Cores:       runtime.GOMAXPROCS(0),
		MemoryBytes: kib(procValue("/proc/meminfo", "MemTotal")),
		Go:          runtime.Version(),
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	return m
}

// procValue returns the value of the first line "name : value" of a file of /proc; "" for none.
func procValue(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kib reads "123 kB" as bytes; 0 for what is none.
func kib(text string) int64 {
	number, _, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(number, 10, 50)
	if err != nil {
		return 0
	}
	return n << 10
}

// syncs is how often the disk is asked to sync, for the median.
const syncs = 101

// diskSync is the median time that the disk takes to sync 4 KiB appended to a file: what each
// acknowledgement costs at least where the broker syncs always.
func diskSync(dir string) (median time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	took := make([]time.Duration, 0, syncs)
	block := make([]byte, 4096)
	for range cap(took) {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// moduleVersion is the version of a module in this program, "" where it is not known.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			if m.Replace != nil {
				return fmt.Sprintf("%s (replaced by %s %s)", m.Version, m.Replace.Path, m.Replace.Version)
			}
			return m.Version
		}
	}
	return ""
}
