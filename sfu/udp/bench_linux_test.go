package udp

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// destinations opens n sockets whose filter drops everything: so the cost is the
// sender's, as far as loopback can tell.
func destinations(b *testing.B, n int) []netip.AddrPort {
	var all []netip.AddrPort
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	for range n {
		c := reader(b, "127.0.0.1:0")
		raw, err := c.SyscallConn()
		if err != nil {
			b.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
		})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, at(c))
	}
	return all
}

// perDatagram reports what one of n datagrams in each turn has cost: the time, and
// that of the processor since start, which a busy machine changes less.
func perDatagram(b *testing.B, n int, start time.Duration) {
	all := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/all, "ns/datagram")
	b.ReportMetric(float64((processor(b)-start).Nanoseconds())/all, "cpu-ns/datagram")
	b.ReportMetric(0, "ns/op") // not reported
}

// processor returns the time that this process has spent, in the kernel too.
func processor(b *testing.B) time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkSend sends bursts of full packets to each destination in turn.
func BenchmarkSend(b *testing.B) {
	p := datagram(1, 1200)
	for _, n := range []int{1, 100} {
		for _, burst := range []int{1, 4, 10} {
			name := fmt.Sprintf("destinations=%d/burst=%d/", n, burst)
			to := destinations(b, n)
			single := func(write func([]byte, netip.AddrPort) (int, error)) func(*testing.B) {
				return func(b *testing.B) {
					b.ReportAllocs()
					start := processor(b)
					for b.Loop() {
						for _, a := range to {
							for range burst {
								if _, err := write(p, a); err != nil {
									b.Fatal(err)
								}
							}
						}
					}
					perDatagram(b, n*burst, start)
				}
			}
			b.Run(name+"UDPConn", single(reader(b, "127.0.0.1:0").WriteToUDPAddrPort))
			b.Run(name+"Conn", single(listen(b, "127.0.0.1:0").WriteToUDPAddrPort))
			b.Run(name+"Batch", func(b *testing.B) {
				batch := listen(b, "127.0.0.1:0").NewBatch()
				b.ReportAllocs()
				start := processor(b)
				for b.Loop() {
					for _, a := range to {
						for range burst {
							batch.Commit(len(append(batch.Reserve(1500), p...)), a)
						}
					}
					batch.Flush()
				}
				perDatagram(b, n*burst, start)
			})
		}
	}
}

// BenchmarkBatch sends bursts of 10 full packets to each destination in turn, by
// every form. Small bursts and other ways of sending are in BenchmarkSend.
func BenchmarkBatch(b *testing.B) {
	const burst = 10
	p := datagram(1, 1200)
	for _, n := range []int{1, 100, 1000} {
		to := destinations(b, n)
		for _, mode := range []Mode{Segmented, Batched, Plain} {
			b.Run(fmt.Sprintf("destinations=%d/%v", n, mode), func(b *testing.B) {
				c := listen(b, "127.0.0.1:0")
				c.socket.lower(mode, unix.EIO)
				batch := c.NewBatch()
				send := func() {
					for _, a := range to {
						for range burst {
							batch.Commit(len(append(batch.Reserve(1500), p...)), a)
						}
					}
					batch.Flush()
				}
				for range 1000/n + 10 { // until it has grown
					send()
				}
				b.ReportAllocs()
				start := processor(b)
				for b.Loop() {
					send()
				}
				perDatagram(b, n*burst, start)
			})
		}
	}
}

// BenchmarkReceive reads bursts of full packets, of one sender each, that came
// one by one or as segments of one message. Sending is not timed.
func BenchmarkReceive(b *testing.B) {
	const senders, burst = 10, 10
	for _, segments := range []bool{false, true} {
		batches := make([]*Batch, senders)
		for i := range batches {
			batches[i] = listen(b, "127.0.0.1:0").NewBatch()
		}
		p := datagram(1, 1200)
		run := func(to net.PacketConn, read func([]byte) (int, netip.AddrPort, error)) func(*testing.B) {
			return func(b *testing.B) {
				buf := make([]byte, 1500)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					for _, batch := range batches {
						for range burst {
							if !segments {
								batch.Flush()
							}
							batch.Commit(len(append(batch.Reserve(1500), p...)), at(to))
						}
						batch.Flush()
					}
					b.StartTimer()
					for range senders * burst {
						if n, _, err := read(buf); n != len(p) || err != nil {
							b.Fatal(n, err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*senders*burst), "ns/datagram")
				b.ReportMetric(0, "ns/op")
			}
		}
		plain, conn := reader(b, "127.0.0.1:0"), listen(b, "127.0.0.1:0")
		b.Run(fmt.Sprintf("segments=%v/UDPConn", segments), run(plain, plain.ReadFromUDPAddrPort))
		b.Run(fmt.Sprintf("segments=%v/Conn", segments), run(conn, conn.ReadFromUDPAddrPort))
	}
}

// BenchmarkCores sends from one goroutine for each core, as shards do: by one socket,
// each with a batch of its own. Compare -cpu 1 with -cpu 2.
func BenchmarkCores(b *testing.B) {
	const each, burst = 100, 10
	c := listen(b, "127.0.0.1:0")
	to := destinations(b, each)
	p := datagram(1, 1200)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		batch := c.NewBatch()
		for pb.Next() {
			for _, a := range to {
				for range burst {
					batch.Commit(len(append(batch.Reserve(1500), p...)), a)
				}
			}
			batch.Flush()
		}
	})
	b.ReportMetric(float64(b.N)*each*burst/b.Elapsed().Seconds(), "datagrams/s")
	b.ReportMetric(0, "ns/op") // not reported
}
