package posters_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/poster"
	"weir/sfu/poster/picture"
	"weir/sfu/sfutest"
	"weir/signaling"
	"weir/signaling/posters"
	"weir/signaling/session"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// desk is the endpoint with a stream "a/b" that a session publishes, and another
// session that watches it.
type desk struct {
	t                 *testing.T
	routes            *signaling.Routes
	gallery           *poster.Gallery
	publisher, viewer string // ids
	jpeg              []byte
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, routes: signaling.NewRoutes(nil, nil)}
	if d.gallery, err = poster.New(poster.Config{Hub: hub}); err != nil {
		t.Fatal(err)
	}
	var sessions session.Registry
	posters.Endpoint{Hub: hub, Gallery: d.gallery, Sessions: &sessions}.Register(d.routes)
	p, err := hub.Publish("a/b", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if _, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.VP9}); err != nil {
		t.Fatal(err)
	}
	for id, about := range map[*string]session.About{
		&d.publisher: {Role: session.Publisher, Transport: session.WebSocket, Name: "a/b"},
		&d.viewer:    {Role: session.Viewer, Transport: session.WebRTC, Name: "a/b"},
	} {
		_, cancel := context.WithCancelCause(t.Context())
		s, err := sessions.Begin(about, nil, nil, cancel)
		if err != nil {
			t.Fatal(err)
		}
		*id = s.ID()
		t.Cleanup(s.Close)
	}
	if d.jpeg, err = picture.FromVP8(sfutest.Keyframe180); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask sends a request, and returns the answer's status, headers and body.
func (d *desk) ask(method, target string, body []byte, headers ...string) (int, http.Header, []byte) {
	d.t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.routes.ServeHTTP(w, r)
	got, err := io.ReadAll(w.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return w.Code, w.Header(), got
}

// TestPoster: a publisher's picture is served, and clients that have it are told so.
func TestPoster(t *testing.T) {
	d := newDesk(t)
	const at = "/streams/a/b/poster.jpg"
	if status, _, body := d.ask("GET", at, nil); status != 404 || !bytes.Contains(body, []byte("No poster")) {
		t.Errorf("before there is one: %d, %s", status, body)
	}
	if status, _, body := d.ask("PUT", "/session/"+d.publisher+"/poster.jpg", d.jpeg, "Content-Type", "image/jpeg"); status != 204 {
		t.Fatalf("PUT: %d, %s", status, body)
	}
	status, header, body := d.ask("GET", at, nil)
	tag := header.Get("ETag")
	if status != 200 || !bytes.Equal(body, d.jpeg) || header.Get("Content-Type") != "image/jpeg" || len(tag) < 10 || header.Get("Cache-Control") != "max-age=30" {
		t.Errorf("GET: %d, %d bytes, %v", status, len(body), header)
	}
	if status, header, body = d.ask("HEAD", at, nil); status != 200 || len(body) > 0 || header.Get("ETag") != tag || header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes, %v", status, len(body), header)
	}
	if status, _, body = d.ask("GET", at, nil, "If-None-Match", tag); status != 304 || len(body) > 0 {
		t.Errorf("If-None-Match: %d, %d bytes", status, len(body))
	}
	if status, header, _ = d.ask("GET", posters.Path("a/b", tag[1:len(tag)-1]), nil); status != 200 || header.Get("Cache-Control") != "max-age=3600, immutable" {
		t.Errorf("the address of this one: %d, %v", status, header)
	}
	if status, header, _ = d.ask("GET", posters.Path("a/b", "old"), nil); status != 200 || header.Get("Cache-Control") != "max-age=30" {
		t.Errorf("the address of an older one: %d, %v", status, header)
	}
}

// TestRefused: what is answered to requests that are not right.
func TestRefused(t *testing.T) {
	d := newDesk(t)
	at := "/session/" + d.publisher + "/poster.jpg"
	for _, tt := range []struct {
		what, method, target, kind string
		body                       []byte
		want                       int
	}{
		{"a stream's address", "GET", "/streams/a/b", "", nil, 404},
		{"no stream", "GET", "/streams/other/poster.jpg", "", nil, 404},
		{"no name", "GET", "/streams/.a/poster.jpg", "", nil, 400},
		{"a viewer's session", "PUT", "/session/" + d.viewer + "/poster.jpg", "image/jpeg", d.jpeg, 404},
		{"no session", "PUT", "/session/nobody/poster.jpg", "image/jpeg", d.jpeg, 404},
		{"another type", "PUT", at, "image/png", d.jpeg, 415},
		{"no JPEG", "PUT", at, "image/jpeg", []byte("<html>"), 400},
		{"too much", "PUT", at, "image/jpeg", make([]byte, picture.MaxBytes+1), 413},
		{"the first", "PUT", at, "image/jpeg", d.jpeg, 204},
		{"the next", "PUT", at, "image/jpeg", d.jpeg, 429},
		{"another method", "POST", at, "image/jpeg", d.jpeg, 405},
	} {
		if status, _, body := d.ask(tt.method, tt.target, tt.body, "Content-Type", tt.kind); status != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.what, status, tt.want, body)
		}
	}
}
