package sfu

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

const ms = time.Millisecond

func newHub(t testing.TB, c Config) *Hub {
	t.Helper()
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// broadcast is a publication that a test writes by hand.
type broadcast struct {
	*Publication
	hub          *Hub
	video, audio *source
}

// RTP is a packet as a publisher sends it.
type RTP = rtp.Packet

// source writes one track in one form.
type source struct {
	track  *Track
	writer sourceWriter
	z      codec.Packetizer
	// offsets make the publisher's counters wrap, and are random to the hub.
	seq  uint16
	time uint32
}

// newBroadcast publishes a stream with a track of video and one of sound, ready
// to be written. It ends with the test, if not before.
func newBroadcast(t testing.TB, c Config, native Form) *broadcast {
	t.Helper()
	h := newHub(t, c)
	p, err := h.Publish("test", PublishOptions{Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	b := &broadcast{Publication: p, hub: h}
	sources := addSources(t, p, native, media.VP8, media.Opus)
	b.video, b.audio = sources[0], sources[1]
	return b
}

// addSource adds the only track of a publication.
func addSource(t testing.TB, p *Publication, c media.Codec, native Form) *source {
	t.Helper()
	return addSources(t, p, native, c)[0]
}

// addSources adds a track of each codec.
func addSources(t testing.TB, p *Publication, native Form, codecs ...media.Codec) (sources []*source) {
	t.Helper()
	writers, err := p.AddTracks(native, infos(codecs...)...)
	if err != nil {
		t.Fatal(err)
	}
	var session rtp.SyncContext
	for _, w := range writers {
		sources = append(sources, newSource(w, &session))
	}
	return sources
}

// infos describes a track of each codec.
func infos(codecs ...media.Codec) (tracks []media.TrackInfo) {
	for _, c := range codecs {
		tracks = append(tracks, media.TrackInfo{ID: c.Kind().String(), Codec: c})
	}
	return tracks
}

// sourceWriter writes frames, or packets as they come in.
type sourceWriter struct {
	*TrackWriter
	rtp *rtptest.Writer
}

func (w sourceWriter) WritePacket(r RTP) { w.rtp.WritePacket(r) }
func (w sourceWriter) TellSets(units ...[]byte) {
	w.rtp.TellSets(units...)
	w.TrackWriter.TellSets(units...)
}

func (w sourceWriter) SyncClock(ntp uint64, stamp uint32, arrival time.Duration) {
	w.rtp.SyncClock(ntp, stamp, arrival)
}

// Restart has another RTP stream begin, or another source of frames.
func (w sourceWriter) Restart() {
	w.rtp.Restart()
	w.TrackWriter.restart()
}

func newSource(w *TrackWriter, s *rtp.SyncContext) *source {
	format, _ := codec.For(w.track.info.Codec)
	return &source{track: w.track, writer: sourceWriter{w, rtptest.NewWriter(w.track.info.Codec, w, s)}, z: format.NewPacketizer(0), seq: 65500, time: 1<<32 - 20000}
}

// write writes a frame that arrives at its PTS, in the track's form.
func (s *source) write(f media.Frame) {
	if s.track.native == Frames {
		s.writer.WriteFrame(f)
		return
	}
	for _, r := range s.packets(f, f.PTS) {
		s.writer.WritePacket(r)
	}
}

// packets returns the packets of f as a publisher sends them.
func (s *source) packets(f media.Frame, arrival time.Duration) (packets []RTP) {
	s.z.Packetize(&f, func(p media.Packet) {
		packets = append(packets, RTP{
			Seq: uint16(p.Seq) + s.seq, Time: uint32(p.Time) + s.time, Marker: p.Marker,
			Arrival: arrival, Payload: p.Payload,
		})
	})
	return packets
}

// play writes the samples of both tracks with from <= PTS < to, at once. Both are
// multiples of sfutest.AudioInterval.
func (b *broadcast) play(clip sfutest.Clip, from, to time.Duration) {
	for at := from; at < to; at += sfutest.AudioInterval {
		if at%sfutest.VideoInterval == 0 {
			b.video.write(clip.Video(int(at / sfutest.VideoInterval)).Frame)
		}
		b.audio.write(clip.Audio(int(at / sfutest.AudioInterval)).Frame)
	}
}

// subscribe returns a subscription that ends with the test.
func (b *broadcast) subscribe(t testing.TB) (*Subscription, []*Track) {
	t.Helper()
	sub, err := b.hub.Subscribe("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sub, tracks
}

// requested returns how many keyframe requests wait for the source.
func (b *broadcast) requested() int {
	n := 0
	for {
		select {
		case <-b.KeyframeRequests():
			n++
		default:
			return n
		}
	}
}

// drain reads c up to its end and returns what came. It fails if the end is told
// by anything but io.EOF.
func drain[T media.Packet | media.Frame](t testing.TB, c *Cursor[T]) (items []*T) {
	t.Helper()
	batch := make([]*T, 16)
	for {
		n, _, err := c.Next(t.Context(), batch)
		if err != nil {
			wantEOF(t, c, err)
			return items
		}
		items = append(items, batch[:n]...)
	}
}

// take reads n items.
func take[T media.Packet | media.Frame](t testing.TB, c *Cursor[T], n int) (items []*T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // only a failure gets there
	defer cancel()
	for len(items) < n {
		batch := make([]*T, n-len(items))
		got, _, err := c.Next(ctx, batch)
		if err != nil {
			t.Fatalf("after %d of %d items: %v", len(items), n, err)
		}
		items = append(items, batch[:got]...)
	}
	return items
}

func wantEOF[T media.Packet | media.Frame](t testing.TB, c *Cursor[T], err error) {
	t.Helper()
	if !errors.Is(err, io.EOF) {
		t.Fatalf("the cursor ends with %v, want io.EOF", err)
	}
	if n, _, err := c.Take(make([]*T, 4)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatalf("after io.EOF there are %d items, %v", n, err)
	}
}
