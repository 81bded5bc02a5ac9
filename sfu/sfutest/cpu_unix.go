//go:build unix

package sfutest

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime returns how much of the processors this process has used so far.
func CPUTime(tb testing.TB) (user, system time.Duration) {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())
}
