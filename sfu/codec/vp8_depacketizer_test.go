package codec

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

// step is one packet and the frames that come out because of it. Flags: k and i
// begin a keyframe or an inter frame, m marker, p no payload, d a descriptor and
// no media, x malformed, 1 partition 1.
type step struct {
	seq   uint64
	time  uint64
	flags string
	media string
	want  string // media of each frame; ! in front: Gap, K: Sync
}

// packet builds the packet of s. Its PTS is its time in ms, as is its arrival.
func (s step) packet() *media.Packet {
	has := func(flag string) bool { return strings.Contains(s.flags, flag) }
	p := &media.Packet{Seq: s.seq, Time: s.time, Marker: has("m")}
	p.PTS = time.Duration(s.time) * ms
	p.Arrival = p.PTS
	d := VP8Descriptor{StartOfPart: has("k") || has("i") || has("1")}
	if has("1") {
		d.Partition = 1
	}
	switch {
	case has("p"):
	case has("x"):
		p.Payload = []byte{0x90, 0x80}
	case has("d"):
		p.Payload = d.encode()
	default:
		p.Payload = d.encode()
		if has("k") {
			p.Payload = append(p.Payload, keyHeader...)
		} else if has("i") {
			p.Payload = append(p.Payload, 1)
		}
		p.Payload = append(p.Payload, s.media...)
	}
	return p
}

// names writes down the frames in the notation of step.want.
func names(frames []media.Frame) string {
	var s string
	for _, f := range frames {
		if f.Gap {
			s += "!"
		}
		if f.Sync {
			s += "K" + string(f.Data[len(keyHeader):])
		} else {
			s += string(f.Data[1:])
		}
	}
	return s
}

var depacketizeTests = []struct {
	name   string
	steps  []step
	flush  string
	losses Losses
	closed bool // NeedsSync at the end
}{
	{"whole frames", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "im", "b", "b"}, {3, 66, "im", "c", "c"}},
		"", Losses{}, false},
	{"several packets", []step{{1, 0, "k", "a", ""}, {2, 0, "", "b", ""}, {3, 0, "1m", "c", "Kabc"}, {4, 33, "i", "d", ""},
		{5, 33, "m", "e", "de"}}, "", Losses{}, false},
	{"nothing before the first keyframe", []step{{1, 0, "im", "a", ""}, {2, 33, "i", "b", ""}, {3, 33, "m", "b", ""},
		{4, 66, "km", "c", "Kc"}}, "", Losses{Frames: 2}, false},
	{"begun within a frame", []step{{1, 0, "", "a", ""}, {2, 0, "m", "a", ""}, {3, 33, "km", "c", "Kc"}},
		"", Losses{Frames: 1}, false},
	{"no marker", []step{{1, 0, "k", "a", ""}, {2, 33, "i", "b", ""}, {3, 33, "", "b", ""}, {4, 66, "i", "c", "Kabb"}, {5, 99, "i", "d", "c"}},
		"d", Losses{}, false},
	{"no marker, one frame", []step{{1, 0, "k", "a", ""}, {2, 0, "", "b", ""}}, "Kab", Losses{}, false},
	{"no marker, two frames", []step{{1, 0, "k", "a", ""}, {2, 33, "i", "b", ""}}, "Kab", Losses{}, false},
	{"no marker, padding between", []step{{1, 0, "k", "a", ""}, {2, 0, "p", "", ""}, {3, 33, "i", "b", ""}, {4, 33, "p", "", ""}},
		"Kab", Losses{}, false},
	{"no marker, and a hole before it is known", []step{{1, 0, "k", "a", ""}, {2, 33, "i", "b", ""}, {4, 66, "i", "c", ""}},
		"", Losses{Packets: 1, Frames: 3}, true},
	{"cut off", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 66, "km", "c", "!Kc"}},
		"", Losses{Frames: 1, CutOff: 1, Gaps: 1}, false},
	{"cut off, no keyframe follows", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 66, "im", "c", ""}},
		"", Losses{Frames: 2, CutOff: 1, Gaps: 1}, true},
	{"cut off, and once more", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 66, "k", "c", ""}, {4, 99, "km", "d", "!Kd"}},
		"", Losses{Frames: 2, CutOff: 2, Gaps: 1}, false},
	{"the first is cut off", []step{{1, 0, "k", "a", ""}, {2, 33, "k", "b", ""}, {3, 33, "m", "b", "Kbb"}, {4, 66, "im", "c", "c"}},
		"", Losses{Frames: 1, CutOff: 1}, false},
	{"the first is cut off, padding between", []step{{1, 0, "k", "a", ""}, {2, 0, "p", "", ""}, {3, 33, "km", "b", "Kb"}},
		"", Losses{Frames: 1, CutOff: 1}, false},
	{"a keyframe is cut off", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "k", "b", ""}, {3, 66, "km", "c", "!Kc"}},
		"", Losses{Frames: 1, CutOff: 1, Gaps: 1}, false},
	{"no marker, but a hole", []step{{1, 0, "k", "a", ""}, {3, 33, "im", "b", ""}, {4, 66, "im", "c", ""}},
		"", Losses{Packets: 1, Frames: 3}, true},
	{"no marker, next frame without start", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 66, "", "c", ""},
		{4, 66, "m", "c", ""}, {5, 99, "im", "d", ""}, {6, 132, "km", "e", "!Ke"}},
		"", Losses{Frames: 3, Gaps: 1}, false},
	{"first packet lost", []step{{1, 0, "km", "a", "Ka"}, {3, 33, "m", "b", ""}, {4, 66, "im", "c", ""}, {5, 99, "km", "d", ""}},
		"!Kd", Losses{Packets: 1, Frames: 2, Gaps: 1}, false},
	{"last packet lost", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {4, 66, "km", "d", ""}},
		"!Kd", Losses{Packets: 1, Frames: 1, Gaps: 1}, false},
	{"middle packets lost, twice in a frame", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {4, 33, "", "b", ""},
		{6, 33, "m", "b", ""}, {7, 66, "km", "d", ""}}, "!Kd", Losses{Packets: 2, Frames: 1, Gaps: 1}, false},
	{"frame lost", []step{{1, 0, "km", "a", "Ka"}, {3, 66, "im", "c", ""}, {4, 99, "km", "d", ""}},
		"!Kd", Losses{Packets: 1, Frames: 1, Gaps: 1}, false},
	{"frame lost before a keyframe", []step{{1, 0, "km", "a", "Ka"}, {3, 66, "km", "c", ""}, {4, 99, "im", "d", ""}},
		"!Kcd", Losses{Packets: 1, Gaps: 1}, false},
	{"given up by time", []step{{1, 0, "km", "a", "Ka"}, {3, 66, "km", "c", ""}, {4, 566, "im", "d", ""},
		{5, 567, "im", "e", "!Kcde"}}, "", Losses{Packets: 1, Gaps: 1}, false},
	{"reordered and twice", []step{{1, 0, "k", "a", ""}, {3, 0, "m", "c", ""}, {3, 0, "m", "c", ""}, {4, 33, "im", "d", ""},
		{2, 0, "", "b", "Kabcd"}, {2, 0, "", "b", ""}}, "", Losses{}, false},
	{"padding", []step{{1, 0, "km", "a", "Ka"}, {2, 0, "p", "", ""}, {3, 0, "pm", "", ""}, {4, 33, "i", "b", ""},
		{5, 33, "p", "", ""}, {6, 33, "d", "", ""}, {7, 33, "m", "c", "bc"}}, "", Losses{}, false},
	{"malformed alone", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "xm", "", ""}, {3, 66, "im", "c", ""}},
		"", Losses{Frames: 2, Gaps: 1}, true},
	{"malformed within", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 33, "x", "", ""}, {4, 33, "m", "b", ""},
		{5, 66, "im", "c", ""}}, "", Losses{Frames: 2, Gaps: 1}, true},
	{"two starts under one time", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {3, 33, "im", "c", ""}, {4, 66, "im", "d", ""}},
		"", Losses{Frames: 2, Gaps: 1}, true},
	{"two frames under one time", []step{{1, 0, "km", "a", "Ka"}, {2, 0, "im", "b", "b"}}, "", Losses{}, false},
	{"more behind the marker", []step{{1, 0, "km", "a", "Ka"}, {2, 0, "", "a", ""}, {3, 33, "im", "b", ""}},
		"", Losses{Frames: 2, Gaps: 1}, true},
	{"end of frame missing at the end", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}}, "", Losses{}, false},
	{"lost, and missing at the end", []step{{1, 0, "km", "a", "Ka"}, {2, 33, "i", "b", ""}, {4, 33, "", "b", ""}},
		"", Losses{Packets: 1, Frames: 1, Gaps: 1}, true},
}

func TestVP8Depacketize(t *testing.T) {
	for _, tt := range depacketizeTests {
		// Counters that wrap are the Unwrapper's, but nothing may depend on where
		// Seq stands.
		for _, from := range []uint64{0, 1<<16 - 3, 1<<32 - 3} {
			d := newVP8Depacketizer(Config{})
			for i, s := range tt.steps {
				s.seq += from
				var got sink
				d.Depacketize(s.packet(), got.emit)
				if n := names(got.frames); n != s.want {
					t.Errorf("%s, packet %d: %q came out, want %q", tt.name, i, n, s.want)
				}
			}
			var got sink
			d.Flush(got.emit)
			if n := names(got.frames); n != tt.flush {
				t.Errorf("%s: Flush emits %q, want %q", tt.name, n, tt.flush)
			}
			if d.Losses() != tt.losses || d.NeedsSync() != tt.closed {
				t.Errorf("%s: %+v, NeedsSync %v; want %+v, %v", tt.name, d.Losses(), d.NeedsSync(), tt.losses, tt.closed)
			}
		}
	}
}

func TestVP8NeedsSyncAtOnce(t *testing.T) {
	d := newVP8Depacketizer(Config{Window: 100 * ms})
	var got sink
	check := func(s step, want bool) {
		t.Helper()
		if d.Depacketize(s.packet(), got.emit); d.NeedsSync() != want {
			t.Errorf("after Seq %d at %d: NeedsSync = %v", s.seq, s.time, !want)
		}
	}
	if !d.NeedsSync() {
		t.Error("NeedsSync must be true before the first keyframe")
	}
	check(step{seq: 1, time: 0, flags: "km"}, false)
	check(step{seq: 2, time: 33, flags: "i"}, false)
	check(step{seq: 4, time: 33}, false)
	// The rest of the broken frame has not come: no need to wait for it.
	check(step{seq: 5, time: 134}, true)
	check(step{seq: 6, time: 134, flags: "m"}, true)
	check(step{seq: 7, time: 200, flags: "km"}, false)
}

func TestVP8RoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	var sent []media.Frame
	for size := 1; size < 40_000; size += 1 + size/7 + rng.Intn(3) {
		key := len(sent) == 0
		f := media.Frame{PTS: time.Duration(len(sent)) * 33 * ms, Sync: key, Data: vp8Frame(rng, max(size, 10), key)}
		if !key {
			f.Data = f.Data[:size]
		}
		sent = append(sent, f)
	}
	for _, extra := range []int{vp8MaxMedia, 2 * vp8MaxMedia, 1 << 20, maxFrameBytes} {
		sent = append(sent, media.Frame{PTS: time.Duration(len(sent)) * 33 * ms, Data: vp8Frame(rng, extra, false)})
	}
	z, d := newVP8Packetizer(1<<32).(*vp8Packetizer), newVP8Depacketizer(Config{})
	z.pictureID = 32760
	var got sink
	for i := range sent {
		z.Packetize(&sent[i], func(p media.Packet) { d.Depacketize(&p, got.emit) })
		if len(got.frames) != i+1 { // no delay
			t.Fatalf("%d frames out after %d", len(got.frames), i+1)
		}
		wantFrame(t, got.frames[i], sent[i])
		// One packet is not copied, so that what follows Data is not ours to count.
		if n := len(sent[i].Data); n > vp8MaxMedia && cap(got.frames[i].Data) != n {
			t.Errorf("capacity %d for %d bytes", cap(got.frames[i].Data), n)
		}
	}
	if d.Losses() != (Losses{}) {
		t.Errorf("%+v", d.Losses())
	}
}

func TestVP8FrameTooLarge(t *testing.T) {
	rng := rand.New(rand.NewSource(4))
	z, d := newVP8Packetizer(0), newVP8Depacketizer(Config{}).(*vp8Depacketizer)
	var got sink
	for i, size := range []int{100, maxFrameBytes + 1, 100, 200} {
		f := media.Frame{PTS: time.Duration(i) * 33 * ms, Data: vp8Frame(rng, size, i != 2)}
		z.Packetize(&f, func(p media.Packet) { d.Depacketize(&p, got.emit) })
	}
	if want := (Losses{Frames: 2, Gaps: 1}); len(got.frames) != 2 || !got.frames[1].Gap || d.Losses() != want {
		t.Errorf("%d frames, %+v", len(got.frames), d.Losses())
	}
	// Bounded by the number of packets, too.
	for i := range uint64(3 * maxFramePackets) {
		s := step{seq: z.(*vp8Packetizer).seq + i, time: 1e6, media: "x"}
		if i == 0 {
			s.flags = "k"
		}
		d.Depacketize(s.packet(), got.emit)
		if len(d.frame.parts) > maxFramePackets {
			t.Fatalf("%d packets in a frame", len(d.frame.parts))
		}
	}
	if !d.NeedsSync() || d.Losses().Frames != 3 {
		t.Errorf("%+v", d.Losses())
	}
}

func TestVP8NoStartCode(t *testing.T) {
	d := newVP8Depacketizer(Config{})
	var got sink
	for i, header := range [][]byte{keyHeader, {0x10, 0, 0, 0, 1, 0x2a, 0, 1, 0, 1}, {1}, keyHeader} {
		p := &media.Packet{Seq: uint64(i), Time: uint64(i), Marker: true, Payload: append([]byte{0x10}, header...)}
		d.Depacketize(p, got.emit)
	}
	if want := (Losses{Frames: 2, Gaps: 1}); len(got.frames) != 2 || d.Losses() != want {
		t.Errorf("%d frames, %+v", len(got.frames), d.Losses())
	}
}

// TestVP8OtherPicture: a packet of another picture does not go into a frame,
// even where Seq and Time let it.
func TestVP8OtherPicture(t *testing.T) {
	d := newVP8Depacketizer(Config{})
	var got sink
	for i, id := range []uint16{5, 5, 6} {
		desc := VP8Descriptor{StartOfPart: i == 0, HasPictureID: true, PictureID: id}
		p := &media.Packet{Seq: uint64(i), Marker: i == 2, Payload: append(desc.encode(), keyHeader...)}
		d.Depacketize(p, got.emit)
	}
	if want := (Losses{Frames: 1}); len(got.frames) != 0 || d.Losses() != want || !d.NeedsSync() {
		t.Errorf("%d frames, %+v", len(got.frames), d.Losses())
	}
}

func TestVP8MaxBytes(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	z, d := newVP8Packetizer(0), newVP8Depacketizer(Config{MaxBytes: 20_000}).(*vp8Depacketizer)
	var sent []media.Frame
	for i := range 30 {
		sent = append(sent, media.Frame{PTS: time.Duration(i) * ms, Data: vp8Frame(rng, 5000, i%5 == 0)})
	}
	var got sink
	for i, packets := range packetizeAll(z, sent) {
		for j, p := range packets {
			if i == 1 && j == 2 {
				continue // lost; the window of 500 ms is never over
			}
			d.Depacketize(&p, got.emit)
			if d.in.bytes > 20_000 {
				t.Fatalf("%d bytes held", d.in.bytes)
			}
		}
	}
	if want := (Losses{Packets: 1, Frames: 4, Gaps: 1}); len(got.frames) != 26 || d.Losses() != want {
		t.Errorf("%d frames, %+v, want 26, %+v", len(got.frames), d.Losses(), want)
	}
	if !bytes.Equal(got.frames[1].Data, sent[5].Data) || !got.frames[1].Gap {
		t.Error("not the next keyframe after the gap")
	}
}
