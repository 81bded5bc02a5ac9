package admin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling"
	"weir/signaling/admin"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// newAPI serves the API for a hub and a folder with n recordings of two streams,
// the newest of which has the highest number.
func newAPI(t *testing.T, n int) (http.Handler, *sfu.Hub) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		id, stream := fmt.Sprintf("id%014d", i), []string{"a", "b/c"}[i%2]
		start := time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC)
		base := filepath.Join(dir, stream, start.Format("20060102T150405Z")+"-"+id)
		raw, err := json.Marshal(recorder.Recording{
			ID: id, Stream: stream, State: recorder.Finished, StartedAt: start, DurationMS: 1500, Bytes: 7, Gaps: []recorder.Gap{},
			PosterBytes: int64(i % 6),
			Tracks:      []recorder.Track{{ID: "audio", Kind: "audio", Codec: "opus", Channels: 2, Frames: 75, Bytes: 3000}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{base + ".json": raw, base + ".webm": []byte("content")} {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	events := admin.NewEvents()
	t.Cleanup(events.Close)
	r, err := recorder.New(recorder.Config{Dir: dir, OnEvent: func(e recorder.Event) { events.Publish(e.Type, admin.RecordingEvent(e)) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{r.Sink}})
	if err != nil {
		t.Fatal(err)
	}
	return newMux(t, admin.Config{Hub: hub, Recorder: r, Events: events}), hub
}

func newMux(t *testing.T, c admin.Config) http.Handler {
	t.Helper()
	api, err := admin.New(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	api.Register(mux)
	return mux
}

// get returns the JSON of an answer with that status.
func get[T any](t *testing.T, h http.Handler, method, path string, status int) (value T) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	contentType := "application/json"
	if status >= 400 {
		contentType = "application/problem+json"
	}
	if w.Code != status || w.Header().Get("Content-Type") != contentType || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s: status %d, want %d; %v", method, path, w.Code, status, w.Header())
	}
	if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
		t.Errorf("%s %s: %v: %s", method, path, err, w.Body)
	}
	return value
}

// TestCompressedLists: a long answer goes out compressed to those who take it, and a short
// one as it is.
func TestCompressedLists(t *testing.T) {
	h, _ := newAPI(t, 20)
	ask := func(path, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		h.ServeHTTP(w, r)
		if vary := strings.Join(w.Header().Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("%s varies with %q", path, vary)
		}
		return w
	}
	plain, packed := ask("/api/v1/recordings", "identity"), ask("/api/v1/recordings", "gzip")
	z, err := gzip.NewReader(packed.Body)
	if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v (%v)", packed.Header(), err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
		t.Errorf("compressed it is %q (%v), else %q", got, err, plain.Body)
	}
	for _, w := range []*httptest.ResponseRecorder{plain, ask("/api/v1/recordings?limit=1", "gzip"), ask("/api/v1/recordings", "gzip;q=0")} {
		if w.Header().Get("Content-Encoding") != "" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%v, %q", w.Header(), w.Body)
		}
	}
}

type object = map[string]any

// keys checks that an object has just these names.
func keys(t *testing.T, what string, o object, names string) {
	t.Helper()
	want := map[string]bool{}
	for _, n := range strings.Fields(names) {
		want[n] = true
		if _, ok := o[n]; !ok {
			t.Errorf("%s: there is no %s in %v", what, n, o)
		}
	}
	for n := range o {
		if !want[n] {
			t.Errorf("%s: there is %s, which nobody was told of", what, n)
		}
	}
}

// source publishes one track of sound until its context ends.
type source struct{ live chan struct{} }

func (s source) Run(ctx context.Context, p *sfu.Publication) error {
	writers, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "audio", Codec: media.Opus})
	if err != nil {
		return err
	}
	w := writers[0]
	w.WriteFrame(media.Frame{PTS: time.Millisecond, Sync: true, Data: sfutest.OpusFrame(0, 50)})
	close(s.live)
	<-ctx.Done()
	return nil
}

func TestStreams(t *testing.T) {
	h, hub := newAPI(t, 0)
	empty := get[object](t, h, "GET", "/api/v1/streams", 200)
	if list, ok := empty["streams"].([]any); !ok || len(list) != 0 {
		t.Errorf("without a stream the list is %v", empty)
	}
	claimed, err := hub.Publish("b", sfu.PublishOptions{Source: "webrtc"})
	if err != nil {
		t.Fatal(err)
	}
	defer claimed.Close()
	pub, err := hub.Publish("acme/alice/desk", sfu.PublishOptions{Source: "webrtc", Record: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	src, ended := source{make(chan struct{})}, make(chan error, 1)
	go func() { ended <- pub.Run(ctx, src) }()
	defer func() { cancel(); <-ended }()
	<-src.live

	list := get[object](t, h, "GET", "/api/v1/streams", 200)
	keys(t, "list", list, "streams next")
	streams := list["streams"].([]any)
	if len(streams) != 2 || streams[0].(object)["name"] != "acme/alice/desk" || streams[1].(object)["name"] != "b" {
		t.Fatalf("streams %v", streams)
	}
	one := get[object](t, h, "GET", "/api/v1/streams/acme/alice/desk", 200)
	delete(one, "recording") // there once the recorder has its first frame
	keys(t, "stream", one, "name id state started_at source viewers recording_status tracks")
	if one["state"] != "live" || one["source"] != "webrtc" || one["viewers"] != 0.0 {
		t.Errorf("stream %v", one)
	}
	at, err := time.Parse(time.RFC3339, one["started_at"].(string))
	if err != nil || !strings.HasSuffix(one["started_at"].(string), "Z") || time.Since(at).Abs() > time.Hour {
		t.Errorf("started_at is %v", one["started_at"])
	}
	track := one["tracks"].([]any)[0].(object)
	keys(t, "track", track, "id kind codec packets bytes lost dropped")
	if track["kind"] != "audio" || track["codec"] != "opus" || track["packets"] != 1.0 {
		t.Errorf("track %v", track)
	}
	waiting := get[object](t, h, "GET", "/api/v1/streams/b", 200)
	if list, ok := waiting["tracks"].([]any); waiting["state"] != "connecting" || !ok || len(list) != 0 {
		t.Errorf("stream without media: %v", waiting)
	}
}

func TestRecordings(t *testing.T) {
	h, _ := newAPI(t, 7)
	type page struct {
		Recordings []object
		Next       *string
	}
	ids := func(p page) (list []string) {
		for _, r := range p.Recordings {
			list = append(list, strings.TrimLeft(strings.TrimPrefix(r["id"].(string), "id"), "0"))
		}
		return list
	}
	all := get[page](t, h, "GET", "/api/v1/recordings", 200)
	if got := fmt.Sprint(ids(all)); got != "[6 5 4 3 2 1 ]" || all.Next != nil {
		t.Errorf("recordings %s, next %v", got, all.Next)
	}
	if got := fmt.Sprint(ids(get[page](t, h, "GET", "/api/v1/recordings?stream=b/c", 200))); got != "[5 3 1]" {
		t.Errorf("recordings of one stream: %s", got)
	}
	if got := get[page](t, h, "GET", "/api/v1/recordings?stream=nobody", 200); got.Recordings == nil || len(got.Recordings) != 0 {
		t.Errorf("recordings of nobody: %v", got)
	}
	var seen []string
	for path := "/api/v1/recordings?limit=3"; ; {
		p := get[page](t, h, "GET", path, 200)
		seen = append(seen, ids(p)...)
		if p.Next == nil {
			break
		}
		path = "/api/v1/recordings?limit=3&after=" + *p.Next
	}
	if got := fmt.Sprint(seen); got != "[6 5 4 3 2 1 ]" {
		t.Errorf("pages bring %s", got)
	}
	one := get[object](t, h, "GET", "/api/v1/recordings/id00000000000005", 200)
	if six := all.Recordings[0]; one["poster"] != "/recordings/id00000000000005.jpg?v=0-5" || six["poster"] != nil {
		t.Errorf("posters %v and %v", one["poster"], six["poster"])
	}
	if one["url"] != "/recordings/id00000000000005.webm" || one["state"] != "finished" || one["duration_ms"] != 1500.0 ||
		one["bytes"] != 7.0 || one["stream"] != "b/c" || one["started_at"] != "2026-01-02T03:04:05Z" || len(one["tracks"].([]any)) != 1 {
		t.Errorf("recording %v", one)
	}
	track := one["tracks"].([]any)[0].(map[string]any)
	if one["bit_rate"] != 37.0 || track["bit_rate"] != 16_000.0 || track["channels"] != 2.0 || track["frames"] != 75.0 {
		t.Errorf("recording %v", one)
	}
}

func TestProblems(t *testing.T) {
	h, _ := newAPI(t, 1)
	type problem struct {
		Status        int
		Title, Detail string
	}
	for _, tt := range []struct {
		method, path string
		status       int
		detail       string // that the text has: what to do
	}{
		{"GET", "/api/v1/streams/nobody", 404, "/api/v1/streams"},
		{"GET", "/api/v1/streams/", 404, "/api/v1/streams"},
		{"GET", "/api/v1/streams/%2e%2e", 404, "/api/v1/streams"},
		{"GET", "/api/v1/recordings/unknown", 404, "/api/v1/recordings"},
		{"GET", "/api/v1/recordings?limit=0", 400, "1 to 1000"},
		{"GET", "/api/v1/recordings?limit=1001", 400, "1 to 1000"},
		{"GET", "/api/v1/recordings?limit=-1", 400, "1 to 1000"},
		{"GET", "/api/v1/recordings?limit=many", 400, "1 to 1000"},
		{"GET", "/api/v1/recordings?limit=99999999999999999999", 400, "1 to 1000"},
		{"GET", "/api/v1/nothing", 404, "/api/v1/streams"},
		{"GET", "/api/", 404, "/api/v1/streams"},
		{"POST", "/api/v1/streams", 405, "GET"},
		{"PUT", "/api/v1/recordings/id00000000000000", 405, "DELETE"},
		{"DELETE", "/api/v1/recordings/unknown", 404, "/api/v1/recordings"},
		{"PATCH", "/api/v1/recordings/id00000000000000", 400, "JSON"},
		{"POST", "/api/v1/streams/nobody", 405, "/recording"},
		{"POST", "/api/v1/streams/nobody/recording", 400, "JSON"},
		{"GET", "/api/v1/recordings?from=yesterday", 400, "RFC 3339"},
		{"POST", "/healthz", 405, "GET"},
	} {
		p := get[problem](t, h, tt.method, tt.path, tt.status)
		if p.Status != tt.status || p.Title == "" || !strings.Contains(p.Detail, tt.detail) {
			t.Errorf("%s %s: %+v", tt.method, tt.path, p)
		}
	}
}

func TestHealth(t *testing.T) {
	h, _ := newAPI(t, 0)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := get[object](t, h, "GET", path, 200); got["status"] != "ok" {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestWithoutRecorder: a server that records nothing has an empty list.
func TestWithoutRecorder(t *testing.T) {
	if _, err := admin.New(admin.Config{}); err == nil {
		t.Error("an API without a hub was made")
	}
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := newMux(t, admin.Config{Hub: hub})
	if got := get[object](t, h, "GET", "/api/v1/recordings", 200); len(got["recordings"].([]any)) != 0 {
		t.Errorf("recordings %v", got)
	}
	get[object](t, h, "GET", "/api/v1/recordings/x", 404)
}
