package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// h264Clip is 2 s of H264 and Opus: frames by track, pictures first.
type h264Clip struct {
	t       *testing.T
	stored  *codec.H264Stored
	base    time.Duration
	picture []media.Frame
	sound   []media.Frame
	video   int
}

// encodeH264 has ffmpeg make a clip of a picture of that size, a keyframe each 500 ms.
// Its times begin at base.
func encodeH264(t *testing.T, size string, base time.Duration) *h264Clip {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=2:rate=20:size="+size,
		"-f", "lavfi", "-i", "sine=duration=2:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
		"-g", "10", "-pix_fmt", "yuv420p", "-c:a", "libopus", "-b:a", "32k", "-f", "matroska", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &h264Clip{t: t, base: base}
	r := read.NewReader(c, read.Config{})
	if err := r.Push(out); err != nil {
		t.Fatal(err)
	}
	return c
}

// Header implements read.Receiver.
func (c *h264Clip) Header(h read.Header) (err error) {
	c.video = slices.IndexFunc(h.Tracks, func(t ebml.TrackEntry) bool { return t.Codec == media.H264 })
	c.stored, err = codec.NewH264Stored(h.Tracks[c.video].CodecPrivate)
	return err
}

// Frame implements read.Receiver.
func (c *h264Clip) Frame(f read.Frame) error {
	at := c.base + f.Time
	if f.Track != c.video {
		c.sound = append(c.sound, media.Frame{PTS: max(0, at), Sync: true, Data: f.Data})
		return nil
	}
	data, ok := c.stored.Frame(f.Data)
	if !ok {
		c.t.Errorf("no picture in %x", f.Data)
	}
	c.picture = append(c.picture, media.Frame{PTS: at, Sync: codec.H264Keyframe(data), Data: data})
	return nil
}

// Damage implements read.Receiver.
func (c *h264Clip) Damage(d ebml.Damage) { c.t.Errorf("damage: %v", d) }

// mp4Watcher is a viewer that takes MP4. It reads to the end of the broadcast.
type mp4Watcher struct {
	events []event
	media  []byte
	parts  atomic.Int64
	done   chan struct{} // closed at the end of what comes
}

// end waits for the end of what comes.
func (w *mp4Watcher) end() *mp4Watcher {
	<-w.done
	return w
}

// await waits for so many binary messages.
func (w *mp4Watcher) await(parts int) {
	for w.parts.Load() < int64(parts) {
		select {
		case <-w.done:
			return
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

func (s *watchServer) follow(name, hello string) *mp4Watcher {
	conn, w := s.dial(name), &mp4Watcher{done: make(chan struct{})}
	if err := conn.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		for {
			_ = conn.SetReadDeadline(time.Now().Add(watchPatience))
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			var e event
			if kind == websocket.TextMessage && json.Unmarshal(data, &e) == nil {
				w.events = append(w.events, e)
				if e.Type == "ended" || e.Type == "error" {
					return
				}
				continue
			}
			w.media = append(w.media, data...)
			w.parts.Add(1)
		}
	}()
	return w
}

// pictures has ffmpeg decode what lies in a file, and returns a hash for each
// picture.
func pictures(t *testing.T, media []byte) (hashes []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "media")
	if err := os.WriteFile(path, media, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-autoscale", "0", "-f", "framemd5", "-").Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(line, ","); !strings.HasPrefix(line, "#") && len(fields) == 6 {
			hashes = append(hashes, strings.TrimSpace(fields[5]))
		}
	}
	return hashes
}

// TestWatchMP4: H264 comes as fragmented MP4 to who takes that, from a keyframe on, and
// every picture of it decodes to what was encoded, over a change of its size too.
// Who does not take it is told.
func TestWatchMP4(t *testing.T) {
	first, second := encodeH264(t, "160x90", 0), encodeH264(t, "96x64", 2*time.Second)
	s := newWatchServer(t, Config{})
	b := s.publishH264("a")
	shown, sounds := slices.Concat(first.picture, second.picture), slices.Concat(first.sound, second.sound)
	write := func(to time.Duration) {
		for len(shown) > 0 && shown[0].PTS < to || len(sounds) > 0 && sounds[0].PTS < to {
			if len(sounds) == 0 || len(shown) > 0 && shown[0].PTS <= sounds[0].PTS {
				b.video.WriteFrame(shown[0])
				shown = shown[1:]
			} else {
				b.audio.WriteFrame(sounds[0])
				sounds = sounds[1:]
			}
		}
	}
	write(1200 * time.Millisecond) // the newest keyframe is at 1 s
	early := s.follow("a", `{"type":"hello","containers":["webm","mp4"]}`)
	early.await(2)
	var late *mp4Watcher
	for at := 1400; len(shown) > 0; at += 200 {
		write(time.Duration(at) * time.Millisecond)
		early.await(1 + (at-1000)/100 - 4) // a message has 50 to 100 ms, and the newest wait
		if at == 3000 {
			late = s.follow("a", `{"type":"hello","containers":["mp4"]}`)
			late.await(2)
		}
	}
	for name, hello := range map[string]string{"WebM only": `{"type":"hello","containers":["webm"]}`, "nothing said": `{"type":"hello"}`} {
		w := s.follow("a", hello).end()
		if e := w.events[len(w.events)-1]; e.Type != "error" || e.Status != 422 || !strings.Contains(e.Detail, "h264") || len(w.media) > 0 {
			t.Errorf("%s: %v", name, w.events)
		}
	}
	b.end()
	got := early.end()
	if len(got.events) == 0 || got.events[0].Type != "init" || !strings.HasPrefix(got.events[0].MIME, `video/mp4; codecs="avc1.42c0`) {
		t.Fatalf("told %+v", got.events)
	}
	join := func(frames ...media.Frame) (stream []byte) {
		for _, f := range frames {
			for data := f.Data; len(data) > 4; {
				n := 4 + int(data[0])<<24 + int(data[1])<<16 + int(data[2])<<8 + int(data[3])
				stream = append(append(stream, 0, 0, 0, 1), data[4:n]...)
				data = data[n:]
			}
		}
		return stream
	}
	// ffmpeg passes over a second moov, and goes by the parameter sets in the frames.
	want := append(pictures(t, join(first.picture[20:]...)), pictures(t, join(second.picture...))...)
	if have := pictures(t, got.media); !slices.Equal(have, want) || len(want) != 60 {
		t.Errorf("%d pictures decode, want %d", len(have), len(want))
	}
	if n := bytes.Count(got.media, []byte("avcC")); n < 2 {
		t.Errorf("%d decoder records came, want another one for the other size", n)
	}
	checkTimes(t, got.media)
	if have := pictures(t, late.end().media); len(have) < 20 || !slices.Equal(have, want[len(want)-len(have):]) {
		t.Errorf("%d pictures decode of who came late", len(have))
	}
}

// checkTimes has ffprobe list what a feed holds: times grow, from zero on, and the
// sound has no hole.
func checkTimes(t *testing.T, media []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "feed.mp4")
	if err := os.WriteFile(path, media, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_entries", "packet=codec_type,pts_time", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Packets []struct {
			Kind string  `json:"codec_type"`
			PTS  float64 `json:"pts_time,string"`
		}
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	last, most := map[string]float64{}, map[string]float64{"video": 0.051, "audio": 0.030}
	for _, p := range list.Packets {
		before, some := last[p.Kind]
		if !some && p.PTS > 0.05 || some && (p.PTS <= before || p.PTS > before+most[p.Kind]) {
			t.Errorf("%s at %.3f follows %.3f", p.Kind, p.PTS, before)
		}
		last[p.Kind] = p.PTS
	}
	if last["video"] < 2.9 || last["audio"] < 2.9 {
		t.Errorf("the feed ends at %v", last)
	}
}

// publishH264 is publish for a clip of H264.
func (s *watchServer) publishH264(name string) *broadcast {
	s.t.Helper()
	p, err := s.hub.Publish(name, sfu.PublishOptions{Source: "websocket"})
	if err != nil {
		s.t.Fatal(err)
	}
	b := &broadcast{publication: p, stop: make(chan struct{}), ended: make(chan struct{})}
	writers, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.H264}, media.TrackInfo{ID: "audio", Codec: media.Opus})
	if err != nil {
		s.t.Fatal(err)
	}
	b.video, b.audio = writers[0], writers[1]
	go func() {
		defer close(b.ended)
		_ = p.Run(context.Background(), b)
	}()
	s.t.Cleanup(b.end)
	return b
}
