package repair_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/webmtest"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// holedFile returns a file of that length whose sound is there where has says so.
func holedFile(t *testing.T, tracks []ebml.TrackEntry, length time.Duration, has func(f webmtest.Fed) bool) []byte {
	t.Helper()
	var frames []webmtest.Fed
	for _, f := range webmtest.Interleaved(length) {
		if has(f) {
			frames = append(frames, f)
		}
	}
	if len(tracks) == 1 {
		for i := range frames {
			frames[i].Track = 0
		}
	}
	return webmtest.Written(t, webm.Config{}, tracks, frames)
}

// playSound plays the sound of a file one packet behind the other, and returns how far
// it is from its times at most, and where it ends.
func playSound(t *testing.T, got webmtest.Received, codecs []media.Codec) (off, end time.Duration) {
	t.Helper()
	begun, last := false, time.Duration(0)
	for i, f := range got.Frames {
		if f.Time < last {
			t.Errorf("block %d at %v is behind one at %v", i, f.Time, last)
		}
		last = f.Time
		if codecs[f.Track] != media.Opus {
			continue
		}
		if !begun {
			begun, end = true, f.Time
		}
		off = max(off, (f.Time - end).Abs())
		end += codec.OpusDuration(f.Data)
	}
	return off, end
}

func TestFillSound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tracks []ebml.TrackEntry
		has    func(f webmtest.Fed) bool
		holes  int64
		filled time.Duration
	}{
		{"whole", webmtest.AVTracks(), func(webmtest.Fed) bool { return true }, 0, 0},
		{"pauses", webmtest.AVTracks(), func(f webmtest.Fed) bool {
			return f.Track == webmtest.VideoTrack || f.Time%time.Second < 300*time.Millisecond
		}, 20, 14*time.Second - 20*time.Millisecond},
		{"late", webmtest.AVTracks(), func(f webmtest.Fed) bool { return f.Track == webmtest.VideoTrack || f.Time >= 7*time.Second }, 1, 7 * time.Second},
		{"ends early", webmtest.AVTracks(), func(f webmtest.Fed) bool { return f.Track == webmtest.VideoTrack || f.Time < 7*time.Second }, 1, 13*time.Second - 20*time.Millisecond},
		{"a hole in both", webmtest.AVTracks(), func(f webmtest.Fed) bool { return !webmtest.At(f, 5*time.Second, 16*time.Second) }, 1, 11 * time.Second},
		{"sound alone", webmtest.AVTracks()[:1], func(f webmtest.Fed) bool {
			return f.Track == webmtest.AudioTrack && !webmtest.At(f, 5*time.Second, 16*time.Second)
		}, 1, 11 * time.Second},
		{"picture alone", webmtest.AVTracks()[1:], func(f webmtest.Fed) bool { return f.Track == webmtest.VideoTrack }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := holedFile(t, tt.tracks, 20*time.Second, tt.has)
			holes, err := repair.Holes(bytes.NewReader(file), int64(len(file)))
			if err != nil || holes.Holes != tt.holes || (holes.Duration-tt.filled).Abs() > 20*time.Millisecond {
				t.Fatalf("%+v, %v; want %d holes of %v", holes, err, tt.holes, tt.filled)
			}
			to := &webmtest.MemFile{}
			report, filled, err := repair.FillSound(bytes.NewReader(file), int64(len(file)), to)
			if err != nil || filled != holes {
				t.Fatalf("%+v, %v; want %+v", filled, err, holes)
			}
			if len(to.B) > len(file)+int(filled.Frames)*9+20_000 {
				t.Errorf("%d bytes became %d", len(file), len(to.B))
			}
			checkFilled(t, to.B, tt.tracks, file, filled)
			if report.Frames == 0 {
				t.Error("the report is empty")
			}
			if again, err := repair.Holes(bytes.NewReader(to.B), int64(len(to.B))); again.Frames != 0 || err != nil {
				t.Errorf("once more: %+v, %v", again, err)
			}
		})
	}
}

// checkFilled holds a filled file against the one that it was.
func checkFilled(t *testing.T, b []byte, tracks []ebml.TrackEntry, was []byte, filled repair.Filled) {
	t.Helper()
	report, err := repair.Verify(bytes.NewReader(b), int64(len(b)))
	if err != nil || !report.Clean || len(report.Faults) > 0 || !report.Indexed || report.Filler != filled.Frames {
		t.Errorf("verify: %+v, %v", report, err)
	}
	if report.Clusters > 40 {
		t.Errorf("%d Clusters", report.Clusters)
	}
	var codecs []media.Codec
	for _, t := range tracks {
		codecs = append(codecs, t.Codec)
	}
	got := webmtest.MustReadAll(t, b)
	if off, end := playSound(t, got, codecs); off > 20*time.Millisecond || end > 0 && end < 20*time.Second-70*time.Millisecond {
		t.Errorf("the sound is %v off, and ends at %v", off, end)
	}
	var media []string
	for _, f := range got.Frames {
		if !f.Discardable {
			media = append(media, fmt.Sprint(f.Track, f.Time, f.Key, f.Data))
		}
	}
	before := webmtest.MustReadAll(t, was).Frames
	if len(before) != len(media) {
		t.Fatalf("%d frames became %d", len(before), len(media))
	}
	for i, f := range before {
		if want := fmt.Sprint(f.Track, f.Time, f.Key, f.Data); media[i] != want {
			t.Fatalf("frame %d is %.60s, was %.60s", i, media[i], want)
		}
	}
	name := webmtest.OnDisk(t, b)
	if n := len(webmtest.ProbedPackets(t, name)); n != len(got.Frames) {
		t.Errorf("ffprobe finds %d packets of %d", n, len(got.Frames))
	}
}

// TestFillSoundOfOthers: in files of other programs sound lies behind the pictures of
// its time, several packets are in a block, and a tick is something else. Silence is
// told apart in them, too, and from sound that such a program calls discardable.
func TestFillSoundOfOthers(t *testing.T) {
	laced := webmtest.SimpleBlock(webmtest.LiveAudio, 40, ebml.FlagKey|ebml.LacingFixed, append([]byte{1}, bytes.Repeat([]byte{0xFC, 1, 2, 3}, 2)...)...)
	file := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0,
		webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, webmtest.VP8(0, true, 50)...), webmtest.SimpleBlock(webmtest.LiveVideo, 40, 0, webmtest.VP8(1, false, 50)...), webmtest.SimpleBlock(webmtest.LiveVideo, 80, 0, webmtest.VP8(2, false, 50)...),
		webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.FlagKey, 0xFC, 1, 2), webmtest.SimpleBlock(webmtest.LiveAudio, 20, ebml.FlagKey|ebml.FlagDiscard, 0xFC, 1, 2), laced, webmtest.SimpleBlock(webmtest.LiveAudio, 80, ebml.FlagKey, 0xFC, 1, 2)),
		webmtest.LiveCluster(400, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, webmtest.VP8(3, true, 50)...), webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.FlagKey, 0xFC, 1, 2)))
	to := &webmtest.MemFile{}
	_, filled, err := repair.FillSound(bytes.NewReader(file), int64(len(file)), to)
	if err != nil || filled != (repair.Filled{Holes: 1, Frames: 15, Duration: 300 * time.Millisecond}) {
		t.Fatalf("%+v, %v", filled, err)
	}
	report, err := repair.Verify(bytes.NewReader(to.B), int64(len(to.B)))
	if err != nil || !report.Clean || report.Clusters != 2 || report.Frames != 10 || report.Filler != 15 {
		t.Errorf("%+v, %v", report, err)
	}
}

func FuzzFillSound(f *testing.F) {
	file := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, 1), webmtest.SimpleBlock(webmtest.LiveAudio, 0, ebml.FlagKey, 0xFC, 1, 2), webmtest.SimpleBlock(webmtest.LiveAudio, 700, ebml.FlagKey|ebml.LacingXiph, 1, 2, 0xFC, 1, 2)))
	f.Add(file)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return
		}
		holes, err := repair.Holes(bytes.NewReader(b), int64(len(b)))
		if err != nil || holes.Frames > 100_000 {
			return
		}
		to := &webmtest.MemFile{}
		if _, filled, err := repair.FillSound(bytes.NewReader(b), int64(len(b)), to); err == nil && filled != holes {
			t.Errorf("%+v, and %+v", holes, filled)
		}
	})
}
