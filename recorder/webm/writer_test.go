package webm

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

func TestFramesComeBack(t *testing.T) {
	frames := interleaved(12 * time.Second)
	b := written(t, Config{}, avTracks(), frames)
	checkFinished(t, b)
	f := mustRead(t, b)
	compare(t, f.blocks(), frames)
	if d := f.Segment.Info.Duration; d < 11999.99 || d > 12000.01 {
		t.Errorf("duration %v ms", d)
	}
	if n := len(f.Segment.Cues.CuePoint); n != 12 {
		t.Errorf("%d cues, want one per keyframe", n)
	}
	for i, c := range f.Segment.Cluster {
		if c.SimpleBlock[0].TrackNumber != 2 || !c.SimpleBlock[0].Keyframe {
			t.Errorf("cluster %d does not begin with a video keyframe", i)
		}
	}
}

func TestHeader(t *testing.T) {
	date := time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.FixedZone("", 3600))
	w, f := newWriter(t, Config{Date: date, Title: "a\xffb", WritingApp: "weir 1"}, []TrackEntry{
		{Codec: media.Opus, Name: "microphone", Channels: 1},
		{Codec: media.VP8},
	})
	if len(f.ends) != 1 || int64(len(f.b)) != w.layout.end {
		t.Fatalf("the header was written in %d parts, %d of %d bytes", len(f.ends), len(f.b), w.layout.end)
	}
	o, err := readOracle(f.b, true)
	if err != nil {
		t.Fatal(err)
	}
	if o.EBML.DocType != "webm" {
		t.Errorf("EBML header %+v", o.EBML)
	}
	i := o.Segment.Info
	if i.Duration != 0 || i.TimecodeScale != 1e6 || i.Title != "a\uFFFDb" || i.MuxingApp != "weir" ||
		i.WritingApp != "weir 1" || !i.DateUTC.Equal(date) {
		t.Errorf("Info %+v", i)
	}
	a, v := o.Segment.Tracks.TrackEntry[0], o.Segment.Tracks.TrackEntry[1]
	head := "OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
	if a.TrackNumber != 1 || a.TrackType != 2 || a.CodecID != "A_OPUS" || a.Name != "microphone" ||
		string(a.CodecPrivate) != head || a.SeekPreRoll != 80e6 || a.Audio.Channels != 1 ||
		a.Audio.SamplingFrequency != 48000 || a.Video != nil || a.Language != "und" {
		t.Errorf("audio entry %+v", a)
	}
	if v.TrackNumber != 2 || v.TrackType != 1 || v.CodecID != "V_VP8" || v.Audio != nil ||
		*v.Video != (video{unknownWidth, unknownHeight}) || v.TrackUID == a.TrackUID || v.TrackUID == 0 || a.TrackUID == 0 {
		t.Errorf("video entry %+v", v)
	}
	if bytes.Contains(f.b, append(appendID(nil, durationID), 0x88)) {
		t.Error("an open file claims a duration")
	}
}

func TestNoDateNoTitle(t *testing.T) {
	_, f := newWriter(t, Config{}, avTracks())
	o, err := readOracle(f.b, true)
	if err != nil || !o.Segment.Info.DateUTC.IsZero() || o.Segment.Info.Title != "" || o.Segment.Info.WritingApp != "weir" {
		t.Errorf("Info %+v, %v", o.Segment.Info, err)
	}
}

func TestSizeComesLate(t *testing.T) {
	w, f := newWriter(t, Config{}, []TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}})
	frames := interleaved(2 * time.Second)
	feed(t, w, frames[:30])
	before := len(f.b)
	for _, s := range [][2]int{{1280, 720}, {640, 480}, {1280, 720}} { // the first counts
		if err := w.SetSize(videoTrack, s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.b) != before || len(f.patches) != 1 {
		t.Errorf("SetSize made %d writes and the file %d bytes longer", len(f.patches), len(f.b)-before)
	}
	feed(t, w, frames[30:])
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	checkFinished(t, f.b)
	o := mustRead(t, f.b)
	if v := o.Segment.Tracks.TrackEntry[1].Video; *v != (video{1280, 720}) {
		t.Errorf("size %+v", v)
	}
	compare(t, o.blocks(), frames)
}

// TestEnlarge: the largest size stays in the header.
func TestEnlarge(t *testing.T) {
	w, f := newWriter(t, Config{}, []TrackEntry{{Codec: media.Opus}, {Codec: media.VP9}})
	feed(t, w, interleaved(time.Second))
	for _, s := range [][2]int{{320, 180}, {1280, 720}, {640, 360}, {1280, 720}} {
		if err := w.Enlarge(videoTrack, s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.patches) != 2 {
		t.Errorf("%d writes, want 2", len(f.patches))
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if v := mustRead(t, f.b).Segment.Tracks.TrackEntry[1].Video; *v != (video{1280, 720}) {
		t.Errorf("size %+v", v)
	}
}

func TestBadCallsChangeNothing(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	frame := Block{Data: []byte{1}}
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"track -1", w.WriteFrame(-1, frame), ErrTrack},
		{"track 2", w.WriteFrame(2, frame), ErrTrack},
		{"empty frame", w.WriteFrame(0, Block{}), ErrFrame},
		{"large frame", w.WriteFrame(0, Block{Data: make([]byte, MaxFrame+1)}), ErrFrame},
		{"far future", w.WriteFrame(0, Block{Data: []byte{1}, Time: maxTime + 1}), ErrFrame},
		{"size of audio", w.SetSize(audioTrack, 1, 1), ErrTrack},
		{"size of track 2", w.SetSize(2, 1, 1), ErrTrack},
		{"width 0", w.SetSize(videoTrack, 0, 1), ErrFrame},
		{"height 65536", w.SetSize(videoTrack, 1, 65536), ErrFrame},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, tc.err, tc.want)
		}
	}
	frames := interleaved(time.Second)
	feed(t, w, frames)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := mustRead(t, f.b)
	compare(t, o.blocks(), frames)
}

func TestBadConfig(t *testing.T) {
	ok := avTracks()
	for name, tc := range map[string]struct {
		c      Config
		tracks []TrackEntry
	}{
		"cluster of -1":    {Config{MaxCluster: -1}, ok},
		"cluster of 31 s":  {Config{MaxCluster: 31 * time.Second}, ok},
		"reserve of 1 GiB": {Config{IndexReserve: 1 << 30}, ok},
		"no track":         {Config{}, nil},
		"127 tracks":       {Config{}, make([]TrackEntry, 127)},
		"no codec":         {Config{}, []TrackEntry{{}}},
		"unknown codec":    {Config{}, []TrackEntry{{Codec: 200}}},
		"3 channels":       {Config{}, []TrackEntry{{Codec: media.Opus, Channels: 3}}},
		"-1 wide":          {Config{}, []TrackEntry{{Codec: media.VP8, Width: -1, Height: 5}}},
		"no height":        {Config{}, []TrackEntry{{Codec: media.VP8, Width: 5}}},
	} {
		f := &memFile{}
		if _, err := NewWriter(f, tc.c, tc.tracks); !errors.Is(err, ErrConfig) || f.calls > 0 {
			t.Errorf("%s: %v after %d writes", name, err, f.calls)
		}
	}
}

func TestFrameIsNotRetained(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	frames := interleaved(2 * time.Second)
	scratch := make([]byte, 0, 4096)
	for _, fr := range frames {
		b := fr.Block
		b.Data = append(scratch[:0], b.Data...)
		if err := w.WriteFrame(fr.track, b); err != nil {
			t.Fatal(err)
		}
		clear(b.Data)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := mustRead(t, f.b)
	compare(t, o.blocks(), frames)
}

// TestWritesEndAtBlocks requires that what reaches the file is whole blocks, in
// one Write per frame at most.
func TestWritesEndAtBlocks(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	n := 0
	for i := range 200 {
		size := 1000
		if i%7 == 0 {
			size = 300 << 10 // more than is gathered
		}
		if i == 100 {
			size = 2 << 20 // more than is kept
		}
		before := len(f.ends)
		data := vp8(i, i%50 == 0, size)
		if err := w.WriteFrame(videoTrack, Block{Time: time.Duration(i) * 33 * time.Millisecond, Sync: i%50 == 0, Data: data}); err != nil {
			t.Fatal(err)
		}
		if len(f.ends) > before+1 {
			t.Fatalf("frame %d took %d writes", i, len(f.ends)-before)
		}
		n++
		if i%10 == 3 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if s := w.Stats(); s.Buffered != 0 || s.Bytes != int64(len(f.b)) {
				t.Fatalf("after Flush: %+v, file of %d", s, len(f.b))
			}
			o, err := readOracle(f.b, false)
			if err != nil || len(o.blocks()) != n {
				t.Fatalf("after frame %d the file has %d blocks, %v", i, len(o.blocks()), err)
			}
		}
	}
	if cap(w.buf) > keepBuffer {
		t.Errorf("a buffer of %d is kept", cap(w.buf))
	}
}

func TestStats(t *testing.T) {
	w, f := newWriter(t, Config{}, []TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}, {Codec: media.VP8}})
	frames := interleaved(3 * time.Second)
	feed(t, w, frames)
	if err := w.SetSize(videoTrack, 160, 120); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		s := w.Stats()
		if s.Blocks != 240 || s.Keyframes != 3 || s.Clusters != 3 || s.Duration.Round(time.Microsecond) != 3*time.Second {
			t.Errorf("%+v", s)
		}
		a, v, none := s.Tracks[0], s.Tracks[1], s.Tracks[2]
		if a.Number != 1 || a.Frames != 150 || a.Bytes != 150*80 || a.Last != 2980*time.Millisecond || a.Keyframes != 0 {
			t.Errorf("audio %+v", a)
		}
		if v.Number != 2 || v.Frames != 90 || v.Keyframes != 3 || v.Last != 2967*time.Millisecond || v.Width != 160 || v.Height != 120 {
			t.Errorf("video %+v", v)
		}
		if none != (TrackStats{Number: 3}) {
			t.Errorf("silent track %+v", none)
		}
	}
	check()
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	check()
	if s := w.Stats(); s.Bytes != int64(len(f.b)) || s.Buffered != 0 {
		t.Errorf("%+v, file of %d", s, len(f.b))
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	f.failAt = f.calls + 1
	feed(t, w, interleaved(time.Second)[:5])
	err := w.Flush()
	if !errors.Is(err, ErrWrite) || !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("%v", err)
	}
}
