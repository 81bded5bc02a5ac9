package ws_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/signaling"
	"weir/signaling/ws"
)

// pipe is a net.Listener whose connections need no network, so that its users can
// live in a bubble of synctest.
type pipe struct {
	accept chan net.Conn
	done   chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	close(p.done)
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipe) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.accept <- server
	return client, nil
}

// TestUploadIdle: when a client that does not do its part is given up.
func TestUploadIdle(t *testing.T) {
	_, chunks := sample(t, "av_ts100ms")
	for _, tt := range []struct {
		name        string
		reads       bool
		answers     bool // pings
		media       bool
		say         string
		after, most time.Duration
		reason      string
	}{
		{name: "does not read", after: 5 * time.Second, most: 6 * time.Second, reason: "does not read"},
		{name: "never sends media", reads: true, answers: true, after: time.Minute, most: 62 * time.Second, reason: "No media"},
		{name: "no sign of life", reads: true, media: true, after: 55 * time.Second, most: 65 * time.Second, reason: "no sign of life"},
		{name: "paused", reads: true, media: true, say: `{"type":"pause"}`, after: 9 * time.Minute, most: 11 * time.Minute, reason: "no sign of life"},
		{name: "bye, and stays", reads: true, media: true, say: `{"type":"bye"}`, after: 4 * time.Second, most: 7 * time.Second, reason: "stopped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &lockedBuffer{}
				hub, err := sfu.New(sfu.Config{})
				if err != nil {
					t.Fatal(err)
				}
				endpoint, err := ws.New(ws.Config{Hub: hub, Log: slog.New(slog.NewTextHandler(log, nil))})
				if err != nil {
					t.Fatal(err)
				}
				mux := signaling.NewRoutes(nil, nil)
				endpoint.Register(mux)
				l := &pipe{make(chan net.Conn), make(chan struct{})}
				server := &http.Server{Handler: mux}
				go server.Serve(l)
				defer server.Close()
				dialer := websocket.Dialer{NetDialContext: l.dial}
				conn, _, err := dialer.DialContext(t.Context(), "ws://pipe/ws/publish/a", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if !tt.answers {
					conn.SetPingHandler(func(string) error { return nil })
				}
				if tt.reads {
					go func() {
						for err := error(nil); err == nil; {
							_, _, err = conn.ReadMessage()
						}
						conn.Close()
					}()
				}
				if tt.media {
					conn.WriteMessage(websocket.BinaryMessage, chunks[0])
					conn.WriteMessage(websocket.BinaryMessage, chunks[1])
					conn.WriteMessage(websocket.BinaryMessage, chunks[2])
				}
				if tt.say != "" {
					conn.WriteMessage(websocket.TextMessage, []byte(tt.say))
				}
				gone := func() bool { return strings.Contains(log.String(), "publisher gone") }
				time.Sleep(tt.after - time.Second) // the bubble's clock
				synctest.Wait()
				if gone() {
					t.Fatalf("given up before %v:\n%s", tt.after, log)
				}
				time.Sleep(tt.most - tt.after + time.Second)
				synctest.Wait()
				if !gone() || !strings.Contains(log.String(), tt.reason) || len(hub.Streams()) != 0 {
					t.Errorf("after %v the log says:\n%s", tt.most, log)
				}
			})
		})
	}
}
