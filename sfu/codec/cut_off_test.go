package codec_test

import (
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

var pictures = []media.Codec{media.VP8, media.VP9, media.AV1, media.H264}

// sender makes the packets of frames 33 ms apart, whose numbers go on without a hole.
type sender struct {
	codec      media.Codec
	packetizer codec.Packetizer
	seq        uint64
	bare       bool // it never sets the marker
}

func newSender(c media.Codec, bare bool) *sender {
	format, _ := codec.For(c)
	return &sender{codec: c, packetizer: format.NewPacketizer(1 << 32), seq: 1 << 32, bare: bare}
}

// send hands the first packets of frame n to d, which is of some five packets.
func (s *sender) send(d codec.Depacketizer, n int, key bool, packets int, emit func(media.Frame)) {
	f := media.Frame{PTS: time.Duration(n) * 33 * time.Millisecond, Sync: key, Data: sfutest.Frame(s.codec, n, key, 5000)}
	s.packetizer.Packetize(&f, func(p media.Packet) {
		if packets--; packets < 0 {
			return
		}
		p.Seq = s.seq
		p.Marker = p.Marker && !s.bare
		s.seq++
		d.Depacketize(&p, emit)
	})
}

const all = 100 // packets: more than there are

// TestCutOff: a sender throws away the rest of some frames when a keyframe is ready,
// and numbers on without a hole. Their parts are no frames, and are counted.
func TestCutOff(t *testing.T) {
	tests := []struct {
		name  string
		bare  bool
		keys  []int // numbers of keyframes
		cut   []int // of frames of which only the first packet is sent
		want  []int // of those that come out
		gaps  []int // of those with a gap before them
		count codec.Losses
	}{
		{"before a keyframe", false, []int{0, 3}, []int{2}, []int{0, 1, 3, 4}, []int{3}, codec.Losses{Frames: 1, CutOff: 1, Gaps: 1}},
		{"a keyframe", false, []int{0, 2, 3}, []int{2}, []int{0, 1, 3, 4}, []int{3}, codec.Losses{Frames: 1, CutOff: 1, Gaps: 1}},
		{"before none", false, []int{0}, []int{2}, []int{0, 1}, nil, codec.Losses{Frames: 3, CutOff: 1, Gaps: 1}},
		{"the first", false, []int{0, 1}, []int{0}, []int{1, 2, 3, 4}, nil, codec.Losses{Frames: 1, CutOff: 1}},
		{"at the end", false, []int{0}, []int{4}, []int{0, 1, 2, 3}, nil, codec.Losses{}},
		{"none, without markers", true, []int{0, 3}, nil, []int{0, 1, 2, 3, 4}, nil, codec.Losses{}},
	}
	for _, tt := range tests {
		for _, c := range pictures {
			format, _ := codec.For(c)
			s, d := newSender(c, tt.bare), format.NewDepacketizer(codec.Config{})
			var got []media.Frame
			emit := func(f media.Frame) { got = append(got, f) }
			for n := range 5 {
				packets := all
				if has(tt.cut, n) {
					packets = 1
				}
				s.send(d, n, has(tt.keys, n), packets, emit)
			}
			d.Flush(emit)
			if d.Losses() != tt.count || len(got) != len(tt.want) {
				t.Errorf("%s, %v: %d frames, want %d; %+v, want %+v", tt.name, c, len(got), len(tt.want), d.Losses(), tt.count)
				continue
			}
			for i, f := range got {
				n, intact := sfutest.Number(c, f.Data)
				if n != tt.want[i] || !intact || f.Gap != has(tt.gaps, n) {
					t.Errorf("%s, %v: frame %d, intact %v, gap %v", tt.name, c, n, intact, f.Gap)
				}
			}
		}
	}
}

func has(numbers []int, n int) bool {
	for _, m := range numbers {
		if m == n {
			return true
		}
	}
	return false
}

// TestMarkersCease: what is known of markers is not for ever. A sender that sets them
// on keyframes alone loses some frames, and then none.
func TestMarkersCease(t *testing.T) {
	for _, c := range pictures {
		format, _ := codec.For(c)
		s, d := newSender(c, false), format.NewDepacketizer(codec.Config{})
		out := map[int]bool{}
		for n := range 120 {
			key := n%30 == 0
			s.bare = !key
			s.send(d, n, key, all, func(f media.Frame) {
				n, intact := sfutest.Number(c, f.Data)
				if !intact {
					t.Errorf("%v: frame %d is damaged", c, n)
				}
				out[n] = true
			})
		}
		for n := 30; n < 119; n++ {
			if !out[n] {
				t.Errorf("%v: frame %d is missing", c, n)
			}
		}
	}
}

// TestMarkersOfAnother: another RTP stream may have other habits. The frame that the
// end of the first one cuts off is no loss.
func TestMarkersOfAnother(t *testing.T) {
	for _, c := range pictures {
		format, _ := codec.For(c)
		s, d := newSender(c, false), format.NewDepacketizer(codec.Config{})
		var got []int
		emit := func(f media.Frame) {
			n, _ := sfutest.Number(c, f.Data)
			got = append(got, n)
		}
		anew := func(p media.Packet) media.Packet {
			p.Discontinuity = true
			return p
		}
		s.send(d, 0, true, all, emit)
		s.send(d, 1, false, 2, emit)
		s.seq++ // is left out
		s.bare = true
		f := media.Frame{PTS: time.Second, Sync: true, Data: sfutest.Frame(c, 2, true, 500)}
		s.packetizer.Packetize(&f, func(p media.Packet) {
			p.Seq, p.Marker = s.seq, false
			s.seq++
			p = anew(p)
			d.Depacketize(&p, emit)
		})
		s.send(d, 40, false, all, emit)
		s.send(d, 41, false, all, emit)
		d.Flush(emit)
		if len(got) != 4 || got[1] != 2 || got[3] != 41 || d.Losses() != (codec.Losses{Gaps: 1}) {
			t.Errorf("%v: frames %v, %+v", c, got, d.Losses())
		}
	}
}

// TestNeedsSyncWithinKeyframe: a keyframe of which the first packet is here is none
// that is to be asked for, until something of it is given up.
func TestNeedsSyncWithinKeyframe(t *testing.T) {
	for _, c := range pictures {
		format, _ := codec.For(c)
		nothing := func(media.Frame) {}
		s, d := newSender(c, false), format.NewDepacketizer(codec.Config{})
		check := func(what string, want bool) {
			t.Helper()
			if d.NeedsSync() != want {
				t.Errorf("%v, %s: NeedsSync %v", c, what, !want)
			}
		}
		check("at first", true)
		for n := range 4 {
			s.seq = 1 << 32
			d = format.NewDepacketizer(codec.Config{})
			s.send(d, 0, true, n+1, nothing)
			check("coming in", false)
		}
		s.send(d, 1, true, all, nothing) // it shows that the one before ended, which may be whole
		check("another one", false)
		s.send(d, 2, false, 1, nothing)
		s.seq++ // lost
		s.send(d, 3, true, 2, nothing)
		check("behind a hole", false)
		d.Flush(nothing)
		check("the hole was given up", false)
		s.seq++
		s.send(d, 4, false, all, nothing)
		d.Flush(nothing)
		check("spoiled", true)
	}
}
