package ws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
	"weir/signaling/ws"
)

// uploadPatience is how long a test waits for what must come: long enough that
// only a fault ends it.
const uploadPatience = 30 * time.Second

// uploadServer is an endpoint on loopback, with a recorder.
type uploadServer struct {
	url      string // ws://
	hub      *sfu.Hub
	recorder *recorder.Recorder
	dir      string
	endpoint *ws.Endpoint
	log      *lockedBuffer
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newUploadServer(t testing.TB, c ws.Config, standing ...func(sfu.StreamInfo) sfu.Sink) *uploadServer {
	t.Helper()
	return startUploadServer(t, c, 0, standing...)
}

// startUploadServer is newUploadServer with a grace for publishers that are lost.
func startUploadServer(t testing.TB, c ws.Config, grace time.Duration, standing ...func(sfu.StreamInfo) sfu.Sink) *uploadServer {
	t.Helper()
	s := &uploadServer{dir: t.TempDir(), log: &lockedBuffer{}}
	var err error
	if s.recorder, err = recorder.New(recorder.Config{Dir: s.dir}); err != nil {
		t.Fatal(err)
	}
	if s.hub, err = sfu.New(sfu.Config{Grace: grace, Standing: append(standing, s.recorder.Sink)}); err != nil {
		t.Fatal(err)
	}
	c.Hub, c.Record, c.Log = s.hub, true, slog.New(slog.NewTextHandler(s.log, nil))
	if s.endpoint, err = ws.New(c); err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	s.endpoint.Register(mux)
	h := httptest.NewServer(mux)
	s.url = "ws" + strings.TrimPrefix(h.URL, "http")
	t.Cleanup(func() {
		s.shutdown(t)
		h.Close()
		s.recorder.Close()
	})
	return s
}

// shutdown ends all sessions and waits for them, recordings included.
func (s *uploadServer) shutdown(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), uploadPatience)
	defer cancel()
	if err := s.endpoint.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// uploader is a client that publishes.
type uploader struct {
	conn   *websocket.Conn
	events chan map[string]any // closed when the socket is
	mu     sync.Mutex
	ended  error // what the socket ended with, once events is closed
}

// publish opens a socket for a stream name.
func (s *uploadServer) publish(t testing.TB, name string) *uploader {
	t.Helper()
	dialer := websocket.Dialer{WriteBufferSize: 64 << 10} // few fragments to a message
	conn, response, err := dialer.DialContext(t.Context(), s.url+"/ws/publish/"+name, nil)
	if err != nil {
		t.Fatalf("%s: %v, %v", name, err, response)
	}
	u := &uploader{conn: conn, events: make(chan map[string]any, 10_000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(u.events)
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				u.mu.Lock()
				u.ended = err
				u.mu.Unlock()
				return
			}
			var e map[string]any
			if err := json.Unmarshal(data, &e); err != nil {
				t.Errorf("event %q: %v", data, err)
				return
			}
			u.events <- e
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-read
	})
	return u
}

// send sends binary messages.
func (u *uploader) send(t testing.TB, chunks ...[]byte) {
	t.Helper()
	for _, c := range chunks {
		if err := u.conn.WriteMessage(websocket.BinaryMessage, c); err != nil {
			t.Fatal(err)
		}
	}
}

// say sends a text message.
func (u *uploader) say(t testing.TB, text string) {
	t.Helper()
	if err := u.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// leave closes the socket on purpose and waits for the server to do so too.
func (u *uploader) leave(t testing.TB) {
	t.Helper()
	message := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := u.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(uploadPatience)); err != nil {
		t.Fatal(err)
	}
	u.rest(t)
}

// rest returns the events up to the socket's end, and how it ended.
func (u *uploader) rest(t testing.TB) (events []map[string]any, code int, reason string) {
	t.Helper()
	timeout := time.After(uploadPatience)
	for {
		select {
		case e, ok := <-u.events:
			if ok {
				events = append(events, e)
				continue
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			if closed, ok := u.ended.(*websocket.CloseError); ok {
				return events, closed.Code, closed.Text
			}
			return events, 0, fmt.Sprint(u.ended)
		case <-timeout:
			t.Fatalf("the socket is still open; events: %v", events)
		}
	}
}

// await returns the next event of that type.
func (u *uploader) await(t testing.TB, kind string) map[string]any {
	t.Helper()
	timeout := time.After(uploadPatience)
	for {
		select {
		case e, ok := <-u.events:
			if !ok {
				t.Fatalf("the socket closed before an event %q", kind)
			}
			if e["type"] == kind {
				return e
			}
		case <-timeout:
			t.Fatalf("no event %q", kind)
		}
	}
}

// awaitAccepted waits until the server has all that was sent: what a socket that
// dies takes with it is up to the kernel.
func (u *uploader) awaitAccepted(t testing.TB, bytes int) {
	t.Helper()
	for u.await(t, "accepted")["bytes"] != float64(bytes) {
	}
}

// samples is where MediaRecorder's files are.
const samples = "../../recorder/webm/testdata/mediarecorder"

// sample returns a file of MediaRecorder's, cut as it came.
func sample(t testing.TB, name string) (path string, chunks [][]byte) {
	t.Helper()
	path = filepath.Join(samples, name+".webm")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(samples, name+".chunks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cut struct{ Sizes []int }
	if err := json.Unmarshal(raw, &cut); err != nil {
		t.Fatal(err)
	}
	for _, n := range cut.Sizes {
		n = min(n, len(data))
		chunks, data = append(chunks, data[:n]), data[n:]
	}
	return path, append(chunks, data)
}

// probed is a frame as ffprobe sees it.
type probed struct {
	hash string
	ms   int64
}

// probe lists the frames of a file by codec.
func probe(t testing.TB, path string) map[string][]probed {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "quiet", "-show_data_hash", "md5", "-of", "json",
		"-show_entries", "stream=index,codec_name:packet=stream_index,pts_time,data_hash", path).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", path, err)
	}
	var all struct {
		Streams []struct {
			Index int
			Codec string `json:"codec_name"`
		}
		Packets []struct {
			Stream int    `json:"stream_index"`
			PTS    string `json:"pts_time"`
			Hash   string `json:"data_hash"`
		}
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	frames := map[string][]probed{}
	for _, p := range all.Packets {
		at, _ := strconv.ParseFloat(p.PTS, 64)
		codec := all.Streams[p.Stream].Codec
		frames[codec] = append(frames[codec], probed{p.Hash, int64(at*1000 + 0.5)})
	}
	return frames
}

// recording returns the file of the only recording of a stream.
func (s *uploadServer) recording(t testing.TB, name string) (path string, r recorder.Recording) {
	t.Helper()
	list, _, _ := s.recorder.Recordings(recorder.Query{})
	for _, r := range list {
		if r.Stream == name {
			f, r, err := s.recorder.Open(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			return f.Name(), r
		}
	}
	t.Fatalf("there is no recording of %s; the log says:\n%s", name, s.log)
	return "", r
}

// awaitTrue polls until ok returns true.
func awaitTrue(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(uploadPatience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, uploadPatience)
		}
		time.Sleep(5 * time.Millisecond) // polling: the deadline decides nothing else
	}
}
