//go:build amd64 || arm64

package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 wherever Go runs.
const tick = 10 * time.Millisecond

// processCPU returns the CPU time that a process has used, user and system
// (fields 14 and 15 of /proc/PID/stat, proc(5)).
func processCPU(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("--pid %d: there is no such process here", pid)
	}
	// The second field is the name, in brackets, and may hold anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("--pid %d: /proc/%d/stat has %d fields", pid, pid, len(fields)+2)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("--pid %d: /proc/%d/stat cannot be read", pid, pid)
	}
	return time.Duration(user+system) * tick, nil
}

// processRSS returns the memory of a process that is in RAM, in kB (VmRSS of
// /proc/PID/status).
func processRSS(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("--pid %d: there is no such process here", pid)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("--pid %d has ended", pid)
}

// ownCPU returns the CPU time of this process, threadCPU that of the calling
// thread.
func ownCPU() time.Duration    { return usage(syscall.RUSAGE_SELF) }
func threadCPU() time.Duration { return usage(syscall.RUSAGE_THREAD) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineCPU returns the CPU time that was used on this machine since it was
// started, without what is idle or waits for disks (first line of /proc/stat,
// proc(5)); 0 if that cannot be told.
func machineCPU() time.Duration {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	var sum int64
	for i, field := range strings.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal; guests are in user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * tick
}
