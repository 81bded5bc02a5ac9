package sfu

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// lengthSize is that of the length in front of a NAL unit.
const lengthSize = 4

// splitSets returns the parameter sets at the beginning of a keyframe, and the rest.
func splitSets(frame []byte) (sets [][]byte, rest []byte) {
	for {
		size := int(frame[2])<<8 | int(frame[3])
		nal := frame[lengthSize:][:size]
		if nal[0]&0x1f != 7 && nal[0]&0x1f != 8 {
			return sets, frame
		}
		sets, frame = append(sets, nal), frame[lengthSize+size:]
	}
}

// once is a source of H.264 that tells its parameter sets in the first keyframe only.
// There are keyframes each second, and of 25 pictures a second each is spread over
// several packets if large.
type once struct {
	*source
	b    *broadcast
	sets [][]byte // of each keyframe
}

func newOnce(t testing.TB, native Form) *once {
	t.Helper()
	h := newHub(t, Config{})
	p, err := h.Publish("test", PublishOptions{Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	b := &broadcast{Publication: p, hub: h}
	b.video = addSource(t, p, media.H264, native)
	return &once{source: b.video, b: b}
}

// frame returns the n-th picture, with the sets if they are to be told.
func (o *once) frame(n, size int, told bool) media.Frame {
	key := n%25 == 0
	f := media.Frame{PTS: time.Duration(n) * 40 * ms, Sync: key, Data: sfutest.Frame(media.H264, n, key, size)}
	if key && !told {
		o.sets, f.Data = splitSets(f.Data)
		f.Sync = false
	}
	return f
}

// TestSetsOnce: of H.264 whose parameter sets are told once, every keyframe is a place
// to begin: for packets, with the sets ahead of it, and for frames.
func TestSetsOnce(t *testing.T) {
	for _, size := range []int{300, 3000} {
		for _, native := range []Form{Packets, Frames} {
			o := newOnce(t, native)
			const n = 25 * 15 // longer than the ring
			for i := range n {
				o.write(o.frame(i, size, i == 0))
			}
			packets, frames := o.track.Packets(), o.track.Frames()
			first := take(t, packets, 1)[0]
			if want := time.Duration(n-25) * 40 * ms; !first.Sync || first.PTS.Round(ms) != want {
				t.Errorf("%v, %d bytes: a viewer begins at %v, sync %v; want %v", native, size, first.PTS, first.Sync, want)
			}
			if native == Packets && (len(first.Ahead) != 2 || !bytes.Equal(bytes.Join(first.Ahead, nil), bytes.Join(o.sets, nil))) {
				t.Errorf("%d bytes: ahead of it is % x, want % x", size, first.Ahead, o.sets)
			}
			f := take(t, frames, 1)[0]
			sets, _ := splitSets(f.Data)
			number, intact := sfutest.Number(media.H264, f.Data)
			if !f.Sync || len(sets) != 2 || number != n-25 || !intact {
				t.Errorf("%v, %d bytes: the recorder begins at %d, sync %v, with % x", native, size, number, f.Sync, sets)
			}
			packets.Close()
			frames.Close()
			o.b.Close()
		}
	}
}

// TestSetsInDescription: parameter sets that were told by SDP serve the first picture.
func TestSetsInDescription(t *testing.T) {
	o := newOnce(t, Packets)
	f := o.frame(0, 3000, false)
	o.writer.TellSets(o.sets...)
	o.write(f)
	if p := written(o.track)[0]; !p.Sync || len(p.Ahead) != 2 {
		t.Errorf("the first packet: sync %v, % x", p.Sync, p.Ahead)
	}
	if s := o.track.Stats(); s.Width == 0 || s.Keyframes != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSetsToldApart: what a keyframe has in packets of its own, in whatever order they
// come, it does not get again; and nothing is guessed while a packet is missing.
func TestSetsToldApart(t *testing.T) {
	whole := sfutest.Frame(media.H264, 0, true, 3000)
	sets, rest := splitSets(whole)
	idr := rest[lengthSize:]
	fragment := func(flags byte, part []byte) []byte {
		return append([]byte{idr[0]&^0x1f | 28, flags | idr[0]&0x1f}, part...)
	}
	start, end := fragment(0x80, idr[1:1000]), fragment(0x40, idr[1000:])
	sei, last := []byte{6, 5, 1, 7, 0x80}, []byte{0x41, 0x9a, 0x26}
	type packet struct {
		seq     uint16
		time    uint32
		payload []byte
	}
	for _, tt := range []struct {
		name    string
		packets []packet
		sync    []uint16 // of these packets
		ahead   []uint16 // and these have sets ahead
	}{
		{"sets in packets of their own", []packet{{10, 9, sets[0]}, {11, 9, sets[1]}, {12, 9, start}, {13, 9, end}}, []uint16{10}, nil},
		{"reordered", []packet{{9, 8, last}, {12, 9, start}, {10, 9, sets[0]}, {11, 9, sets[1]}, {13, 9, end}}, []uint16{10}, nil},
		{"SEI ahead", []packet{{9, 8, last}, {10, 9, sei}, {11, 9, start}, {12, 9, end}}, []uint16{11}, []uint16{11}},
		{"retransmitted", []packet{{9, 8, last}, {11, 9, end}, {10, 9, start}}, []uint16{10}, []uint16{10}},
		{"the packet before is lost", []packet{{8, 8, last}, {10, 9, start}, {11, 9, end}}, nil, nil},
		{"only one kind", []packet{{9, 8, last}, {10, 9, sets[0]}, {11, 9, start}, {12, 9, end}}, []uint16{10}, []uint16{11}},
		{"a later slice", []packet{{9, 8, last}, {10, 9, start}, {11, 9, end}, {12, 9, []byte{0x65, 0x4c, 1}}}, []uint16{10}, []uint16{10}},
	} {
		o := newOnce(t, Packets)
		o.writer.WritePacket(RTP{Seq: 7, Time: 7, Marker: true, Payload: append(append([]byte{24}, aggregated(sets[0])...), append(aggregated(sets[1]), aggregated([]byte{0x65, 0x88, 0x84})...)...)})
		for _, p := range tt.packets {
			o.writer.WritePacket(RTP{Seq: p.seq, Time: p.time, Arrival: 40 * ms, Payload: p.payload})
		}
		var sync, ahead []uint16
		for _, p := range written(o.track)[1:] {
			if p.Sync {
				sync = append(sync, uint16(p.Seq))
			}
			if len(p.Ahead) > 0 {
				ahead = append(ahead, uint16(p.Seq))
			}
		}
		if !slices.Equal(sync, tt.sync) || !slices.Equal(ahead, tt.ahead) {
			t.Errorf("%s: sync at %v, sets ahead of %v; want %v and %v", tt.name, sync, ahead, tt.sync, tt.ahead)
		}
		o.b.Close()
	}
}

func aggregated(nal []byte) []byte {
	return append([]byte{byte(len(nal) >> 8), byte(len(nal))}, nal...)
}

// TestSetsOfOtherCodecs: nothing is remembered of codecs that need nothing.
func TestSetsOfOtherCodecs(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	b.video.writer.TellSets([]byte{0x67, 1, 2, 3, 4}, []byte{0x68, 1})
	b.play(sfutest.Clip{}, 0, time.Second)
	for _, p := range written(b.video.track) {
		if p.Ahead != nil {
			t.Fatalf("ahead of a packet of VP8 is % x", p.Ahead)
		}
	}
	if format, _ := codec.For(media.VP8); format.NewSets != nil {
		t.Error("VP8 has parameter sets")
	}
}
