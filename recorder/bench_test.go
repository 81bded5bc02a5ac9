package recorder

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/at-wat/ebml-go/webm"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// A recorded stream of the benchmark: 30 pictures a second of 10 kB and 50 pieces
// of sound of 160 B are 2.46 Mbit/s.
const (
	benchPicture = 10_000
	benchSound   = 160
	benchSeconds = 4
)

// benchSource writes a stream's frames at their times, in real time.
type benchSource struct {
	key, delta, sound []byte
	begin             <-chan struct{}
}

func (s benchSource) Run(_ context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Frames, videoTrack, audioTrack)
	if err != nil {
		return err
	}
	video, audio := writers[0], writers[1]
	<-s.begin
	start := pub.Now()
	for n := range benchSeconds * 10 { // 100 ms each: 3 pictures and 5 pieces of sound
		at := start + time.Duration(n)*100*time.Millisecond
		time.Sleep(at - pub.Now())
		for i := range 3 {
			data, sync := s.delta, n%20 == 0 && i == 0
			if sync {
				data = s.key
			}
			video.WriteFrame(media.Frame{PTS: at + time.Duration(i)*33*time.Millisecond, Sync: sync, Data: data})
		}
		for i := range 5 {
			audio.WriteFrame(media.Frame{PTS: at + time.Duration(i)*20*time.Millisecond, Sync: true, Data: s.sound})
		}
	}
	return nil
}

// BenchmarkStreams records many streams of 2.5 Mbit/s at once, in real time, into
// real files. It prints what of a core one of them takes, and how much memory.
func BenchmarkStreams(b *testing.B) {
	for _, streams := range []int{100, 1000} {
		b.Run(fmt.Sprint(streams), func(b *testing.B) {
			for range b.N {
				idle, _ := recordStreams(b, streams, false)
				busy, memory := recordStreams(b, streams, true)
				perStream := (busy - idle).Seconds() / benchSeconds / float64(streams)
				b.ReportMetric(100*perStream, "%core/stream")
				b.ReportMetric(memory/1024/float64(streams), "KiB/stream")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// recordStreams runs streams for benchSeconds and returns the CPU time that took
// and the memory that was in use.
func recordStreams(b *testing.B, streams int, record bool) (cpu time.Duration, memory float64) {
	b.Helper()
	r, err := New(Config{Dir: b.TempDir(), MinFree: Space{Bytes: 1}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{r.Sink}, DrainTimeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	src := benchSource{key: sfutest.VP8Frame(0, true, benchPicture), delta: sfutest.VP8Frame(1, false, benchPicture), sound: sfutest.OpusFrame(0, benchSound)}
	begin := make(chan struct{})
	src.begin = begin
	var running sync.WaitGroup
	for i := range streams {
		pub, err := hub.Publish(fmt.Sprintf("bench/%d", i), sfu.PublishOptions{Record: record})
		if err != nil {
			b.Fatal(err)
		}
		running.Go(func() { pub.Run(b.Context(), src) })
	}
	before := inUse()
	started := cpuTime(b)
	close(begin)
	time.Sleep(benchSeconds * time.Second * 3 / 4)
	memory = inUse() - before
	running.Wait()
	return cpuTime(b) - started, memory
}

// inUse is how much memory is in use, without what is garbage.
func inUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	user, system := sfutest.CPUTime(b)
	return user + system
}

// BenchmarkSteady is one recorded stream's work for 100 ms of media, without the
// hub's and without the disk's: put has the frames. It is to allocate nothing.
func BenchmarkSteady(b *testing.B) {
	k := steadyTake(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		k.tenth(b, n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8, "ns/frame")
}

// TestSteadyAllocatesNothing: nothing is allocated for a frame, once it runs.
func TestSteadyAllocatesNothing(t *testing.T) {
	k := steadyTake(t)
	n := 0
	for ; n < 200; n++ {
		k.tenth(t, n)
	}
	if got := testing.AllocsPerRun(500, func() {
		k.tenth(t, n)
		n++
	}); got > 0.2 { // an index point each 2 s
		t.Errorf("%.2f allocations for 8 frames", got)
	}
}

// steady is a take that is fed by hand.
type steady struct {
	*capture
	key, delta, sound *media.Frame
}

// devNull is a disk that forgets what is written.
type devNull struct{ disk }

func (d devNull) Create(name string) (mediaFile, error) {
	f, err := d.disk.Create(name)
	return nullFile{f}, err
}

type nullFile struct{ mediaFile }

func (nullFile) Write(b []byte) (int, error)            { return len(b), nil }
func (nullFile) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (nullFile) Sync() error                            { return nil }

func steadyTake(tb testing.TB) *steady {
	tb.Helper()
	r, err := New(Config{Dir: tb.TempDir(), MinFree: Space{Bytes: 1}, SyncInterval: -1, disk: func(d disk) disk { return devNull{d} }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	pub, err := hub.Publish("a", sfu.PublishOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { pub.Close() })
	if _, err := pub.AddTracks(sfu.Frames, both...); err != nil {
		tb.Fatal(err)
	}
	sub, err := hub.Subscribe("a")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { sub.Close() })
	s := r.Sink(pub.Info()).(*session)
	s.texts, s.source = sub.Texts, sub.Source
	if s.tracks, err = sub.Tracks(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	s.written = []time.Duration{-1, -1}
	var inputs []*input
	for _, track := range s.tracks {
		inputs = append(inputs, &input{info: track.Info(), track: track})
	}
	k := newCapture(s, inputs)
	tb.Cleanup(func() {
		if k.current != nil {
			k.current.syncer.stop()
		}
	})
	return &steady{capture: k, key: &media.Frame{Sync: true, Data: sfutest.VP8Frame(0, true, benchPicture)},
		delta: &media.Frame{Data: sfutest.VP8Frame(1, false, benchPicture)}, sound: &media.Frame{Sync: true, Data: sfutest.OpusFrame(0, benchSound)}}
}

// tenth takes the frames of the n-th tenth of a second.
func (s *steady) tenth(tb testing.TB, n int) {
	at := time.Duration(n) * 100 * time.Millisecond
	for i := range 10 {
		track, f := 0, s.sound
		switch {
		case i%2 == 1: // each 20 ms
		case i%4 != 0: // each 40 ms
			continue
		case n%20 == 0 && i == 0:
			track, f = 1, s.key
		default:
			track, f = 1, s.delta
		}
		f.PTS = at + time.Duration(i)*10*time.Millisecond
		if err := s.recordFrame(track, captured{Frame: f}, at); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.current.writer.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkEBMLGo is the same frames by ebml-go's own BlockWriter.
func BenchmarkEBMLGo(b *testing.B) {
	writers, err := webm.NewSimpleBlockWriter(discard{}, []webm.TrackEntry{
		{Name: "Audio", TrackNumber: 1, TrackUID: 1, CodecID: "A_OPUS", TrackType: 2, Audio: &webm.Audio{SamplingFrequency: 48000, Channels: 2}},
		{Name: "Video", TrackNumber: 2, TrackUID: 2, CodecID: "V_VP8", TrackType: 1, Video: &webm.Video{PixelWidth: 640, PixelHeight: 360}},
	})
	if err != nil {
		b.Fatal(err)
	}
	key, delta, sound := sfutest.VP8Frame(0, true, benchPicture), sfutest.VP8Frame(1, false, benchPicture), sfutest.OpusFrame(0, benchSound)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for i := range 3 {
			data, sync := delta, n%20 == 0 && i == 0
			if sync {
				data = key
			}
			if _, err := writers[1].Write(sync, int64(n*100+i*33), data); err != nil {
				b.Fatal(err)
			}
		}
		for i := range 5 {
			if _, err := writers[0].Write(true, int64(n*100+i*20), sound); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8, "ns/frame")
	for _, w := range writers {
		w.Close()
	}
}

// discard is a file that forgets.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }

var _ io.WriteCloser = discard{}
