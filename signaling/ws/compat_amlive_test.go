package ws_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder"
	"weir/signaling"
	"weir/signaling/ws"
)

func newAmLiveServer(t *testing.T) *uploadServer {
	var s *uploadServer
	s = newUploadServer(t, ws.Config{RecordingOf: func(name string) (string, bool) {
		list, _, _ := s.recorder.Recordings(recorder.Query{Stream: name})
		if len(list) != 1 || list[0].State != recorder.Finished {
			return "", false
		}
		return "/recordings/" + list[0].ID + ".webm", true
	}})
	return s
}

// TestAmLive plays both old pages: one goes live, one watches to the end and then
// loads the file.
func TestAmLive(t *testing.T) {
	s := newAmLiveServer(t)
	chunks := clipped(t, 14)
	publisher := s.old(t, "/compat/amlive/ws")
	id := publisher.id()
	w := "/compat/amlive/w/" + id
	publisher.send(chunks[:7]...)
	awaitTrue(t, "live", func() bool { i, err := s.hub.Stream("amlive/" + id); return err == nil && i.Live })

	status, header, init := s.page(t, "GET", w+"/meta.webm")
	if status != 200 || header.Get("Content-Type") != "video/webm" || !bytes.HasPrefix(init, ebmlHeader) {
		t.Errorf("meta.webm: %d, %v, % x", status, header, init)
	}
	if status, _, _ := s.page(t, "GET", w+".webm"); status != 404 {
		t.Errorf("the file of what is live: %d", status)
	}

	viewer := s.old(t, "/compat/amlive/")
	if viewer.id() == id {
		t.Error("the viewer has the publisher's id")
	}
	join, _ := json.Marshal(map[string]string{"join": id})
	viewer.say(string(join))
	viewer.playUntil("picture", func() bool { return len(viewer.shown) > 0 })
	publisher.send(chunks[7:]...)
	publisher.leave()
	if code := viewer.closed(); code != websocket.CloseNormalClosure {
		t.Errorf("the viewer's socket was closed with %d", code)
	}
	sent := pictures(t, chunks)
	viewer.uploaded(sent)
	if last := viewer.shown[len(viewer.shown)-1]; !bytes.Equal(last, sent[len(sent)-1]) || viewer.sound == 0 || viewer.inits != 1 {
		t.Errorf("%d pictures, %d frames of sound, %d init segments; the last picture is missing or not", len(viewer.shown), viewer.sound, viewer.inits)
	}

	status, header, _ = s.page(t, "GET", w+".webm") // waits until the file is complete
	path, _ := s.recording(t, "amlive/"+id)
	if location := header.Get("Location"); status != 302 || !strings.HasSuffix(path, strings.TrimPrefix(location, "/recordings/")) || location == "" {
		t.Errorf("the file: %d, %q; it is %s", status, location, path)
	}
	if status, _, _ := s.page(t, "GET", w+"/meta.webm"); status != 404 {
		t.Errorf("meta.webm after the end: %d", status)
	}
}

// TestAmLiveFileAtOnce: the page asks for the file the moment that its socket is
// closed, and gets it although the recorder may still be at work.
func TestAmLiveFileAtOnce(t *testing.T) {
	s := newAmLiveServer(t)
	chunks := clipped(t, 5)
	publisher := s.old(t, "/compat/amlive/ws")
	id := publisher.id()
	publisher.send(chunks...)
	awaitTrue(t, "live", func() bool { i, err := s.hub.Stream("amlive/" + id); return err == nil && i.Live })
	viewer := s.old(t, "/compat/amlive/ws")
	viewer.id()
	viewer.say(`{"join":"` + id + `"}`)
	viewer.playUntil("picture", func() bool { return len(viewer.shown) > 0 })
	publisher.leave()
	viewer.closed()
	if status, header, _ := s.page(t, "GET", "/compat/amlive/w/"+id+".webm"); status != 302 {
		t.Errorf("the file: %d, %v", status, header)
	}
}

// TestAmLiveCloses: what has a socket closed, and with which code.
func TestAmLiveCloses(t *testing.T) {
	s := newAmLiveServer(t)
	for _, text := range []string{`{"join":"nobody"}`, `{"join":""}`, `{"join":"../.."}`, `{}`, `nonsense`} {
		c := s.old(t, "/compat/amlive/ws")
		c.id()
		c.say(text)
		if code := c.closed(); code != websocket.ClosePolicyViolation {
			t.Errorf("%s: closed with %d", text, code)
		}
	}
	c := s.old(t, "/compat/amlive/ws")
	c.id()
	c.send(bytes.Repeat([]byte("no webm"), 100))
	if code := c.closed(); code != websocket.CloseUnsupportedData {
		t.Errorf("no WebM: closed with %d", code)
	}
	idle := s.old(t, "/compat/amlive/ws")
	idle.id()
	s.shutdown(t)
	if code := idle.closed(); code != websocket.CloseGoingAway {
		t.Errorf("shutdown: closed with %d", code)
	}
}

// TestAmLivePaths: what is answered without a WebSocket.
func TestAmLivePaths(t *testing.T) {
	s := newAmLiveServer(t)
	for _, tt := range []struct {
		method, path string
		status       int
		location     string
	}{
		{"GET", "", 426, ""},
		{"GET", "ws", 426, ""},
		{"GET", "w/abc/", 302, "/watch/amlive/abc"},
		{"HEAD", "w/abc/", 302, "/watch/amlive/abc"},
		{"GET", "w/.bad/", 400, ""},
		{"GET", "w/a%2F%2Fb/", 400, ""},
		{"GET", "w/abc.webm", 404, ""},
		{"GET", "w/.webm", 404, ""},
		{"GET", "w/abc.mp4", 404, ""},
		{"GET", "w/abc/meta.webm", 404, ""},
		{"GET", "w/.bad/meta.webm", 404, ""},
		{"POST", "w/abc.webm", 405, ""},
	} {
		status, header, _ := s.page(t, tt.method, "/compat/amlive/"+tt.path)
		problem := header.Get("Content-Type") == "application/problem+json"
		if status != tt.status || header.Get("Location") != tt.location || problem != (status >= 400) {
			t.Errorf("%s %s: %d, %v", tt.method, tt.path, status, header)
		}
	}
}

// onlyConnect is an Authorizer that lets clients connect, and no more.
type onlyConnect struct{ asked chan signaling.Intent }

// Authorize implements signaling.Authorizer.
func (o onlyConnect) Authorize(_ *http.Request, i signaling.Intent) error {
	o.asked <- i
	if i.Action == signaling.Connect {
		return nil
	}
	return signaling.ErrForbidden
}

// next waits for what is asked.
func (o onlyConnect) next(t *testing.T) signaling.Intent {
	t.Helper()
	select {
	case i := <-o.asked:
		return i
	case <-time.After(uploadPatience):
		t.Fatal("nothing was asked")
		return signaling.Intent{}
	}
}

// TestAmLiveRefused: what a socket is for is asked about when it has said so, once, and
// before anything is live.
func TestAmLiveRefused(t *testing.T) {
	o := onlyConnect{make(chan signaling.Intent, 10)}
	s := newAmLiveServer(t)
	routes := signaling.NewRoutes(o, nil)
	s.endpoint.Register(routes)
	h := httptest.NewServer(routes)
	t.Cleanup(h.Close)
	s.url = "ws" + strings.TrimPrefix(h.URL, "http")
	for _, tt := range []struct {
		action signaling.Action
		say    func(c *oldClient)
	}{
		{signaling.Publish, func(c *oldClient) { c.send([]byte{0x1a, 0x45, 0xdf, 0xa3}) }},
		{signaling.Watch, func(c *oldClient) { c.say(`{"join":"somebody"}`) }},
	} {
		c := s.old(t, "/compat/amlive/ws?record=0")
		id := c.id()
		if i := o.next(t); i.Action != signaling.Connect || i.Name != "" || i.Record {
			t.Errorf("asked about %+v", i)
		}
		tt.say(c)
		want := "amlive/somebody"
		if tt.action == signaling.Publish {
			want = "amlive/" + id
		}
		if i := o.next(t); i.Action != tt.action || i.Name != want || i.Record || i.Remote == "" {
			t.Errorf("asked about %+v", i)
		}
		if code := c.closed(); code != websocket.ClosePolicyViolation {
			t.Errorf("%s: closed with %d", tt.action, code)
		}
	}
	if live := s.hub.Streams(); len(live) != 0 || len(o.asked) != 0 {
		t.Errorf("live %+v, asked %d times more", live, len(o.asked))
	}
}
