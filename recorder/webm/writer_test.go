package webm_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

func TestFramesComeBack(t *testing.T) {
	frames := webmtest.Interleaved(12 * time.Second)
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), frames)
	webmtest.CheckFinished(t, b)
	f := webmtest.MustRead(t, b)
	webmtest.Compare(t, f.Blocks(), frames)
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
	w, f := webmtest.NewWriter(t, webm.Config{Date: date, Title: "a\xffb", WritingApp: "weir 1"}, []ebml.TrackEntry{
		{Codec: media.Opus, Name: "microphone", Channels: 1},
		{Codec: media.VP8},
	})
	if end := w.HeaderEnd(); len(f.Ends) != 1 || int64(len(f.B)) != end {
		t.Fatalf("the header was written in %d parts, %d of %d bytes", len(f.Ends), len(f.B), end)
	}
	o, err := webmtest.ReadOracle(f.B, true)
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
		*v.Video != (webmtest.OracleVideo{PixelWidth: layout.UnknownWidth, PixelHeight: layout.UnknownHeight}) || v.TrackUID == a.TrackUID || v.TrackUID == 0 || a.TrackUID == 0 {
		t.Errorf("video entry %+v", v)
	}
	if bytes.Contains(f.B, append(ebml.AppendID(nil, ebml.DurationID), 0x88)) {
		t.Error("an open file claims a duration")
	}
}

func TestNoDateNoTitle(t *testing.T) {
	_, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	o, err := webmtest.ReadOracle(f.B, true)
	if err != nil || !o.Segment.Info.DateUTC.IsZero() || o.Segment.Info.Title != "" || o.Segment.Info.WritingApp != "weir" {
		t.Errorf("Info %+v, %v", o.Segment.Info, err)
	}
}

func TestSizeComesLate(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, []ebml.TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}})
	frames := webmtest.Interleaved(2 * time.Second)
	webmtest.Feed(t, w, frames[:30])
	before := len(f.B)
	for _, s := range [][2]int{{1280, 720}, {640, 480}, {1280, 720}} { // the first counts
		if err := w.SetSize(webmtest.VideoTrack, s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.B) != before || len(f.Patches) != 1 {
		t.Errorf("SetSize made %d writes and the file %d bytes longer", len(f.Patches), len(f.B)-before)
	}
	webmtest.Feed(t, w, frames[30:])
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	webmtest.CheckFinished(t, f.B)
	o := webmtest.MustRead(t, f.B)
	if v := o.Segment.Tracks.TrackEntry[1].Video; *v != (webmtest.OracleVideo{PixelWidth: 1280, PixelHeight: 720}) {
		t.Errorf("size %+v", v)
	}
	webmtest.Compare(t, o.Blocks(), frames)
}

// TestEnlarge: the largest size stays in the header.
func TestEnlarge(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, []ebml.TrackEntry{{Codec: media.Opus}, {Codec: media.VP9}})
	webmtest.Feed(t, w, webmtest.Interleaved(time.Second))
	for _, s := range [][2]int{{320, 180}, {1280, 720}, {640, 360}, {1280, 720}} {
		if err := w.Enlarge(webmtest.VideoTrack, s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.Patches) != 2 {
		t.Errorf("%d writes, want 2", len(f.Patches))
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if v := webmtest.MustRead(t, f.B).Segment.Tracks.TrackEntry[1].Video; *v != (webmtest.OracleVideo{PixelWidth: 1280, PixelHeight: 720}) {
		t.Errorf("size %+v", v)
	}
}

func TestBadCallsChangeNothing(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	frame := webm.Block{Data: []byte{1}}
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"track -1", w.WriteFrame(-1, frame), webm.ErrTrack},
		{"track 2", w.WriteFrame(2, frame), webm.ErrTrack},
		{"empty frame", w.WriteFrame(0, webm.Block{}), webm.ErrFrame},
		{"large frame", w.WriteFrame(0, webm.Block{Data: make([]byte, ebml.MaxFrame+1)}), webm.ErrFrame},
		{"far future", w.WriteFrame(0, webm.Block{Data: []byte{1}, Time: ebml.MaxTime + 1}), webm.ErrFrame},
		{"size of audio", w.SetSize(webmtest.AudioTrack, 1, 1), webm.ErrTrack},
		{"size of track 2", w.SetSize(2, 1, 1), webm.ErrTrack},
		{"width 0", w.SetSize(webmtest.VideoTrack, 0, 1), webm.ErrFrame},
		{"height 65536", w.SetSize(webmtest.VideoTrack, 1, 65536), webm.ErrFrame},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, tc.err, tc.want)
		}
	}
	frames := webmtest.Interleaved(time.Second)
	webmtest.Feed(t, w, frames)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := webmtest.MustRead(t, f.B)
	webmtest.Compare(t, o.Blocks(), frames)
}

func TestBadConfig(t *testing.T) {
	ok := webmtest.AVTracks()
	for name, tc := range map[string]struct {
		c      webm.Config
		tracks []ebml.TrackEntry
	}{
		"cluster of -1":    {webm.Config{MaxCluster: -1}, ok},
		"cluster of 31 s":  {webm.Config{MaxCluster: 31 * time.Second}, ok},
		"reserve of 1 GiB": {webm.Config{IndexReserve: 1 << 30}, ok},
		"no track":         {webm.Config{}, nil},
		"127 tracks":       {webm.Config{}, make([]ebml.TrackEntry, 127)},
		"no codec":         {webm.Config{}, []ebml.TrackEntry{{}}},
		"unknown codec":    {webm.Config{}, []ebml.TrackEntry{{Codec: 200}}},
		"3 channels":       {webm.Config{}, []ebml.TrackEntry{{Codec: media.Opus, Channels: 3}}},
		"-1 wide":          {webm.Config{}, []ebml.TrackEntry{{Codec: media.VP8, Width: -1, Height: 5}}},
		"no height":        {webm.Config{}, []ebml.TrackEntry{{Codec: media.VP8, Width: 5}}},
	} {
		f := &webmtest.MemFile{}
		if _, err := webm.NewWriter(f, tc.c, tc.tracks); !errors.Is(err, webm.ErrConfig) || f.Calls > 0 {
			t.Errorf("%s: %v after %d writes", name, err, f.Calls)
		}
	}
}

func TestFrameIsNotRetained(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	frames := webmtest.Interleaved(2 * time.Second)
	scratch := make([]byte, 0, 4096)
	for _, fr := range frames {
		b := fr.Block
		b.Data = append(scratch[:0], b.Data...)
		if err := w.WriteFrame(fr.Track, b); err != nil {
			t.Fatal(err)
		}
		clear(b.Data)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := webmtest.MustRead(t, f.B)
	webmtest.Compare(t, o.Blocks(), frames)
}

// TestWritesEndAtBlocks requires that what reaches the file is whole blocks, in
// one Write per frame at most.
func TestWritesEndAtBlocks(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	n := 0
	for i := range 200 {
		size := 1000
		if i%7 == 0 {
			size = 300 << 10 // more than is gathered
		}
		if i == 100 {
			size = 2 << 20 // more than is kept
		}
		before := len(f.Ends)
		data := webmtest.VP8(i, i%50 == 0, size)
		if err := w.WriteFrame(webmtest.VideoTrack, webm.Block{Time: time.Duration(i) * 33 * time.Millisecond, Sync: i%50 == 0, Data: data}); err != nil {
			t.Fatal(err)
		}
		if len(f.Ends) > before+1 {
			t.Fatalf("frame %d took %d writes", i, len(f.Ends)-before)
		}
		n++
		if i%10 == 3 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if s := w.Stats(); s.Buffered != 0 || s.Bytes != int64(len(f.B)) {
				t.Fatalf("after Flush: %+v, file of %d", s, len(f.B))
			}
			o, err := webmtest.ReadOracle(f.B, false)
			if err != nil || len(o.Blocks()) != n {
				t.Fatalf("after frame %d the file has %d blocks, %v", i, len(o.Blocks()), err)
			}
		}
	}
	if n := w.BufferRoom(); n > webm.KeepBuffer {
		t.Errorf("a buffer of %d is kept", n)
	}
}

func TestStats(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, []ebml.TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}, {Codec: media.VP8}})
	frames := webmtest.Interleaved(3 * time.Second)
	webmtest.Feed(t, w, frames)
	if err := w.SetSize(webmtest.VideoTrack, 160, 120); err != nil {
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
		if none != (webm.TrackStats{Number: 3}) {
			t.Errorf("silent track %+v", none)
		}
	}
	check()
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	check()
	if s := w.Stats(); s.Bytes != int64(len(f.B)) || s.Buffered != 0 {
		t.Errorf("%+v, file of %d", s, len(f.B))
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	f.FailAt = f.Calls + 1
	webmtest.Feed(t, w, webmtest.Interleaved(time.Second)[:5])
	err := w.Flush()
	if !errors.Is(err, layout.ErrWrite) || !errors.Is(err, webmtest.ErrDisk) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("%v", err)
	}
}
