package codec

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// TestVP9LayersLeftOut: an encoder that is short of bits leaves out layers of a
// picture, the highest ones (then no packet has a marker) or lower ones. What it sends
// is a picture, and nothing is missing. A layer that refers to the one below is none
// without it.
func TestVP9LayersLeftOut(t *testing.T) {
	type layer struct {
		sid     uint8
		packets int
		onBelow bool
	}
	const marked, bare = true, false
	tests := []struct {
		name   string
		layers []layer // of the picture in the middle
		marker bool
		out    bool
		want   Losses
	}{
		{"all", []layer{{sid: 0, packets: 1}, {sid: 1, packets: 2}, {sid: 2, packets: 3}}, marked, true, Losses{}},
		{"the highest is left out", []layer{{sid: 0, packets: 1}, {sid: 1, packets: 2}}, bare, true, Losses{}},
		{"all but the lowest", []layer{{sid: 0, packets: 2}}, bare, true, Losses{}},
		{"the lowest", []layer{{sid: 1, packets: 2}, {sid: 2, packets: 2}}, marked, true, Losses{}},
		{"all but the highest", []layer{{sid: 2, packets: 3}}, marked, true, Losses{}},
		{"all but the one in the middle", []layer{{sid: 1, packets: 1}}, bare, true, Losses{}},
		{"what the highest refers to", []layer{{sid: 2, packets: 3, onBelow: true}}, marked, false, Losses{Frames: 1, Gaps: 1}},
		{"cut off in a layer", []layer{{sid: 0, packets: 1}, {sid: 1, packets: -1}}, bare, false, Losses{Frames: 1, CutOff: 1, Gaps: 1}},
	}
	for _, tt := range tests {
		d := newVP9Depacketizer(Config{Marked: true})
		var got []time.Duration
		emit := func(f media.Frame) { got = append(got, f.PTS/ms) }
		seq := uint64(0)
		send := func(n int, layers []layer, marker bool) {
			desc := VP9Descriptor{
				Inter: n > 0, Flexible: true, HasPictureID: true, LongID: true, PictureID: uint16(n), HasLayers: true,
			}
			if n > 0 {
				desc.refs.add(uint8(n)) // to the keyframe
			}
			if n == 2 {
				desc.TID = 1 // no other refers to it
			}
			for i, l := range layers {
				body := vp9InterHeader
				if n == 0 && i == 0 {
					body = vp9KeyHeader
				}
				whole := l.packets > 0
				for k := range max(l.packets, -l.packets) {
					desc.SID, desc.OnBelow, desc.Start, desc.End = l.sid, l.onBelow, k == 0, whole && k == l.packets-1
					last := i == len(layers)-1 && k == max(l.packets, -l.packets)-1
					d.Depacketize(&media.Packet{Seq: seq, Time: uint64(n), PTS: time.Duration(n) * ms, Marker: marker && last,
						Payload: append(desc.encode(), body...)}, emit)
					seq++
				}
			}
		}
		all := tests[0].layers
		send(0, all, marked)
		send(1, all, marked)
		send(2, tt.layers, tt.marker)
		send(3, all, marked)
		d.Flush(emit)
		want := 3
		if tt.out {
			want = 4
		}
		if len(got) != want || d.Losses() != tt.want {
			t.Errorf("%s: pictures %d, losses %+v; want %d, %+v", tt.name, got, d.Losses(), want, tt.want)
		}
	}
}
