package e2e

import (
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// line is what connects clients to a server, and can break.
type line struct {
	url string

	mu    sync.Mutex
	conns []net.Conn
}

// newLine returns a line to a server. It ends with the test.
func newLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{url: "http://" + listener.Addr().String()}
	var copying sync.WaitGroup
	copying.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil {
				near.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, near, far)
			l.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				copying.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					near.Close()
					far.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.cut()
		copying.Wait()
	})
	return l
}

// cut breaks all connections.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

// TestPublisherReturns: a page whose connection breaks comes back by itself and
// goes on with its broadcast: viewers of both kinds keep theirs, and there is one
// recording.
func TestPublisherReturns(t *testing.T) {
	s := startServer(t, "--grace", "1m")
	c := startChrome(t)
	l := newLine(t, s.url)
	publisher := c.Open(t, l.url+"/publish?name=comes/back&transport=websocket")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	before := get[streamList](t, s.url+"/api/v1/streams").Streams
	whep := c.Open(t, s.url+"/watch/comes/back?transport=webrtc")
	mse := c.Open(t, s.url+"/watch/comes/back?transport=websocket")
	for _, p := range []*tab{whep, mse} {
		p.Wait("pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > 20`)
		eval[bool](p, `(window.ends = 0, new MutationObserver(() => { if (document.documentElement.dataset.state !== "live") window.ends++; })
			.observe(document.documentElement, { attributes: true, attributeFilter: ["data-state"] }), true)`)
	}
	l.cut()
	publisher.Wait("reconnecting", `document.documentElement.dataset.state !== "live"`)
	publisher.Wait("live again", `document.documentElement.dataset.state === "live"`)
	for _, p := range []*tab{whep, mse} {
		from := eval[int](p, `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames`)
		p.Wait("more pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > `+strconv.Itoa(from+40))
		if ends := eval[int](p, `window.ends`); ends != 0 {
			t.Errorf("a viewer's session ended %d times", ends)
		}
		p.Quiet()
	}
	after := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(after) != 1 || len(before) != 1 || after[0].ID != before[0].ID || after[0].State != "live" {
		t.Errorf("the stream was %+v, is %+v", before, after)
	}
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	waitFinished(t, s.url, "comes/back")
	list := get[recordingList](t, s.url+"/api/v1/recordings").Recordings
	if len(list) != 1 || list[0].State != "finished" || list[0].DurationMS < 3000 {
		t.Errorf("recordings %+v", list)
	}
}
