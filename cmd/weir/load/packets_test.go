package load

import (
	"math"
	"slices"
	"testing"

	"weir/sfu/media"
)

func TestTrack(t *testing.T) {
	for name, c := range map[string]struct {
		before, within        []uint16
		lost, received, twice int64
	}{
		"in order":           {[]uint16{1}, []uint16{2, 3, 4}, 0, 3, 0},
		"gap":                {[]uint16{1}, []uint16{2, 5}, 2, 2, 0},
		"gap at the start":   {[]uint16{1}, []uint16{4}, 2, 1, 0},
		"wrap":               {[]uint16{65534}, []uint16{65535, 0, 2}, 1, 3, 0},
		"from 0":             {[]uint16{0}, []uint16{1}, 0, 1, 0},
		"late":               {[]uint16{1}, []uint16{3, 4, 2}, 0, 3, 0},
		"late from before":   {[]uint16{1, 3}, []uint16{2, 4}, 0, 1, 0},
		"late across a wrap": {[]uint16{65534}, []uint16{0, 65535}, 0, 2, 0},
		"twice":              {[]uint16{1}, []uint16{2, 2, 3, 2}, 0, 2, 2},
		"before the first":   {[]uint16{10}, []uint16{11, 9}, 0, 1, 1},
		"big gap":            {[]uint16{1}, []uint16{2, 10002}, 9999, 2, 0},
		"nothing":            {[]uint16{1}, nil, 0, 0, 0},
	} {
		tr := newTrack(1, media.Video, c.before[0], false)
		for _, seq := range c.before {
			tr.countPacket(seq)
		}
		tr.openWindow()
		for _, seq := range c.within {
			tr.countPacket(seq)
		}
		tr.closeWindow()
		tr.countPacket(uint16(tr.highest) + 7) // behind the window
		lost := tr.window.expected(tr.highest) - tr.window.received
		if lost != c.lost || tr.window.received != c.received || tr.duplicates != c.twice {
			t.Errorf("%s: lost %d, received %d, twice %d; want %+v", name, lost, tr.window.received, tr.duplicates, c)
		}
	}
	tr := newTrack(1, media.Video, 65000, true)
	for n := range 200_000 {
		if ext, fresh := tr.countPacket(uint16(65000 + n)); ext != int64(65000+n) || !fresh {
			t.Fatalf("packet %d: %d, %v", n, ext, fresh)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if h.percentile(50) != 0 {
		t.Error("an empty one has a percentile")
	}
	for v := int64(1); v <= 1_000_000; v++ {
		h.add(v * 1000)
	}
	for _, p := range []float64{1, 50, 95, 99, 99.9, 100} {
		if got, want := float64(h.percentile(p)), p*1e7; math.Abs(got-want) > 0.01*want {
			t.Errorf("percentile %v is %v, want %v", p, got, want)
		}
	}
	for _, v := range []int64{-1, 0, 63, 64, 127, 128, 1 << 40, math.MaxInt64} {
		h = histogram{}
		h.add(v)
		want := min(max(v, 0), maxValue)
		if got := h.percentile(50); math.Abs(float64(got-want)) > 0.008*float64(want)+1 || h.most != want {
			t.Errorf("%d: percentile %d, most %d", v, got, h.most)
		}
	}
}

func TestAssembly(t *testing.T) {
	var a assembly
	type packet struct {
		ext         int64
		time        uint32
		key, marker bool
		whole       bool
	}
	for i, p := range []packet{
		{1, 1, false, true, false},                             // not a keyframe
		{2, 2, true, false, false}, {4, 2, false, true, false}, // a gap
		{5, 3, true, false, false}, {7, 3, false, true, false}, {6, 3, false, false, true}, // reordered
	} {
		if got := a.addPacket(p.ext, p.time, p.key, p.marker); got != p.whole {
			t.Errorf("packet %d: %v", i, got)
		}
	}
}

func TestStamp(t *testing.T) {
	b := make([]byte, headSize)
	putStamp(b, 7)
	if number, ok := readStamp(b); !ok || number != 7 {
		t.Errorf("%d, %v", number, ok)
	}
	short := make([]byte, stampEnd-1)
	putStamp(short, 1)
	if _, ok := readStamp(short); ok || slices.Max(short) != 0 {
		t.Error("a stamp where there is no room")
	}
}

func TestPayloadOfMalformed(t *testing.T) {
	full := append([]byte{0x9f, 96}, make([]byte, 200)...)
	full[12+60+3] = 2
	for n := 12; n < len(full); n++ {
		if got := payloadOf(full[:n], 16); len(got) > n {
			t.Errorf("%d bytes: %d of payload", n, len(got))
		}
	}
}

func TestFrameSizes(t *testing.T) {
	c := config("http://x")
	inter, key := c.frameSizes()
	if got := 8 * (key + inter*(c.keyEvery()-1)) * c.FrameRate / c.keyEvery(); got < c.Bitrate*99/100 || got > c.Bitrate {
		t.Errorf("frames of %d and %d bytes are %d bit/s, want %d", inter, key, got, c.Bitrate)
	}
}
