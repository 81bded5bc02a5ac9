package sfutest

import (
	"fmt"
	"testing"
)

// batch is how many packets a round of Forwarding has: what comes of one frame of
// a stream of 2.5 Mbit/s.
const batch = 8

// Forwarding measures what forwarding costs 1, 100 and 1,000 viewers, in ns for
// each packet of each viewer. prepare returns a round, which forwards packets to
// all of its viewers. A round that allocates fails the benchmark.
func Forwarding(b *testing.B, prepare func(b *testing.B, viewers, packets int) (round func())) {
	for _, viewers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			round := prepare(b, viewers, batch)
			if n := testing.AllocsPerRun(10, round); n != 0 {
				b.Errorf("a round of %d packets to %d viewers allocates %v times", batch, viewers, n)
			}
			b.ReportAllocs()
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch*viewers), "ns/forwarded")
		})
	}
}
