package ws_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu/codec"
)

// ebmlHeader is how an init segment begins (RFC 8794 section 11.2.1).
var ebmlHeader = []byte{0x1a, 0x45, 0xdf, 0xa3}

// oldClient is a page of before: it takes binary messages for media, and text for
// a fault unless it asks for it.
type oldClient struct {
	t      *testing.T
	conn   *websocket.Conn
	reader *read.Reader
	inits  int      // how many there were
	shown  [][]byte // the pictures
	sound  int      // how many frames
	video  int      // which track the pictures are
}

func (s *uploadServer) old(t *testing.T, path string) *oldClient {
	t.Helper()
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), s.url+path, nil)
	if err != nil {
		t.Fatalf("%s: %v, %v", path, err, response)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(uploadPatience))
	c := &oldClient{t: t, conn: conn}
	c.reader = read.NewReader(c, read.Config{})
	return c
}

// Header implements read.Receiver.
func (c *oldClient) Header(h read.Header) error {
	c.video = slices.IndexFunc(h.Tracks, func(t ebml.TrackEntry) bool { return t.CodecID == "V_VP8" })
	return nil
}

// Frame implements read.Receiver.
func (c *oldClient) Frame(f read.Frame) error {
	if f.Track == c.video {
		c.shown = append(c.shown, f.Data)
	} else {
		c.sound++
	}
	return nil
}

// Damage implements read.Receiver.
func (c *oldClient) Damage(d ebml.Damage) { c.t.Errorf("damage: %v", d) }

// id reads the first message of amLive's server.
func (c *oldClient) id() string {
	c.t.Helper()
	kind, data, err := c.conn.ReadMessage()
	if err != nil || kind != websocket.TextMessage || len(data) < 26 {
		c.t.Fatalf("the id is %q of kind %d, %v", data, kind, err)
	}
	return string(data)
}

func (c *oldClient) send(chunks ...[]byte) {
	c.t.Helper()
	for _, b := range chunks {
		if err := c.conn.WriteMessage(websocket.BinaryMessage, b); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *oldClient) say(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// play appends a message to the player, or returns how the socket was closed.
func (c *oldClient) play() error {
	kind, data, err := c.conn.ReadMessage()
	if err != nil {
		return err
	}
	if kind != websocket.BinaryMessage {
		c.t.Fatalf("text that no old client knows: %q", data)
	}
	if bytes.HasPrefix(data, ebmlHeader) {
		c.inits++
	}
	if c.inits == 0 {
		c.t.Fatalf("media begins with % x, not with an init segment", data[:min(8, len(data))])
	}
	if err := c.reader.Push(data); err != nil {
		c.t.Fatalf("what came cannot be read: %v", err)
	}
	return nil
}

// playUntil plays until ok is true.
func (c *oldClient) playUntil(what string, ok func() bool) {
	c.t.Helper()
	for !ok() {
		if err := c.play(); err != nil {
			c.t.Fatalf("%s: %v, after %d pictures", what, err, len(c.shown))
		}
	}
}

// closed plays until the socket is closed and returns with which code.
func (c *oldClient) closed() int {
	c.t.Helper()
	for {
		if err := c.play(); err != nil {
			if e, ok := err.(*websocket.CloseError); ok {
				return e.Code
			}
			c.t.Fatalf("the socket was not closed: %v", err)
		}
	}
}

// leave is a page's close(). The answer to it comes before the upload's end.
func (c *oldClient) leave() {
	c.t.Helper()
	if err := c.conn.WriteControl(websocket.CloseMessage, nil, time.Now().Add(uploadPatience)); err != nil {
		c.t.Fatal(err)
	}
	if code := c.closed(); code != websocket.CloseNoStatusReceived {
		c.t.Errorf("the publisher's socket was closed with %d", code)
	}
}

// clipped is the begin of a sample, n chunks without the last byte: that is the
// first one of the next block.
func clipped(t *testing.T, n int) [][]byte {
	t.Helper()
	_, chunks := sample(t, "av_ts100ms")
	last := chunks[n-1]
	return append(chunks[:n-1:n-1], last[:len(last)-1])
}

// pictures reads the pictures of an upload.
func pictures(t *testing.T, chunks [][]byte) [][]byte {
	t.Helper()
	c := &oldClient{t: t}
	c.reader = read.NewReader(c, read.Config{})
	for _, b := range chunks {
		if err := c.reader.Push(b); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.reader.Close()
	return c.shown
}

// uploaded requires pictures, a keyframe first, and none that was not uploaded.
func (c *oldClient) uploaded(sent [][]byte) {
	c.t.Helper()
	if len(c.shown) == 0 || !codec.VP8Keyframe(c.shown[0]) {
		c.t.Fatalf("%d pictures came, or the first is no keyframe", len(c.shown))
	}
	for i, got := range c.shown {
		if !slices.ContainsFunc(sent, func(p []byte) bool { return bytes.Equal(p, got) }) {
			c.t.Fatalf("picture %d was never uploaded", i)
		}
	}
}

// page requests a path as a page does, and follows no redirect.
func (s *uploadServer) page(t *testing.T, method, path string) (status int, header http.Header, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http"+strings.TrimPrefix(s.url, "ws")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, body
}
