//go:build !linux

package poster

import "time"

// measure runs do, and returns how long it ran on the processor, which is taken to be
// all the time, and how long it took.
func measure(do func()) (cpu, wall time.Duration) {
	start := time.Now()
	do()
	wall = time.Since(start)
	return wall, wall
}
