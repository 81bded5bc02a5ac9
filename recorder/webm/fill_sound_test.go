package webm

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// holedFile returns a file of that length whose sound is there where has says so.
func holedFile(t *testing.T, tracks []TrackEntry, length time.Duration, has func(f fed) bool) []byte {
	t.Helper()
	var frames []fed
	for _, f := range interleaved(length) {
		if has(f) {
			frames = append(frames, f)
		}
	}
	if len(tracks) == 1 {
		for i := range frames {
			frames[i].track = 0
		}
	}
	return written(t, Config{}, tracks, frames)
}

// playSound plays the sound of a file one packet behind the other, and returns how far
// it is from its times at most, and where it ends.
func playSound(t *testing.T, got received, codecs []media.Codec) (off, end time.Duration) {
	t.Helper()
	begun, last := false, time.Duration(0)
	for i, f := range got.frames {
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
		tracks []TrackEntry
		has    func(f fed) bool
		holes  int64
		filled time.Duration
	}{
		{"whole", avTracks(), func(fed) bool { return true }, 0, 0},
		{"pauses", avTracks(), func(f fed) bool {
			return f.track == videoTrack || f.Time%time.Second < 300*time.Millisecond
		}, 20, 14*time.Second - 20*time.Millisecond},
		{"late", avTracks(), func(f fed) bool { return f.track == videoTrack || f.Time >= 7*time.Second }, 1, 7 * time.Second},
		{"ends early", avTracks(), func(f fed) bool { return f.track == videoTrack || f.Time < 7*time.Second }, 1, 13*time.Second - 20*time.Millisecond},
		{"a hole in both", avTracks(), func(f fed) bool { return !at(f, 5*time.Second, 16*time.Second) }, 1, 11 * time.Second},
		{"sound alone", avTracks()[:1], func(f fed) bool { return f.track == audioTrack && !at(f, 5*time.Second, 16*time.Second) }, 1, 11 * time.Second},
		{"picture alone", avTracks()[1:], func(f fed) bool { return f.track == videoTrack }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := holedFile(t, tt.tracks, 20*time.Second, tt.has)
			holes, err := Holes(bytes.NewReader(file), int64(len(file)))
			if err != nil || holes.Holes != tt.holes || (holes.Duration-tt.filled).Abs() > 20*time.Millisecond {
				t.Fatalf("%+v, %v; want %d holes of %v", holes, err, tt.holes, tt.filled)
			}
			to := &memFile{}
			report, filled, err := FillSound(bytes.NewReader(file), int64(len(file)), to)
			if err != nil || filled != holes {
				t.Fatalf("%+v, %v; want %+v", filled, err, holes)
			}
			if len(to.b) > len(file)+int(filled.Frames)*9+20_000 {
				t.Errorf("%d bytes became %d", len(file), len(to.b))
			}
			checkFilled(t, to.b, tt.tracks, file, filled)
			if report.Frames == 0 {
				t.Error("the report is empty")
			}
			if again, err := Holes(bytes.NewReader(to.b), int64(len(to.b))); again.Frames != 0 || err != nil {
				t.Errorf("once more: %+v, %v", again, err)
			}
		})
	}
}

// checkFilled holds a filled file against the one that it was.
func checkFilled(t *testing.T, b []byte, tracks []TrackEntry, was []byte, filled Filled) {
	t.Helper()
	report, err := Verify(bytes.NewReader(b), int64(len(b)))
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
	got := mustReadAll(t, b)
	if off, end := playSound(t, got, codecs); off > 20*time.Millisecond || end > 0 && end < 20*time.Second-70*time.Millisecond {
		t.Errorf("the sound is %v off, and ends at %v", off, end)
	}
	var media []string
	for _, f := range got.frames {
		if !f.Discardable {
			media = append(media, fmt.Sprint(f.Track, f.Time, f.Key, f.Data))
		}
	}
	before := mustReadAll(t, was).frames
	if len(before) != len(media) {
		t.Fatalf("%d frames became %d", len(before), len(media))
	}
	for i, f := range before {
		if want := fmt.Sprint(f.Track, f.Time, f.Key, f.Data); media[i] != want {
			t.Fatalf("frame %d is %.60s, was %.60s", i, media[i], want)
		}
	}
	name := onDisk(t, b)
	if n := len(probedPackets(t, name)); n != len(got.frames) {
		t.Errorf("ffprobe finds %d packets of %d", n, len(got.frames))
	}
}

// TestFillSoundOfOthers: in files of other programs sound lies behind the pictures of
// its time, several packets are in a block, and a tick is something else. Silence is
// told apart in them, too, and from sound that such a program calls discardable.
func TestFillSoundOfOthers(t *testing.T) {
	laced := simpleBlock(liveAudio, 40, flagKey|lacingFixed, append([]byte{1}, bytes.Repeat([]byte{0xFC, 1, 2, 3}, 2)...)...)
	file := join(liveStart, liveCluster(0,
		simpleBlock(liveVideo, 0, flagKey, vp8(0, true, 50)...), simpleBlock(liveVideo, 40, 0, vp8(1, false, 50)...), simpleBlock(liveVideo, 80, 0, vp8(2, false, 50)...),
		simpleBlock(liveAudio, 0, flagKey, 0xFC, 1, 2), simpleBlock(liveAudio, 20, flagKey|flagDiscard, 0xFC, 1, 2), laced, simpleBlock(liveAudio, 80, flagKey, 0xFC, 1, 2)),
		liveCluster(400, simpleBlock(liveVideo, 0, flagKey, vp8(3, true, 50)...), simpleBlock(liveAudio, 0, flagKey, 0xFC, 1, 2)))
	to := &memFile{}
	_, filled, err := FillSound(bytes.NewReader(file), int64(len(file)), to)
	if err != nil || filled != (Filled{1, 15, 300 * time.Millisecond}) {
		t.Fatalf("%+v, %v", filled, err)
	}
	report, err := Verify(bytes.NewReader(to.b), int64(len(to.b)))
	if err != nil || !report.Clean || report.Clusters != 2 || report.Frames != 10 || report.Filler != 15 {
		t.Errorf("%+v, %v", report, err)
	}
}

func FuzzFillSound(f *testing.F) {
	file := join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, flagKey, 1), simpleBlock(liveAudio, 0, flagKey, 0xFC, 1, 2), simpleBlock(liveAudio, 700, flagKey|lacingXiph, 1, 2, 0xFC, 1, 2)))
	f.Add(file)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return
		}
		holes, err := Holes(bytes.NewReader(b), int64(len(b)))
		if err != nil || holes.Frames > 100_000 {
			return
		}
		to := &memFile{}
		if _, filled, err := FillSound(bytes.NewReader(b), int64(len(b)), to); err == nil && filled != holes {
			t.Errorf("%+v, and %+v", holes, filled)
		}
	})
}
