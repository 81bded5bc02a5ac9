package webm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

// laced returns the data of a block that holds frames in a kind of lacing.
func laced(kind byte, frames ...[]byte) []byte {
	b := blockData(liveAudio, 0, kind, byte(len(frames)-1))
	prev := 0
	for i, f := range frames[:len(frames)-1] {
		switch {
		case kind == lacingXiph:
			n := len(f)
			for ; n >= 255; n -= 255 {
				b = append(b, 255)
			}
			b = append(b, byte(n))
		case kind == lacingEBML && i == 0:
			b = appendSize(b, uint64(len(f)))
		case kind == lacingEBML:
			b = appendWideSize(b, uint64(len(f)-prev+1<<13-1), 2) // two bytes: biased by 2^13-1
		}
		prev = len(f)
	}
	return append(b, bytes.Join(frames, nil)...)
}

// sizedFrames returns frames of the given sizes, in which each begins like an Opus
// packet of 20 ms.
func sizedFrames(sizes ...int) [][]byte {
	var out [][]byte
	for i, n := range sizes {
		out = append(out, opus(i, max(n, 8))[:n])
	}
	return out
}

var lacings = []struct {
	name   string
	kind   byte
	frames [][]byte
}{
	{"Xiph", lacingXiph, sizedFrames(1, 254, 255, 256, 510, 511, 1000, 3)},
	{"EBML", lacingEBML, sizedFrames(800, 500, 1000, 1, 1, 900, 20)},
	{"fixed", lacingFixed, sizedFrames(40, 40, 40, 40, 40)},
	{"Xiph of one", lacingXiph, sizedFrames(300)},
	{"EBML of one", lacingEBML, sizedFrames(300)},
	{"fixed of one", lacingFixed, sizedFrames(300)},
	{"Xiph of 256", lacingXiph, sizedFrames(bytesOf(3, 256)...)},
	{"EBML of 256", lacingEBML, sizedFrames(bytesOf(3, 256)...)},
	{"fixed of 256", lacingFixed, sizedFrames(bytesOf(3, 256)...)},
}

func bytesOf(v, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestReaderUnlaces(t *testing.T) {
	for _, tc := range lacings {
		b := join(liveStart, liveCluster(50, el(simpleBlockID, laced(tc.kind, tc.frames...)),
			el(blockGroupID, el(blockID, laced(tc.kind, tc.frames...)), number(blockDurationID, uint64(8*len(tc.frames))))))
		got, err := sameInPieces(t, ReaderConfig{}, b)
		if err != nil || len(got.damages) > 0 || len(got.frames) != 2*len(tc.frames) {
			t.Fatalf("%s: %d frames, %v, damage %v", tc.name, len(got.frames), err, got.damages)
		}
		for i, f := range got.frames {
			at, d := 50*time.Millisecond, time.Duration(0) // no duration is told
			if k := i - len(tc.frames); k >= 0 {
				at, d = at+time.Duration(k)*8*time.Millisecond, 8*time.Millisecond
			}
			if !bytes.Equal(f.Data, tc.frames[i%len(tc.frames)]) || f.Time != at || f.Duration != d {
				t.Errorf("%s: frame %d of %d bytes at %v for %v", tc.name, i, len(f.Data), f.Time, f.Duration)
			}
		}
	}
}

// TestUnlacedAgreesWithFFprobe compares laced frames of a track that has a
// DefaultDuration.
func TestUnlacedAgreesWithFFprobe(t *testing.T) {
	head := el(tracksID, el(trackEntryID, number(trackNumberID, liveAudio), number(0x73C5, 9), number(0x83, 2),
		text(codecIDID, "A_OPUS"), el(codecPrivateID, opusHead(2)), number(defaultDurationID, 20e6),
		el(audioID, el(0xB5, []byte{0x47, 0x3B, 0x80, 0}), number(channelsID, 2))))
	b := join(ebmlStart, open(segmentID), el(infoID, number(timestampScaleID, 1e6)), head)
	ms := uint64(0)
	for _, tc := range lacings {
		if len(tc.frames) == 1 {
			continue // ffmpeg 5.1 loses some of these
		}
		data := laced(tc.kind, tc.frames...)
		data[4] |= flagKey // behind two bytes of track and two of time
		b = join(b, liveCluster(ms, el(simpleBlockID, data)))
		ms += uint64(20 * len(tc.frames))
	}
	got := mustReadAll(t, b)
	samePackets(t, "laced", packets(got.frames), probedPackets(t, onDisk(t, b)), false)
}

// TestReaderTimesLacedFrames has frames whose durations only the codec can tell.
func TestReaderTimesLacedFrames(t *testing.T) {
	b := join(liveStart, liveCluster(0, el(simpleBlockID, laced(lacingXiph, []byte{5}, []byte{20}, []byte{0}, []byte{9}))))
	c := ReaderConfig{FrameDuration: func(c media.Codec, data []byte) time.Duration {
		if c != media.Opus {
			t.Errorf("asked for %v", c)
		}
		return time.Duration(data[0]) * time.Millisecond
	}}
	got, err := sameInPieces(t, c, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{0, 5, 25, 25} {
		if got.frames[i].Time != want*time.Millisecond {
			t.Errorf("frame %d at %v", i, got.frames[i].Time)
		}
	}
}

// TestReaderDropsBadBlocks has one bad block between two good ones: only that one
// may be lost.
func TestReaderDropsBadBlocks(t *testing.T) {
	group := func(parts ...[]byte) []byte { return el(blockGroupID, parts...) }
	good := el(blockID, blockData(liveVideo, 0, 0, 'z'))
	fixed := func(payload ...byte) []byte { return simpleBlock(liveAudio, 0, lacingFixed, payload...) }
	xiph := func(payload ...byte) []byte { return simpleBlock(liveAudio, 0, lacingXiph, payload...) }
	ebml := func(payload ...byte) []byte { return simpleBlock(liveAudio, 0, lacingEBML, payload...) }
	for name, tc := range map[string]struct {
		bad    []byte
		reason string
	}{
		"no data":             {el(simpleBlockID), reasonShortBlock},
		"no track":            {el(simpleBlockID, []byte{0, 0, 0, 0, 1}), reasonShortBlock},
		"cut track":           {el(simpleBlockID, []byte{0x41}), reasonShortBlock},
		"no time":             {el(simpleBlockID, []byte{0x85, 0}), reasonShortBlock},
		"no frame":            {el(simpleBlockID, blockData(liveVideo, 0, 0)), reasonShortBlock},
		"other track":         {simpleBlock(1, 0, 0, 'z'), reasonNoTrack},
		"only laced count":    {fixed(0), reasonLacing},
		"panic of ebml-go":    {el(simpleBlockID, []byte{0x85, 0, 0, 0x24}), reasonShortBlock},
		"fixed, odd":          {fixed(1, 'a', 'b', 'c'), reasonLacing},
		"fixed, empty frames": {fixed(3), reasonLacing},
		"xiph, no sizes":      {xiph(3), reasonLacing},
		"xiph, endless":       {xiph(1, 255, 255, 255), reasonLacing},
		"xiph, too long":      {xiph(1, 2, 'a', 'b'), reasonLacing},
		"xiph, empty first":   {xiph(1, 0, 'a'), reasonLacing},
		"xiph, far too long":  {xiph(2, 255, 5, 255, 255, 1, 'a', 'b'), reasonLacing},
		"ebml, no sizes":      {ebml(2), reasonLacing},
		"ebml, zero":          {ebml(1, 0x80, 'a'), reasonLacing},
		"ebml, no vint":       {ebml(1, 0, 'a'), reasonLacing},
		"ebml, cut vint":      {ebml(1, 0x01, 'a'), reasonLacing},
		"ebml, below zero":    {ebml(2, 0x81, 0xBE, 'a', 'b', 'c'), reasonLacing},
		"ebml, huge":          {ebml(1, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 'a'), reasonLacing},
		"ebml, huge step":     {ebml(2, 0x81, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 'a', 'b'), reasonLacing},
		"group, empty":        {group(), reasonNoBlock},
		"group, no block":     {group(el(voidID), number(blockDurationID, 3)), reasonNoBlock},
		"group, two blocks":   {group(good, good, el(voidID)), reasonSecond},
		"group, bad block":    {group(el(blockID, blockData(liveVideo, 0, 0))), reasonShortBlock},
		"group, empty block":  {group(el(blockID)), reasonShortBlock},
		"group, other track":  {group(el(blockID, blockData(liveVideo+1, 0, 0, 'z'))), reasonNoTrack},
		"group, lacing":       {group(el(blockID, blockData(liveVideo, 0, lacingFixed, 3))), reasonLacing},
		"group, duration":     {group(good, el(blockDurationID, make([]byte, 9))), reasonDuration},
		"timestamp":           {el(timestampID, make([]byte, 9)), reasonTooLarge},
	} {
		b := join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a'), tc.bad, simpleBlock(liveVideo, 1, 0, 'b')))
		got, err := sameInPieces(t, ReaderConfig{}, b)
		if err != nil || string(got.order) != "hfdf" {
			t.Errorf("%s: %s, %v, %v", name, got.order, err, got.damages)
			continue
		}
		got.want(t, "a", "b")
		d := got.damages[0]
		if d.Length != int64(len(tc.bad)) || !bytes.HasPrefix(b[d.Offset:], tc.bad) || d.Reason != tc.reason ||
			!strings.Contains(d.String(), fmt.Sprintf("%v at byte %d: ", d.Element, d.Offset)) {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestReaderBlockGroup(t *testing.T) {
	data := blockData(liveVideo, 40, flagKey, 'x') // the flag means nothing in a Block
	alpha := el(blockAdditionsID, el(0xA6, number(0xEE, 1), text(0xA5, "alpha")))
	reference := el(referenceBlockID, []byte{1, 23})
	for name, tc := range map[string]struct {
		children [][]byte
		key      bool
		duration time.Duration
	}{
		"plain":     {[][]byte{el(blockID, data)}, true, 0},
		"inter":     {[][]byte{el(blockID, data), reference}, false, 0},
		"duration":  {[][]byte{number(blockDurationID, 17), el(blockID, data)}, true, 34 * time.Millisecond},
		"all":       {[][]byte{el(blockID, data), alpha, number(blockDurationID, 3), reference, el(voidID)}, false, 6 * time.Millisecond},
		"long ago":  {[][]byte{el(blockID, data), number(blockDurationID, 1<<63)}, true, 0},
		"unknown":   {[][]byte{el(0x4FFF, make([]byte, 9)), el(blockID, data)}, true, 0},
		"zero time": {[][]byte{el(blockID, data), el(blockDurationID)}, true, 0},
	} {
		b := join(ebmlStart, open(segmentID), el(infoID, number(timestampScaleID, 2e6)), liveTracks,
			liveCluster(100, el(blockGroupID, tc.children...), simpleBlock(liveVideo, 0, 0, 'y')))
		got, err := sameInPieces(t, ReaderConfig{}, b)
		if err != nil || len(got.frames) != 2 || len(got.damages) > 0 {
			t.Errorf("%s: %s, %v, %v", name, got.order, err, got.damages)
			continue
		}
		if f := got.frames[0]; string(f.Data) != "x" || f.Time != 280*time.Millisecond || f.Key != tc.key || f.Duration != tc.duration {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
