package ws

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

const (
	benchViewers = 300
	benchFPS     = 30
	benchFrame   = 2_500_000 / 8 / benchFPS // bytes: 2.5 Mbit/s
	benchSound   = 50                       // packets a second
	// benchClients names, in the environment, the stream that a child process
	// watches: what the clients cost must not be counted with what the server does.
	benchClients = "WEIR_BENCH_CLIENTS"
)

// BenchmarkFeed plays seconds of a stream, in real time, to 300 viewers with real
// sockets in another process, and tells what a viewer costs the server.
func BenchmarkFeed(b *testing.B) {
	s := newWatchServer(b, Config{})
	stream := s.publish("a/bench", sfutest.Clip{})
	stop := startBenchClients(b, s.url)
	defer stop()
	for stream.publication.Info().Viewers < benchViewers {
		time.Sleep(time.Millisecond)
	}
	f := s.feed(stream)
	play := benchStream(stream)
	play() // all have begun
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	muxed, user, system := f.muxed.Load(), time.Duration(0), time.Duration(0)
	user, system = sfutest.CPUTime(b)
	for b.Loop() {
		play()
	}
	user2, system2 := sfutest.CPUTime(b)
	runtime.ReadMemStats(&after)
	viewerSeconds := float64(b.N * benchViewers)
	messages := float64(f.muxed.Load()-muxed) * benchViewers
	b.ReportMetric(float64((user2-user).Microseconds())/viewerSeconds, "user-µs/viewer-s")
	b.ReportMetric(float64((system2-system).Microseconds())/viewerSeconds, "system-µs/viewer-s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/messages, "allocs/message")
	b.ReportMetric(messages/viewerSeconds, "messages/viewer-s")
}

// benchStream returns a function that writes the next second of a stream in a
// second.
func benchStream(b *broadcast) (play func()) {
	second := 0
	return func() {
		start, picture, sound := time.Now(), 0, 0
		for picture < benchFPS || sound < benchSound {
			nextPicture, nextSound := time.Duration(picture)*time.Second/benchFPS, time.Duration(sound)*time.Second/benchSound
			time.Sleep(time.Until(start.Add(min(nextPicture, nextSound))))
			at := time.Duration(second) * time.Second
			if picture < benchFPS && nextPicture <= nextSound {
				key := second%2 == 0 && picture == 0
				b.video.WriteFrame(media.Frame{PTS: at + nextPicture, Sync: key, Data: sfutest.VP8Frame(picture, key, benchFrame)})
				picture++
			} else {
				b.audio.WriteFrame(media.Frame{PTS: at + nextSound, Sync: true, Data: sfutest.OpusFrame(sound, 80)})
				sound++
			}
		}
		second++
		time.Sleep(time.Until(start.Add(time.Second)))
	}
}

// startBenchClients runs clients in another process until stop is called.
func startBenchClients(b *testing.B, url string) (stop func()) {
	child := exec.Command(os.Args[0], "-test.run=^TestBenchClients$")
	child.Env = append(os.Environ(), benchClients+"="+url)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		in.Close()
		if err := child.Wait(); err != nil {
			b.Errorf("clients: %v", err)
		}
	}
}

// TestBenchClients is the clients of BenchmarkFeed, in a process of their own. In
// any other it has nothing to do.
func TestBenchClients(t *testing.T) {
	address := os.Getenv(benchClients)
	if address == "" {
		return
	}
	var readers sync.WaitGroup
	t.Cleanup(readers.Wait)
	for range benchViewers {
		conn, err := connect(address, "a/bench")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		readers.Go(func() {
			if n, _ := io.Copy(io.Discard, conn); n == 0 {
				fmt.Fprintln(os.Stderr, "a client got nothing")
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark is over
}
