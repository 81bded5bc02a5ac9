package recorder

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/mend"
	"weir/recorder/webm/read"
	"weir/recorder/webm/repair"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// holed is a broadcast of pictures each 40 ms and sound each 20 ms, as far as its
// functions do not say otherwise. All times are on the stream's clock.
type holed struct {
	name   string
	length time.Duration
	packet []byte                                                       // nil: 20 ms, stereo
	sound  func(at time.Duration) bool                                  // there is a packet; nil: always
	seen   func(at time.Duration) bool                                  // there is a picture; nil: always
	late   func(video bool, at time.Duration) time.Duration             // how much later it comes; nil: not
	during func(t *testing.T, r *Recorder, id string, at time.Duration) // called each 20 ms; nil: nothing
	config Config
	track  int   // how many tracks the file has; 0: 2
	filler int64 // of all files, ms; -1: whatever
	rough  bool  // it begins with sound that comes when silence is in its place
}

func between(at, from, to time.Duration) bool { return at >= from && at < to }

var holes = []holed{
	{name: "none", length: 3 * time.Second},
	{name: "DTX", length: 20 * time.Second, filler: 13_560, sound: func(at time.Duration) bool {
		at %= time.Second
		return at < 300*time.Millisecond || at == 700*time.Millisecond
	}},
	{name: "one packet", length: 3 * time.Second, filler: 40, sound: func(at time.Duration) bool { return at != time.Second && at != 2*time.Second }},
	{name: "sound comes late", length: 5 * time.Second, filler: 3000, sound: func(at time.Duration) bool { return at >= 3*time.Second }},
	{name: "sound ends early", length: 6 * time.Second, filler: 3960, sound: func(at time.Duration) bool { return at < 2*time.Second }},
	{name: "sound stops for minutes", length: 4 * time.Minute, filler: 180_000, sound: func(at time.Duration) bool {
		return !between(at, 10*time.Second, 190*time.Second)
	}},
	{name: "sound never comes", length: 3 * time.Second, track: 1, sound: func(time.Duration) bool { return false }},
	{name: "picture comes late", length: 6 * time.Second, filler: 500, seen: func(at time.Duration) bool { return at >= 3*time.Second }, sound: func(at time.Duration) bool {
		return !between(at, time.Second, 1500*time.Millisecond)
	}},
	{name: "sound alone", length: 6 * time.Second, track: 1, filler: 1000, seen: func(time.Duration) bool { return false }, sound: func(at time.Duration) bool {
		return !between(at, 2*time.Second, 3*time.Second)
	}},
	{name: "nobody for 10 s", length: 20 * time.Second, filler: 10_000,
		seen:  func(at time.Duration) bool { return !between(at, 5*time.Second, 15*time.Second) },
		sound: func(at time.Duration) bool { return !between(at, 5*time.Second, 15*time.Second) }},
	{name: "sound is 300 ms behind, with holes", length: 10 * time.Second, filler: 2960, sound: func(at time.Duration) bool {
		return at%time.Second < 700*time.Millisecond
	}, late: func(video bool, _ time.Duration) time.Duration {
		if video {
			return 0
		}
		return 300 * time.Millisecond
	}},
	{name: "sound is 900 ms behind", length: 10 * time.Second, filler: -1, rough: true, late: func(video bool, _ time.Duration) time.Duration {
		if video {
			return 0
		}
		return 900 * time.Millisecond
	}},
	{name: "picture is 300 ms behind", length: 10 * time.Second, filler: 2960, sound: func(at time.Duration) bool {
		return at%time.Second < 700*time.Millisecond
	}, late: func(video bool, _ time.Duration) time.Duration {
		if video {
			return 300 * time.Millisecond
		}
		return 0
	}},
	{name: "packets of 60 ms", length: 10 * time.Second, filler: -1, packet: append([]byte{31<<3 | 3, 3}, make([]byte, 30)...), sound: func(at time.Duration) bool {
		return at%(60*time.Millisecond) == 0 && at%(3*time.Second) > 900*time.Millisecond
	}},
	{name: "paused", length: 10 * time.Second, filler: -1, during: func(t *testing.T, r *Recorder, id string, at time.Duration) {
		var err error
		switch at {
		case 3 * time.Second:
			_, err = r.Pause(t.Context(), id)
		case 7 * time.Second:
			_, err = r.Resume(t.Context(), id)
		}
		if err != nil {
			t.Error(err)
		}
	}},
	{name: "rotated in a hole", length: 20 * time.Second, filler: 13_880, config: Config{RotateAfter: 5 * time.Second}, sound: func(at time.Duration) bool {
		return !between(at, 2*time.Second, 16*time.Second)
	}},
}

// source sends h in the time of a synctest bubble.
func (h *holed) script(t *testing.T, r *Recorder, pub *sfu.Publication) func(b *broadcast) {
	type event struct {
		video    bool
		pts, due time.Duration
	}
	var events []event
	for at := time.Duration(0); at < h.length; at += 20 * time.Millisecond {
		delay := func(video bool) time.Duration {
			if h.late == nil {
				return 0
			}
			return h.late(video, at)
		}
		if at%videoStep == 0 && (h.seen == nil || h.seen(at)) {
			events = append(events, event{true, at, at + delay(true)})
		}
		if h.sound == nil || h.sound(at) {
			events = append(events, event{false, at, at + delay(false)})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.due, b.due) })
	packet := h.packet
	return func(b *broadcast) {
		n, gap := 0, false
		last := time.Duration(0)
		for now := time.Duration(0); len(events) > 0; now += 20 * time.Millisecond {
			if h.during != nil {
				h.during(t, r, pub.Info().ID, now)
			}
			for len(events) > 0 && events[0].due <= now {
				e := events[0]
				events = events[1:]
				if e.video {
					gap = n > 0 && e.pts-last > videoStep
					last = e.pts
					b.writers["video"].WriteFrame(media.Frame{PTS: e.pts, Sync: n%25 == 0 || gap, Data: sfutest.VP8Frame(n, n%25 == 0 || gap, 300)})
					n++
					continue
				}
				data := packet
				if data == nil {
					data = sfutest.OpusFrame(int(e.pts/audioStep), 60)
				}
				b.writers["audio"].WriteFrame(media.Frame{PTS: e.pts, Sync: true, Data: data})
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// TestSoundHasNoHole: whatever is missing of the sound, a player that plays the packets
// of a file one behind the other is where the times are, from the first picture on and
// to the end. The file is in order, and its Clusters are no smaller for that.
func TestSoundHasNoHole(t *testing.T) {
	for _, h := range holes {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h.config.Dir = t.TempDir()
				r, hub := start(t, h.config)
				pub, err := hub.Publish("a", sfu.PublishOptions{Record: true})
				if err != nil {
					t.Fatal(err)
				}
				b := &broadcast{writers: addTracks(t, pub, both...)}
				b.script = h.script(t, r, pub)
				if err := pub.Run(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				list, _, err := r.Recordings(Query{})
				if err != nil {
					t.Fatal(err)
				}
				filler := int64(0)
				for _, rec := range list {
					filler += h.check(t, rec, filepath.Join(h.config.Dir, rec.name()))
				}
				if h.filler >= 0 && filler != h.filler {
					t.Errorf("%d ms of filler, want %d", filler, h.filler)
				}
				if h.config.RotateAfter == 0 && len(list) != 1 {
					t.Errorf("%d files", len(list))
				}
			})
		})
	}
}

// check checks one file, and returns how much filler it has by its sidecar, in ms.
func (h *holed) check(t *testing.T, rec Recording, file string) (filler int64) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := &timed{}
	reader := read.NewReader(got, read.Config{})
	if err := errors.Join(reader.Push(data), reader.Close()); err != nil {
		t.Fatal(err)
	}
	if want := cmp.Or(h.track, 2); len(got.codecs) != want || want == 2 && got.codecs[0] != media.VP8 {
		t.Errorf("tracks: %v", got.codecs)
	}
	h.checkPlayed(t, got, rec)
	report, err := mend.Verify(file)
	if err != nil || !report.Clean {
		t.Errorf("verify: %v, %v", report.Faults, err)
	}
	if most := rec.DurationMS/900 + 3; report.Clusters > most {
		t.Errorf("%d Clusters in %d ms", report.Clusters, rec.DurationMS)
	}
	frames := int64(0)
	for i, track := range rec.Tracks {
		frames += track.Frames
		if f := track.Filler; f != nil {
			filler += f.DurationMS
			in := slices.IndexFunc(report.Tracks, func(t repair.TrackReport) bool { return t.Entry.Codec.Kind().String() == rec.Tracks[i].Kind })
			if s := report.Tracks[in].Stats; s.Filler != f.Frames || s.Filled.Milliseconds() != f.DurationMS || s.Frames != track.Frames {
				t.Errorf("the file has %+v, the sidecar %+v of %d frames", s, f, track.Frames)
			}
		}
	}
	if rec.Frames != frames || report.Frames != frames || rec.Quality.FillerMS != filler || filler > 0 != (rec.Quality.FillerFrames > 0) {
		t.Errorf("%d frames, %d in the tracks, %d in the file; quality %+v", rec.Frames, frames, report.Frames, rec.Quality)
	}
	if h.rough {
		if d := rec.Quality.Dropped; d == 0 || d > 20 {
			t.Errorf("%d frames dropped", d)
		}
		return filler
	}
	if rec.Quality.Dropped > 0 || rec.Quality.Trimmed > 0 {
		t.Errorf("%d frames dropped, %d trimmed", rec.Quality.Dropped, rec.Quality.Trimmed)
	}
	return filler
}

// checkPlayed plays the sound of a file one packet behind the other.
func (h *holed) checkPlayed(t *testing.T, got *timed, rec Recording) {
	t.Helper()
	last, lastSound, pictures := time.Duration(0), time.Duration(-1), time.Duration(-1)
	played, sounds, frames := time.Duration(0), 0, int64(0)
	for i, f := range got.blocks {
		if f.Time < last && (!h.rough || last > time.Second) {
			t.Fatalf("block %d at %v is behind one at %v", i, f.Time, last)
		}
		last = f.Time
		if got.codecs[f.Track] != media.Opus {
			pictures = f.Time
			continue
		}
		if sounds++; sounds == 1 {
			if played = f.Time; played > 20*time.Millisecond {
				t.Errorf("the sound begins at %v", played)
			}
		}
		if off := f.Time - played; off.Abs() > 30*time.Millisecond {
			t.Fatalf("the sound of %v is heard at %v", f.Time, played)
		}
		if f.Time <= lastSound {
			t.Fatalf("two packets of sound at %v", f.Time)
		}
		if !f.Discardable {
			frames++
		}
		played += codec.OpusDuration(f.Data)
		lastSound = f.Time
	}
	if sounds > 0 && played < pictures-20*time.Millisecond {
		t.Errorf("the sound ends at %v, the picture at %v", played, pictures)
	}
	if off := played - time.Duration(rec.DurationMS)*time.Millisecond; sounds > 0 && off.Abs() > 41*time.Millisecond {
		t.Errorf("the sound ends at %v, the file at %d ms", played, rec.DurationMS)
	}
}
