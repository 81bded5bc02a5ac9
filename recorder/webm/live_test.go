package webm_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/webmtest"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// liveLength is how long the live streams of these tests are.
const liveLength = 5 * time.Second

// liveSource makes the frames of a live stream that are pushed, in the order in
// which they come.
type liveSource struct {
	name   string
	tracks []ebml.TrackEntry
	keep   func(f webmtest.Fed) bool // nil: all
	late   func(f webmtest.Fed) time.Duration
	dropAt func(f webmtest.Fed) bool // frames of sound that must be dropped
	exact  bool                      // no silence is needed
}

var liveSources = []liveSource{
	{name: "normal", tracks: webmtest.AVTracks(), exact: true},
	{name: "sound late", tracks: webmtest.AVTracks(), keep: func(f webmtest.Fed) bool { return f.Track == webmtest.VideoTrack || f.Time >= 2*time.Second }},
	{name: "sound never", tracks: webmtest.AVTracks(), keep: func(f webmtest.Fed) bool { return f.Track == webmtest.VideoTrack }},
	{name: "hole in sound", tracks: webmtest.AVTracks(), keep: func(f webmtest.Fed) bool {
		return f.Track == webmtest.VideoTrack || !webmtest.At(f, 2*time.Second, 2700*time.Millisecond) && !webmtest.At(f, 4*time.Second, 4020*time.Millisecond)
	}},
	{name: "hole in picture", tracks: webmtest.AVTracks(), exact: true, keep: func(f webmtest.Fed) bool {
		return f.Track == webmtest.AudioTrack || !webmtest.At(f, 1500*time.Millisecond, 3*time.Second)
	}},
	{name: "DTX", tracks: webmtest.AVTracks(), keep: func(f webmtest.Fed) bool {
		return f.Track == webmtest.VideoTrack || !webmtest.At(f, time.Second, 4*time.Second) || f.Time%(400*time.Millisecond) == 0
	}},
	{name: "sound comes 60 ms behind", tracks: webmtest.AVTracks(), exact: true, late: func(f webmtest.Fed) time.Duration {
		return time.Duration(1-f.Track) * 60 * time.Millisecond
	}},
	{name: "picture comes 100 ms behind", tracks: webmtest.AVTracks(), exact: true, late: func(f webmtest.Fed) time.Duration {
		return time.Duration(f.Track) * 100 * time.Millisecond
	}},
	{name: "burst of sound comes too late", tracks: webmtest.AVTracks(), late: func(f webmtest.Fed) time.Duration {
		if f.Track == webmtest.AudioTrack && webmtest.At(f, 2*time.Second, 2300*time.Millisecond) {
			return 500 * time.Millisecond
		}
		return 0
	}, dropAt: func(f webmtest.Fed) bool { return webmtest.At(f, 2*time.Second, 2300*time.Millisecond) }},
	{name: "only sound", tracks: webmtest.AVTracks()[:1], exact: true, keep: func(f webmtest.Fed) bool { return f.Track == webmtest.AudioTrack }},
	{name: "only sound, with a hole", tracks: webmtest.AVTracks()[:1], keep: func(f webmtest.Fed) bool {
		return f.Track == webmtest.AudioTrack && !webmtest.At(f, 2*time.Second, 2700*time.Millisecond)
	}},
	{name: "only picture", tracks: []ebml.TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}}[1:], exact: true, keep: func(f webmtest.Fed) bool {
		return f.Track == webmtest.VideoTrack
	}},
}

// liveZero is the time of the first frame, somewhere on the stream's clock.
const liveZero = 1234567 * time.Millisecond

// frames returns what is kept, in the order of arrival.
func (s liveSource) frames() []webmtest.Fed {
	var out []webmtest.Fed
	var arrivals []time.Duration
	for _, f := range webmtest.Interleaved(liveLength) {
		if s.keep != nil && !s.keep(f) {
			continue
		}
		arrival := f.Time
		if s.late != nil {
			arrival += s.late(f)
		}
		i := len(out)
		for i > 0 && arrivals[i-1] > arrival {
			i--
		}
		out, arrivals = append(out[:i:i], append([]webmtest.Fed{f}, out[i:]...)...), append(arrivals[:i:i], append([]time.Duration{arrival}, arrivals[i:]...)...)
	}
	return out
}

// units muxes the source.
func (s liveSource) units(t testing.TB) (*webm.Live, []webm.Unit) {
	t.Helper()
	l, err := webm.NewLive(webm.LiveConfig{}, s.tracks)
	if err != nil {
		t.Fatal(err)
	}
	var units []webm.Unit
	take := func() {
		for {
			u, ok := l.Next()
			if !ok {
				return
			}
			units = append(units, u)
		}
	}
	newest := time.Duration(0)
	for _, f := range s.frames() {
		b := f.Block
		b.Time += liveZero
		newest = max(newest, b.Time)
		track := f.Track
		if len(s.tracks) == 1 {
			track = 0
		}
		l.Push(track, b)
		l.Advance(newest - 250*time.Millisecond)
		take()
	}
	l.Flush()
	take()
	return l, units
}

// render is what a player gets that starts at the first of units.
func render(init []byte, units []webm.Unit, f webm.Framing) []byte {
	b := bytes.Clone(init)
	for i := range units {
		b = units[i].AppendHead(b, f, units[0].Time, i == 0)
		b = append(b, units[i].Blocks...)
	}
	return b
}

// isSilence reports whether data is what Live puts into holes.
func isSilence(data []byte) bool {
	return len(data) == 3 && data[1] == 0xFF && data[2] == 0xFE
}

func TestLive(t *testing.T) {
	for _, s := range liveSources {
		t.Run(s.name, func(t *testing.T) {
			l, units := s.units(t)
			checkUnits(t, s, units)
			if s.exact && l.Silence() != 0 {
				t.Errorf("%d packets of silence", l.Silence())
			}
			for _, framing := range []webm.Framing{webm.Clusters, webm.Growing} {
				b := render(l.Init(), units, framing)
				got := webmtest.MustReadAll(t, b)
				checkSound(t, s, got)
				checkFrames(t, s, got)
				name := webmtest.OnDisk(t, b)
				webmtest.SamePackets(t, name, keyless(webmtest.Packets(got.Frames)), keyless(webmtest.ProbedPackets(t, name)), false)
			}
		})
	}
}

// keyless leaves out what ffprobe takes from the frame itself, which is no real one.
func keyless(packets []string) []string {
	for i, p := range packets {
		packets[i] = strings.NewReplacer("key true ", "", "key false ", "").Replace(p)
	}
	return packets
}

// checkUnits checks that each unit is whole and short, and where players can start.
func checkUnits(t *testing.T, s liveSource, units []webm.Unit) {
	t.Helper()
	whole := 0
	for i, u := range units {
		if span := u.End - u.Time; span > webm.MaxUnitSpan*time.Millisecond+120*time.Millisecond {
			t.Errorf("unit %d covers %v", i, span)
		}
		if u.Key && !u.Begins || i == 0 && !u.Key {
			t.Errorf("unit %d at %v: key %v, begins %v", i, u.Time, u.Key, u.Begins)
		}
		if i > 0 && u.Time < units[i-1].Time {
			t.Errorf("unit %d is older than the one before", i)
		}
		got := webmtest.MustReadAll(t, render(mustInit(t, s.tracks), units[i:i+1], webm.Clusters))
		seen := map[int]bool{}
		for _, f := range got.Frames {
			seen[f.Track] = true
		}
		if len(seen) == len(s.tracks) {
			whole++
		}
	}
	// What is cut short by a keyframe, and at the end, need not be whole.
	if keys := 6; s.exact && s.keep == nil && whole < len(units)-keys {
		t.Errorf("%d of %d units have a block of every track", whole, len(units))
	}
}

func mustInit(t *testing.T, tracks []ebml.TrackEntry) []byte {
	t.Helper()
	l, err := webm.NewLive(webm.LiveConfig{}, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return l.Init()
}

// checkSound checks that the sound has no hole, and that real sound is all there.
func checkSound(t *testing.T, s liveSource, got webmtest.Received) {
	t.Helper()
	track := -1
	for i, d := range s.tracks {
		if d.Codec == media.Opus {
			track = i
		}
	}
	if track < 0 {
		return
	}
	last, real := time.Duration(-1), 0
	for _, f := range got.Frames {
		if f.Track != track {
			continue
		}
		if step := f.Time - last; last >= 0 && (step > 20500*time.Microsecond || step <= 0) || last < 0 && f.Time > 20*time.Millisecond {
			t.Fatalf("a step of %v in the sound, to %v", step, f.Time)
		}
		last = f.Time
		if !isSilence(f.Data) {
			real++
		}
	}
	if last < liveLength-200*time.Millisecond {
		t.Errorf("the sound ends at %v", last)
	}
	want := 0
	for _, f := range s.frames() {
		if f.Track == webmtest.AudioTrack && (s.dropAt == nil || !s.dropAt(f)) {
			want++
		}
	}
	if real < want {
		t.Errorf("%d frames of sound of %d", real, want)
	}
}

// checkFrames checks that all blocks are in the order of their times, and that
// every picture is there, byte by byte, at its time. Where there is none for long, the
// one before is shown again.
func checkFrames(t *testing.T, s liveSource, got webmtest.Received) {
	t.Helper()
	var want []webmtest.Fed
	for _, f := range s.frames() {
		if f.Track == webmtest.VideoTrack {
			want = append(want, f)
		}
	}
	format, _ := codec.For(media.VP8)
	still := format.NewStill()
	last, shown := time.Duration(0), time.Duration(0)
	for _, f := range got.Frames {
		if f.Time < last {
			t.Fatalf("a block at %v after one at %v", f.Time, last)
		}
		last = f.Time
		if f.Time-shown > webm.StillAfter+20*time.Millisecond && len(s.tracks) == 2 {
			t.Fatalf("no picture from %v to %v", shown, f.Time)
		}
		if s.tracks[f.Track].Codec != media.VP8 {
			continue
		}
		again := bytes.Equal(f.Data, still.Repeat())
		if again && (f.Key || f.Time-shown < webm.StillAfter) {
			t.Fatalf("the picture of %v is shown again at %v, key %v", shown, f.Time, f.Key)
		}
		if shown = f.Time; again {
			continue
		}
		still.Saw(f.Data)
		if len(want) == 0 {
			t.Fatal("too many pictures")
		}
		w := want[0]
		want = want[1:]
		if !bytes.Equal(f.Data, w.Data) || f.Key != w.Sync || (f.Time-w.Time).Abs() > time.Millisecond {
			t.Fatalf("a picture at %v, key %v, want one at %v, key %v, or its bytes differ", f.Time, f.Key, w.Time, w.Sync)
		}
	}
	if len(want) != 0 {
		t.Errorf("%d pictures are missing", len(want))
	}
}

// TestLiveStartsAnywhere: a player that starts at any keyframe gets the same
// blocks at times that begin at zero, in both framings.
func TestLiveStartsAnywhere(t *testing.T) {
	l, units := liveSources[0].units(t)
	starts := 0
	for i, u := range units {
		if !u.Key {
			continue
		}
		starts++
		clusters := webmtest.MustReadAll(t, render(l.Init(), units[i:], webm.Clusters)).Frames
		growing := webmtest.MustReadAll(t, render(l.Init(), units[i:], webm.Growing)).Frames
		if first := clusters[0]; !first.Key || first.Track != webmtest.VideoTrack || first.Time != 0 {
			t.Errorf("unit %d begins with track %d, key %v, at %v", i, first.Track, first.Key, first.Time)
		}
		webmtest.SamePackets(t, fmt.Sprint("unit ", i), webmtest.Packets(growing), webmtest.Packets(clusters), false)
	}
	if starts != 5 {
		t.Errorf("%d places to start, want 5", starts)
	}
}

// TestLiveSharesBlocks: what differs from player to player is 22 bytes.
func TestLiveSharesBlocks(t *testing.T) {
	_, units := liveSources[0].units(t)
	u := units[3]
	a := u.AppendHead(nil, webm.Clusters, liveZero, false)
	b := u.AppendHead(nil, webm.Clusters, liveZero-time.Hour, false)
	if len(a) != 22 || len(b) != 22 || !bytes.Equal(a[:14], b[:14]) {
		t.Errorf("heads % x and % x", a, b)
	}
	if n := len(u.AppendHead(nil, webm.Growing, 0, false)); n != 0 {
		t.Errorf("a growing cluster gets %d bytes ahead of its blocks", n)
	}
}

// TestLiveLongGroup: without keyframes a growing Cluster ends before offsets do.
func TestLiveLongGroup(t *testing.T) {
	l, err := webm.NewLive(webm.LiveConfig{}, webmtest.AVTracks()[1:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		l.Push(0, webm.Block{Time: liveZero + time.Duration(i)*100*time.Millisecond, Sync: i == 0, Data: webmtest.VP8(i, i == 0, 50)})
	}
	l.Flush()
	var units []webm.Unit
	for u, ok := l.Next(); ok; u, ok = l.Next() {
		units = append(units, u)
	}
	got := webmtest.MustReadAll(t, render(l.Init(), units, webm.Growing))
	for i, f := range got.Frames {
		if f.Time != time.Duration(i)*100*time.Millisecond {
			t.Fatalf("frame %d is at %v", i, f.Time)
		}
	}
	if len(got.Frames) != 1000 {
		t.Errorf("%d frames", len(got.Frames))
	}
}

// TestLiveSoundAlwaysLate: a stream whose sound is always too late is not mute
// for ever.
func TestLiveSoundAlwaysLate(t *testing.T) {
	s := liveSource{tracks: webmtest.AVTracks(), late: func(f webmtest.Fed) time.Duration {
		return time.Duration(1-f.Track) * 250 * time.Millisecond
	}}
	l, units := s.units(t)
	real := 0
	for _, f := range webmtest.MustReadAll(t, render(l.Init(), units, webm.Clusters)).Frames {
		if f.Track == webmtest.AudioTrack && !isSilence(f.Data) && f.Time > 3*time.Second {
			real++
		}
	}
	if real < 90 {
		t.Errorf("of the last 2 s %d frames of sound are real", real)
	}
}

func TestLiveInit(t *testing.T) {
	for mime, tracks := range map[string][]ebml.TrackEntry{
		`video/webm; codecs="vp8,opus"`: webmtest.AVTracks(),
		`video/webm; codecs="vp8"`:      webmtest.AVTracks()[1:],
		`audio/webm; codecs="opus"`:     webmtest.AVTracks()[:1],
	} {
		l, err := webm.NewLive(webm.LiveConfig{}, tracks)
		if err != nil {
			t.Fatal(err)
		}
		if l.MIME() != mime {
			t.Errorf("%s, want %s", l.MIME(), mime)
		}
		o, err := webmtest.ReadOracle(l.Init(), true)
		if err != nil || len(o.Segment.Tracks.TrackEntry) != len(tracks) || o.Segment.Info.Duration != 0 {
			t.Errorf("%+v, %v", o, err)
		}
	}
	for _, bad := range [][]ebml.TrackEntry{nil, {{Codec: media.VP8}, {Codec: media.VP8}}, {{}}} {
		if _, err := webm.NewLive(webm.LiveConfig{}, bad); !errors.Is(err, webm.ErrConfig) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// TestSilenceIsSilent: a decoder takes the silence for each kind of packet (RFC 6716
// table 2) for what it says that it is.
func TestSilenceIsSilent(t *testing.T) {
	var frames []webmtest.Fed
	var at time.Duration
	for config := range byte(32) {
		for stereo := range byte(2) {
			f := codec.OpusFiller{}
			f.Add(-time.Second, []byte{config<<3 | stereo<<2, 1, 2})
			s, ok := f.Hole(0)
			if !ok || s.Data[0]&4 != stereo<<2 {
				t.Fatalf("configuration %d: %v, %v", config, s, ok)
			}
			for range 5 {
				frames = append(frames, webmtest.Fed{Track: 0, Block: webm.Block{Time: at, Duration: s.Duration, Data: s.Data}})
				at += s.Duration
			}
		}
	}
	name := webmtest.OnDisk(t, webmtest.Written(t, webm.Config{}, webmtest.AVTracks()[:1], frames))
	pcm := webmtest.Run(t, "ffmpeg", "-v", "error", "-xerror", "-i", name, "-f", "s16le", "-ac", "1", "-")
	if want := int(at.Seconds() * 48000 * 2); len(pcm) < want-200 || len(pcm) > want+200 {
		t.Errorf("%d bytes of sound, want %d", len(pcm), want)
	}
	if bytes.ContainsFunc(pcm, func(r rune) bool { return r != 0 }) {
		t.Error("it is not silent")
	}
}

// FuzzLive pushes frames at odd times: what comes out is always in order, and
// readable in both framings from each place to start.
func FuzzLive(f *testing.F) {
	f.Add([]byte{0x81, 10, 0, 20, 1, 30, 0, 200, 0x41, 0})
	f.Add([]byte{0, 0, 0x81, 255, 0, 255, 0x81, 0, 1, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		l, err := webm.NewLive(webm.LiveConfig{}, webmtest.AVTracks())
		if err != nil {
			t.Fatal(err)
		}
		var times [2]time.Duration
		for i := 0; i+1 < len(script); i += 2 {
			op, step := script[i], time.Duration(script[i+1])*7*time.Millisecond
			track := int(op & 1)
			times[track] += step
			if op&0x40 != 0 {
				l.Advance(times[track])
				continue
			}
			l.Push(track, webm.Block{Time: times[track], Sync: track == 0 || op&0x80 != 0, Data: []byte{op, script[i+1]}})
		}
		l.Flush()
		var units []webm.Unit
		for u, ok := l.Next(); ok; u, ok = l.Next() {
			units = append(units, u)
		}
		for i, u := range units {
			if i > 0 && !u.Key {
				continue
			}
			if !u.Key {
				t.Fatal("the first unit is no place to start")
			}
			a := webmtest.MustReadAll(t, render(l.Init(), units[i:], webm.Clusters)).Frames
			b := webmtest.MustReadAll(t, render(l.Init(), units[i:], webm.Growing)).Frames
			if len(a) == 0 || len(a) != len(b) {
				t.Fatalf("%d frames, and %d when growing", len(a), len(b))
			}
			last := time.Duration(0)
			for j := range a {
				if a[j].Time != b[j].Time || a[j].Time < last {
					t.Fatalf("frame %d at %v and %v, after %v", j, a[j].Time, b[j].Time, last)
				}
				last = a[j].Time
			}
		}
	})
}
