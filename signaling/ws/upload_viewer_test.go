package ws_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"slices"
	"sync"
	"testing"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/signaling/ws"
)

// packetViewer is a standing viewer of packets: it sees what a WebRTC viewer sees
// from the first keyframe on, and puts frames together as one does.
type packetViewer struct {
	mu      sync.Mutex
	packets map[media.Codec][]*media.Packet
	frames  map[media.Codec][]media.Frame
	in      map[media.Codec]codec.Depacketizer
	lagged  bool
}

func newPacketViewer() *packetViewer {
	return &packetViewer{
		packets: map[media.Codec][]*media.Packet{}, frames: map[media.Codec][]media.Frame{}, in: map[media.Codec]codec.Depacketizer{},
	}
}

// Run implements sfu.Sink.
func (v *packetViewer) Run(ctx context.Context, sub *sfu.Subscription) error {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return err
	}
	a, err := sub.Attach(v, tracks)
	if err != nil {
		return err
	}
	defer a.Close()
	<-sub.Done()
	flushed := make(chan struct{})
	if a.Do(func() { close(flushed) }) {
		<-flushed
	}
	return nil
}

// WritePackets implements sfu.PacketWriter.
func (v *packetViewer) WritePackets(t *sfu.Track, batch []*media.Packet, lagged bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := t.Info().Codec
	v.lagged = v.lagged || lagged
	if v.in[c] == nil {
		format, _ := codec.For(c)
		v.in[c] = format.NewDepacketizer(codec.Config{})
	}
	for _, p := range batch {
		v.packets[c] = append(v.packets[c], p)
		v.in[c].Depacketize(p, func(f media.Frame) { v.frames[c] = append(v.frames[c], f) })
	}
}

// hashes lists frames as ffprobe does.
func hashes(frames []media.Frame) (list []string) {
	for _, f := range frames {
		list = append(list, fmt.Sprintf("MD5:%x", md5.Sum(f.Data)))
	}
	return list
}

// TestUploadViewers: a viewer of packets sees the same pictures, sound in pieces
// of 20 ms, and one RTP stream: also over a recorder that is started anew, with
// other track numbers and another picture size.
func TestUploadViewers(t *testing.T) {
	v := newPacketViewer()
	s := newUploadServer(t, ws.Config{}, func(sfu.StreamInfo) sfu.Sink { return v })
	var want []string
	u := s.publish(t, "a")
	for _, name := range []string{"av_ts100ms", "av_canvas_2s", "av_ts100ms"} {
		path, chunks := sample(t, name)
		for _, p := range probe(t, path)["vp8"] {
			want = append(want, p.hash)
		}
		u.send(t, chunks...)
	}
	u.leave(t)
	s.settle(t)
	v.mu.Lock()
	defer v.mu.Unlock()
	if got := hashes(v.frames[media.VP8]); !slices.Equal(got, want) || v.lagged {
		t.Errorf("%d pictures, want %d; lagged: %v", len(got), len(want), v.lagged)
	}
	for c, packets := range v.packets {
		for i, p := range packets[1:] {
			before := packets[i]
			if p.Seq != before.Seq+1 || p.Time < before.Time || p.Start && p.Time == before.Time || p.PTS < before.PTS {
				t.Fatalf("%v: packet %d (Seq %d, Time %d, PTS %v) follows Seq %d, Time %d, PTS %v", c, i+1, p.Seq, p.Time, p.PTS,
					before.Seq, before.Time, before.PTS)
			}
			if ticks := c.Ticks(p.PTS - packets[0].PTS); max(ticks-int64(p.Time-packets[0].Time), int64(p.Time-packets[0].Time)-ticks) > 2*c.Ticks(5e6) {
				t.Fatalf("%v: packet %d: time and PTS disagree", c, i+1)
			}
		}
	}
	for _, f := range v.frames[media.Opus] {
		if d := codec.OpusDuration(f.Data); d != 20e6 {
			t.Fatalf("a packet has %v of sound", d)
		}
	}
	samePictureIDs(t, v.packets[media.VP8])
	path, r := s.recording(t, "a")
	if got := probe(t, path)["vp8"]; len(got) != len(want) || len(r.Tracks) != 2 {
		t.Errorf("the file has %d pictures, want %d; tracks %v", len(got), len(want), r.Tracks)
	}
}

// samePictureIDs checks that picture ids go up by one with each frame (RFC 7741
// section 4.2).
func samePictureIDs(t *testing.T, packets []*media.Packet) {
	t.Helper()
	first, n := uint16(0), uint16(0)
	for i, p := range packets {
		d, _, ok := codec.ParseVP8Descriptor(p.Payload)
		if !ok || !d.HasPictureID {
			t.Fatalf("packet %d has no picture id", i)
		}
		switch {
		case i == 0:
			first = d.PictureID
		case p.Start:
			n++
		}
		if want := (first + n) & 0x7fff; d.PictureID != want {
			t.Fatalf("packet %d has the picture id %d, want %d", i, d.PictureID, want)
		}
	}
}
