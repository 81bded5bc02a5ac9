package poster

import (
	"runtime"
	"syscall"
	"time"
)

// measure runs do, and returns how long it ran on the processor and how long it took.
func measure(do func()) (cpu, wall time.Duration) {
	runtime.LockOSThread() // the kernel counts by thread
	defer runtime.UnlockOSThread()
	before, start := threadTime(), time.Now()
	do()
	return threadTime() - before, time.Since(start)
}

// threadTime is how long this thread has run.
func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
