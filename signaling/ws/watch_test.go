package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling"
)

// watchPatience is how long a test waits for what must come.
const watchPatience = 30 * time.Second

// watchServer is an endpoint and a hub.
type watchServer struct {
	t        testing.TB
	hub      *sfu.Hub
	endpoint *Endpoint
	url      string
}

func newWatchServer(t testing.TB, c Config) *watchServer {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.Hub = hub
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	e.Register(mux)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), watchPatience)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		h.Close()
	})
	return &watchServer{t: t, hub: hub, endpoint: e, url: "ws" + strings.TrimPrefix(h.URL, "http")}
}

// broadcast is a publisher that writes the frames of a clip when it is told to.
type broadcast struct {
	publication *sfu.Publication
	video       *sfu.TrackWriter
	audio       *sfu.TrackWriter
	clip        sfutest.Clip
	stop        chan struct{}
	ended       chan struct{}
	at          time.Duration
}

// Run implements sfu.Source.
func (b *broadcast) Run(context.Context, *sfu.Publication) error {
	<-b.stop
	return nil
}

func (s *watchServer) publish(name string, clip sfutest.Clip) *broadcast {
	s.t.Helper()
	p, err := s.hub.Publish(name, sfu.PublishOptions{Source: "websocket"})
	if err != nil {
		s.t.Fatal(err)
	}
	b := &broadcast{publication: p, clip: clip, stop: make(chan struct{}), ended: make(chan struct{})}
	picture := clip.Codec
	if picture == 0 {
		picture = media.VP8
	}
	writers, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: picture}, media.TrackInfo{ID: "audio", Codec: media.Opus})
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

// write writes the next frames, until the time to.
func (b *broadcast) write(to time.Duration) {
	for ; b.at < to; b.at += sfutest.AudioInterval {
		if b.at%sfutest.VideoInterval == 0 {
			b.video.WriteFrame(b.clip.Video(int(b.at / sfutest.VideoInterval)).Frame)
		}
		b.audio.WriteFrame(b.clip.Audio(int(b.at / sfutest.AudioInterval)).Frame)
	}
}

// end ends the broadcast. Ending it twice is fine.
func (b *broadcast) end() {
	select {
	case <-b.stop:
	default:
		close(b.stop)
	}
	<-b.ended
}

// watcher is a client. It reads all that comes.
type watcher struct {
	t    testing.TB
	conn *websocket.Conn

	mu     sync.Mutex
	events []map[string]string
	media  []byte       // since the last init
	parts  int          // binary messages since then
	frames []read.Frame // without their data
	shown  []int        // the numbers of the pictures among them
	dark   bool         // there is only sound
	still  codec.Still  // of the picture
	reader *read.Reader
	err    error
	news   chan struct{} // capacity 1
	done   chan struct{}
}

func (s *watchServer) dial(name string) *websocket.Conn {
	s.t.Helper()
	conn, response, err := websocket.DefaultDialer.DialContext(s.t.Context(), s.url+"/ws/watch/"+name, nil)
	if err != nil {
		s.t.Fatalf("%v: %v", err, response)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// watch opens a client that reads until the end of the test.
func (s *watchServer) watch(name, hello string) *watcher {
	s.t.Helper()
	w := &watcher{t: s.t, conn: s.dial(name), news: make(chan struct{}, 1), done: make(chan struct{})}
	if hello != "" {
		if err := w.conn.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
			s.t.Fatal(err)
		}
	}
	go w.read()
	s.t.Cleanup(func() {
		w.conn.Close()
		<-w.done
	})
	return w
}

func (w *watcher) read() {
	defer close(w.done)
	for {
		kind, data, err := w.conn.ReadMessage()
		w.mu.Lock()
		if err != nil {
			w.err = err
			w.mu.Unlock()
			return
		}
		if kind == websocket.TextMessage {
			event := map[string]string{}
			_ = json.Unmarshal(data, &event)
			w.events = append(w.events, event)
			if event["type"] == "init" {
				w.media, w.parts, w.frames, w.shown = nil, 0, nil, nil
				w.reader = read.NewReader(w, read.Config{})
			}
		} else {
			w.parts++
			if w.parts < 1000 {
				w.media = append(w.media, data...)
			}
			if err := w.reader.Push(data); err != nil {
				w.t.Errorf("what came cannot be read: %v", err)
			}
		}
		w.mu.Unlock()
		select {
		case w.news <- struct{}{}:
		default:
		}
	}
}

// Header implements read.Receiver.
func (w *watcher) Header(h read.Header) error {
	w.dark = h.Tracks[0].Codec != media.VP8
	format, _ := codec.For(media.VP8)
	w.still = format.NewStill()
	return nil
}

// Frame implements read.Receiver.
func (w *watcher) Frame(f read.Frame) error {
	if f.Track == 0 && !w.dark {
		if !bytes.Equal(f.Data, w.still.Repeat()) { // else the last one is shown again
			n, intact := sfutest.VP8Number(f.Data)
			if !intact {
				w.t.Errorf("picture %d is damaged", n)
			}
			w.shown = append(w.shown, n)
			w.still.Saw(f.Data)
		}
	}
	f.Data = nil
	w.frames = append(w.frames, f)
	return nil
}

// Damage implements read.Receiver.
func (w *watcher) Damage(d ebml.Damage) { w.t.Errorf("damage: %+v", d) }

// until waits until ok is true of what has come.
func (w *watcher) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(watchPatience)
	for {
		w.mu.Lock()
		good := ok()
		w.mu.Unlock()
		if good {
			return
		}
		select {
		case <-w.news:
		case <-w.done:
			w.t.Fatalf("%s: the socket was closed: %v", what, w.err)
		case <-deadline:
			w.t.Fatalf("%s: it does not come; events %v, %d frames", what, w.events, len(w.frames))
		}
	}
}

// has waits for an event.
func (w *watcher) has(n int, kind string) map[string]string {
	w.t.Helper()
	w.until(kind, func() bool { return len(w.events) > n && w.events[n]["type"] == kind })
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events[n]
}

// numbers waits until the picture with the number last has come, and returns the
// numbers of all that came. It checks their bytes, and that times grow.
func (w *watcher) numbers(last int) []int {
	w.t.Helper()
	w.until("picture", func() bool { return len(w.shown) > 0 && w.shown[len(w.shown)-1] >= last })
	w.mu.Lock()
	defer w.mu.Unlock()
	at := [2]time.Duration{-1, -1}
	for _, f := range w.frames {
		if f.Time <= at[f.Track] {
			w.t.Fatalf("track %d goes from %v to %v", f.Track, at[f.Track], f.Time)
		}
		if step := f.Time - at[1]; f.Track == 1 && at[1] >= 0 && step > 40*time.Millisecond {
			w.t.Fatalf("a hole of %v in the sound, before %v", step, f.Time)
		}
		at[f.Track] = f.Time
	}
	return slices.Clone(w.shown)
}

// consecutive requires that numbers go from first on, one by one.
func consecutive(t *testing.T, numbers []int, first int) {
	t.Helper()
	for i, n := range numbers {
		if n != first+i {
			t.Fatalf("picture %d came where %d is next", n, first+i)
		}
	}
}

// TestWatchLateJoiner: who comes late gets the newest keyframe first, at time
// zero, in both framings.
func TestWatchLateJoiner(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/late", sfutest.Clip{KeyEvery: 10})
	b.write(3300 * time.Millisecond) // picture 82 is the last, 80 the newest keyframe
	early := s.watch("a/late", "")
	if e := early.has(0, "init"); e["mime"] != `video/webm; codecs="vp8,opus"` {
		t.Errorf("%v", e)
	}
	consecutive(t, early.numbers(81), 80)
	b.write(3900 * time.Millisecond)
	early.numbers(96)
	for _, hello := range []string{`{"type":"hello","framing":"growing"}`, `{"type":"hello","framing":"clusters"}`, `{"type":"hello"}`, `nonsense`} {
		w := s.watch("a/late", hello)
		consecutive(t, w.numbers(96), 90)
		w.mu.Lock()
		if f := w.frames[0]; f.Track != 0 || f.Time != 0 {
			t.Errorf("%s: the first frame is of track %d, at %v", hello, f.Track, f.Time)
		}
		clusters := bytes.Count(w.media, []byte("\x1F\x43\xB6\x75"))
		if growing := strings.Contains(hello, "growing"); growing != (clusters == 1) {
			t.Errorf("%s: %d clusters in %d messages", hello, clusters, w.parts)
		}
		w.mu.Unlock()
	}
	consecutive(t, early.numbers(96), 80)
}

// TestWatchShared: 50 viewers, and the stream is muxed once.
func TestWatchShared(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/shared", sfutest.Clip{KeyEvery: 10})
	b.write(400 * time.Millisecond)
	var all []*watcher
	for range 50 {
		all = append(all, s.watch("a/shared", `{"type":"hello"}`))
	}
	for _, w := range all {
		w.numbers(8)
	}
	id := b.publication.Info().ID
	if n := b.publication.Info().Viewers; n != 50 {
		t.Errorf("%d viewers are counted", n)
	}
	s.endpoint.feeds.mu.Lock()
	f := s.endpoint.feeds.byKey[feedKey{stream: id}]
	s.endpoint.feeds.mu.Unlock()
	before := f.muxed.Load()
	for to := time.Second; to <= 4*time.Second; to += time.Second { // more at once would be a lag
		b.write(to)
		for _, w := range all {
			consecutive(t, w.numbers(int(to/sfutest.VideoInterval)-2), 0)
		}
	}
	if n := f.muxed.Load() - before; n > 3600/40+5 {
		t.Errorf("%d units were muxed for 3.6 s and 50 viewers", n)
	}
	for _, w := range all {
		w.conn.Close()
	}
	<-f.done // the last one to leave ends it
	if len(s.endpoint.feeds.byKey) != 0 {
		t.Error("the feed is still listed")
	}
}

// TestWatchEndAndNext: the end is told with the recording, and the next broadcast
// of that name comes over the same socket.
func TestWatchEndAndNext(t *testing.T) {
	ids := map[string]bool{}
	var mu sync.Mutex
	s := newWatchServer(t, Config{Recording: func(id string) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		ids[id] = true
		return "/recordings/" + id + ".webm", true
	}})
	w := s.watch("a/next", "")
	w.has(0, "waiting")
	b := s.publish("a/next", sfutest.Clip{KeyEvery: 10})
	b.write(time.Second)
	w.has(1, "init")
	w.numbers(22)
	b.end()
	id := b.publication.Info().ID
	if e := w.has(2, "ended"); e["recording"] != "/recordings/"+id+".webm" {
		t.Errorf("%v", e)
	}
	consecutive(t, w.numbers(24), 20) // to the very last one
	b = s.publish("a/next", sfutest.Clip{KeyEvery: 10})
	b.write(2 * time.Second)
	w.has(3, "init")
	w.numbers(48)
	w.mu.Lock()
	if w.frames[0].Time != 0 {
		t.Errorf("the second broadcast begins at %v", w.frames[0].Time)
	}
	w.mu.Unlock()
	if !ids[id] {
		t.Error("nobody asked for the recording")
	}
}

// TestWatchRefuses: bad names, bad methods, and too much from the client.
func TestWatchRefuses(t *testing.T) {
	s := newWatchServer(t, Config{})
	_, response, err := websocket.DefaultDialer.DialContext(t.Context(), s.url+"/ws/watch/.bad", nil)
	if err == nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("bad name: %v, %v", err, response)
	}
	conn := s.dial("a/large")
	if err := conn.WriteMessage(websocket.TextMessage, make([]byte, maxWatchText+1)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(watchPatience))
	for err == nil || !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		if _, _, err = conn.ReadMessage(); err != nil && !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
			t.Fatalf("after too large a message: %v", err)
		}
	}
}
