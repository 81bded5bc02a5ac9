package read_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

func TestReaderUnlaces(t *testing.T) {
	for _, tc := range webmtest.Lacings {
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(50, webmtest.El(ebml.SimpleBlockID, webmtest.Laced(tc.Kind, tc.Frames...)),
			webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.Laced(tc.Kind, tc.Frames...)), webmtest.Number(ebml.BlockDurationID, uint64(8*len(tc.Frames))))))
		got, err := sameInPieces(t, read.Config{}, b)
		if err != nil || len(got.Damages) > 0 || len(got.Frames) != 2*len(tc.Frames) {
			t.Fatalf("%s: %d frames, %v, damage %v", tc.Name, len(got.Frames), err, got.Damages)
		}
		for i, f := range got.Frames {
			at, d := 50*time.Millisecond, time.Duration(0) // no duration is told
			if k := i - len(tc.Frames); k >= 0 {
				at, d = at+time.Duration(k)*8*time.Millisecond, 8*time.Millisecond
			}
			if !bytes.Equal(f.Data, tc.Frames[i%len(tc.Frames)]) || f.Time != at || f.Duration != d {
				t.Errorf("%s: frame %d of %d bytes at %v for %v", tc.Name, i, len(f.Data), f.Time, f.Duration)
			}
		}
	}
}

// TestUnlacedAgreesWithFFprobe compares laced frames of a track that has a
// DefaultDuration.
func TestUnlacedAgreesWithFFprobe(t *testing.T) {
	head := webmtest.El(ebml.TracksID, webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, webmtest.LiveAudio), webmtest.Number(0x73C5, 9), webmtest.Number(0x83, 2),
		webmtest.Text(ebml.CodecIDID, "A_OPUS"), webmtest.El(ebml.CodecPrivateID, layout.OpusHead(2)), webmtest.Number(ebml.DefaultDurationID, 20e6),
		webmtest.El(ebml.AudioID, webmtest.El(0xB5, []byte{0x47, 0x3B, 0x80, 0}), webmtest.Number(ebml.ChannelsID, 2))))
	b := webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID), webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 1e6)), head)
	ms := uint64(0)
	for _, tc := range webmtest.Lacings {
		if len(tc.Frames) == 1 {
			continue // ffmpeg 5.1 loses some of these
		}
		data := webmtest.Laced(tc.Kind, tc.Frames...)
		data[4] |= ebml.FlagKey // behind two bytes of track and two of time
		b = webmtest.Join(b, webmtest.LiveCluster(ms, webmtest.El(ebml.SimpleBlockID, data)))
		ms += uint64(20 * len(tc.Frames))
	}
	got := webmtest.MustReadAll(t, b)
	webmtest.SamePackets(t, "laced", webmtest.Packets(got.Frames), webmtest.ProbedPackets(t, webmtest.OnDisk(t, b)), false)
}

// TestReaderTimesLacedFrames has frames whose durations only the codec can tell.
func TestReaderTimesLacedFrames(t *testing.T) {
	b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.El(ebml.SimpleBlockID, webmtest.Laced(ebml.LacingXiph, []byte{5}, []byte{20}, []byte{0}, []byte{9}))))
	c := read.Config{FrameDuration: func(c media.Codec, data []byte) time.Duration {
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
		if got.Frames[i].Time != want*time.Millisecond {
			t.Errorf("frame %d at %v", i, got.Frames[i].Time)
		}
	}
}

// TestReaderDropsBadBlocks has one bad block between two good ones: only that one
// may be lost.
func TestReaderDropsBadBlocks(t *testing.T) {
	group := func(parts ...[]byte) []byte { return webmtest.El(ebml.BlockGroupID, parts...) }
	good := webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0, 'z'))
	fixed := func(payload ...byte) []byte {
		return webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.LacingFixed, payload...)
	}
	xiph := func(payload ...byte) []byte {
		return webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.LacingXiph, payload...)
	}
	byEBML := func(payload ...byte) []byte {
		return webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.LacingEBML, payload...)
	}
	for name, tc := range map[string]struct {
		bad    []byte
		reason string
	}{
		"no data":             {webmtest.El(ebml.SimpleBlockID), ebml.ReasonShortBlock},
		"no track":            {webmtest.El(ebml.SimpleBlockID, []byte{0, 0, 0, 0, 1}), ebml.ReasonShortBlock},
		"cut track":           {webmtest.El(ebml.SimpleBlockID, []byte{0x41}), ebml.ReasonShortBlock},
		"no time":             {webmtest.El(ebml.SimpleBlockID, []byte{0x85, 0}), ebml.ReasonShortBlock},
		"no frame":            {webmtest.El(ebml.SimpleBlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0)), ebml.ReasonShortBlock},
		"other track":         {webmtest.SimpleBlock(1, 0, 0, 'z'), ebml.ReasonNoTrack},
		"only laced count":    {fixed(0), ebml.ReasonLacing},
		"panic of ebml-go":    {webmtest.El(ebml.SimpleBlockID, []byte{0x85, 0, 0, 0x24}), ebml.ReasonShortBlock},
		"fixed, odd":          {fixed(1, 'a', 'b', 'c'), ebml.ReasonLacing},
		"fixed, empty frames": {fixed(3), ebml.ReasonLacing},
		"xiph, no sizes":      {xiph(3), ebml.ReasonLacing},
		"xiph, endless":       {xiph(1, 255, 255, 255), ebml.ReasonLacing},
		"xiph, too long":      {xiph(1, 2, 'a', 'b'), ebml.ReasonLacing},
		"xiph, empty first":   {xiph(1, 0, 'a'), ebml.ReasonLacing},
		"xiph, far too long":  {xiph(2, 255, 5, 255, 255, 1, 'a', 'b'), ebml.ReasonLacing},
		"ebml, no sizes":      {byEBML(2), ebml.ReasonLacing},
		"ebml, zero":          {byEBML(1, 0x80, 'a'), ebml.ReasonLacing},
		"ebml, no vint":       {byEBML(1, 0, 'a'), ebml.ReasonLacing},
		"ebml, cut vint":      {byEBML(1, 0x01, 'a'), ebml.ReasonLacing},
		"ebml, below zero":    {byEBML(2, 0x81, 0xBE, 'a', 'b', 'c'), ebml.ReasonLacing},
		"ebml, huge":          {byEBML(1, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 'a'), ebml.ReasonLacing},
		"ebml, huge step":     {byEBML(2, 0x81, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 'a', 'b'), ebml.ReasonLacing},
		"group, empty":        {group(), ebml.ReasonNoBlock},
		"group, no block":     {group(webmtest.El(ebml.VoidID), webmtest.Number(ebml.BlockDurationID, 3)), ebml.ReasonNoBlock},
		"group, two blocks":   {group(good, good, webmtest.El(ebml.VoidID)), ebml.ReasonSecond},
		"group, bad block":    {group(webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0))), ebml.ReasonShortBlock},
		"group, empty block":  {group(webmtest.El(ebml.BlockID)), ebml.ReasonShortBlock},
		"group, other track":  {group(webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo+1, 0, 0, 'z'))), ebml.ReasonNoTrack},
		"group, lacing":       {group(webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, ebml.LacingFixed, 3))), ebml.ReasonLacing},
		"group, duration":     {group(good, webmtest.El(ebml.BlockDurationID, make([]byte, 9))), ebml.ReasonDuration},
		"timestamp":           {webmtest.El(ebml.TimestampID, make([]byte, 9)), ebml.ReasonTooLarge},
	} {
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'), tc.bad, webmtest.SimpleBlock(webmtest.LiveVideo, 1, 0, 'b')))
		got, err := sameInPieces(t, read.Config{}, b)
		if err != nil || string(got.Order) != "hfdf" {
			t.Errorf("%s: %s, %v, %v", name, got.Order, err, got.Damages)
			continue
		}
		got.Want(t, "a", "b")
		d := got.Damages[0]
		if d.Length != int64(len(tc.bad)) || !bytes.HasPrefix(b[d.Offset:], tc.bad) || d.Reason != tc.reason ||
			!strings.Contains(d.String(), fmt.Sprintf("%v at byte %d: ", d.Element, d.Offset)) {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestReaderBlockGroup(t *testing.T) {
	data := webmtest.BlockData(webmtest.LiveVideo, 40, ebml.FlagKey, 'x') // the flag means nothing in a Block
	alpha := webmtest.El(ebml.BlockAdditionsID, webmtest.El(0xA6, webmtest.Number(0xEE, 1), webmtest.Text(0xA5, "alpha")))
	reference := webmtest.El(ebml.ReferenceBlockID, []byte{1, 23})
	for name, tc := range map[string]struct {
		children [][]byte
		key      bool
		duration time.Duration
	}{
		"plain":     {[][]byte{webmtest.El(ebml.BlockID, data)}, true, 0},
		"inter":     {[][]byte{webmtest.El(ebml.BlockID, data), reference}, false, 0},
		"duration":  {[][]byte{webmtest.Number(ebml.BlockDurationID, 17), webmtest.El(ebml.BlockID, data)}, true, 34 * time.Millisecond},
		"all":       {[][]byte{webmtest.El(ebml.BlockID, data), alpha, webmtest.Number(ebml.BlockDurationID, 3), reference, webmtest.El(ebml.VoidID)}, false, 6 * time.Millisecond},
		"long ago":  {[][]byte{webmtest.El(ebml.BlockID, data), webmtest.Number(ebml.BlockDurationID, 1<<63)}, true, 0},
		"unknown":   {[][]byte{webmtest.El(0x4FFF, make([]byte, 9)), webmtest.El(ebml.BlockID, data)}, true, 0},
		"zero time": {[][]byte{webmtest.El(ebml.BlockID, data), webmtest.El(ebml.BlockDurationID)}, true, 0},
	} {
		b := webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID), webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 2e6)), webmtest.LiveTracks,
			webmtest.LiveCluster(100, webmtest.El(ebml.BlockGroupID, tc.children...), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'y')))
		got, err := sameInPieces(t, read.Config{}, b)
		if err != nil || len(got.Frames) != 2 || len(got.Damages) > 0 {
			t.Errorf("%s: %s, %v, %v", name, got.Order, err, got.Damages)
			continue
		}
		if f := got.Frames[0]; string(f.Data) != "x" || f.Time != 280*time.Millisecond || f.Key != tc.key || f.Duration != tc.duration {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
