package ws_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/gorilla/websocket"

	"weir/signaling/ws"
)

// TestVideoStream plays the old page: blobs of a recorder that is started anew,
// then, as another broadcast, chunks; both kinds of listeners stay for both.
func TestVideoStream(t *testing.T) {
	const prefix = "/compat/node-videostream/"
	s := newUploadServer(t, ws.Config{})
	chunks := clipped(t, 9)
	blob, sent := slices.Concat(chunks...), pictures(t, chunks)
	listeners := []*oldClient{s.old(t, prefix+"blob-out/a/b"), s.old(t, prefix+"chunk-out/a/b")}

	first := s.old(t, prefix+"blob-in/a/b")
	first.send(blob)
	for _, c := range listeners {
		c.playUntil("first blob", func() bool { return len(c.shown) > 0 })
	}
	for _, way := range []string{"blob-in", "chunk-in"} {
		_, response, err := websocket.DefaultDialer.DialContext(t.Context(), s.url+prefix+way+"/a/b", nil)
		if err == nil || response.StatusCode != http.StatusConflict {
			t.Errorf("a second publisher on %s: %v, %v", way, err, response)
		}
	}
	first.send(blob)
	for _, c := range listeners {
		c.playUntil("second blob", func() bool { return times(c.shown, sent[0]) == 2 })
		if c.inits != 1 {
			t.Errorf("%d init segments for one broadcast", c.inits)
		}
	}
	first.leave()
	awaitTrue(t, "the name is free", func() bool { _, err := s.hub.Stream("a/b"); return err != nil })

	second := s.old(t, prefix+"chunk-in/a/b")
	second.send(chunks...)
	for _, c := range listeners {
		c.playUntil("chunks", func() bool { return c.inits == 2 && times(c.shown, sent[0]) == 3 })
		c.uploaded(sent)
	}
	second.leave()

	late := s.old(t, prefix+"blob-out/a/b")
	s.shutdown(t)
	for _, c := range append(listeners, late) {
		if code := c.closed(); code != websocket.CloseServiceRestart {
			t.Errorf("shutdown: closed with %d", code)
		}
	}
}

// times counts how often a picture is among others.
func times(all [][]byte, one []byte) (n int) {
	for _, p := range all {
		if bytes.Equal(p, one) {
			n++
		}
	}
	return n
}

// TestVideoStreamPaths: what is answered without a WebSocket, and to bad names.
func TestVideoStreamPaths(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	for _, way := range []string{"blob-in", "chunk-in", "blob-out", "chunk-out"} {
		path := "/compat/node-videostream/" + way + "/"
		if status, _, _ := s.page(t, "GET", path+"a"); status != http.StatusUpgradeRequired {
			t.Errorf("GET %s: %d", path, status)
		}
		_, response, err := websocket.DefaultDialer.DialContext(t.Context(), s.url+path+".bad", nil)
		if err == nil || response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: bad name: %v, %v", path, err, response)
		}
	}
}
