package ws

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm"
	"weir/sfu/sfutest"
)

// sockets returns a viewer that is not served, and the client's end of its socket.
func sockets(t *testing.T) (*viewer, *websocket.Conn) {
	t.Helper()
	e := &Endpoint{}
	conns := make(chan *websocket.Conn, 1)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := e.upgradeViewer(w, r)
		if err != nil {
			t.Error(err)
		}
		conns <- conn
	}))
	t.Cleanup(h.Close)
	client, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(h.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	v := e.newViewer("a/test")
	v.conn = <-conns
	t.Cleanup(func() { v.conn.Close() })
	v.pinged, v.due = time.Now(), time.NewTimer(pingInterval)
	t.Cleanup(func() { v.due.Stop() })
	return v, client
}

// TestWatchMessages: messages of all lengths arrive whole, in one frame each (the
// client's reader would not tell), and between what the WebSocket writes itself.
func TestWatchMessages(t *testing.T) {
	v, client := sockets(t)
	head := []byte("head")
	for _, n := range []int{0, 1, 121, 122, 1000, 1<<16 - 5, 1<<16 - 4, 1<<20 + 1} {
		shared := bytes.Repeat([]byte{byte(n)}, n)
		sent := make(chan error, 1)
		go func() {
			v.frame = append(append(v.frame[:0], noFrameHead[:]...), head...)
			err := v.writeMessage(shared)
			if err == nil {
				err = v.sendEvent(event{Type: "waiting"})
			}
			sent <- err
		}()
		kind, got, err := client.ReadMessage()
		if err != nil || kind != websocket.BinaryMessage || !bytes.Equal(got, append(bytes.Clone(head), shared...)) {
			t.Fatalf("%d bytes: %d came, kind %d, %v", n, len(got), kind, err)
		}
		if kind, got, err = client.ReadMessage(); kind != websocket.TextMessage || string(got) != "{\"type\":\"waiting\"}\n" {
			t.Fatalf("%d bytes: then %q, %v", n, got, err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
}

// TestWatchMessageIsOneFrame reads the frames themselves.
func TestWatchMessageIsOneFrame(t *testing.T) {
	v, client := sockets(t)
	u := unit{Unit: webm.Unit{Blocks: make([]byte, 20000)}}
	if err := v.sendUnit(&u, true); err != nil {
		t.Fatal(err)
	}
	want := 4 + clusterHeadSize + len(u.Blocks) // RFC 6455 section 5.2
	got := make([]byte, want)
	if _, err := io.ReadFull(client.NetConn(), got); err != nil {
		t.Fatal(err)
	}
	if got[0] != 0x82 || got[1] != 126 || int(got[2])<<8+int(got[3]) != want-4 {
		t.Errorf("it begins with % x", got[:4])
	}
}

// TestWatchSendAllocatesNothing: 300 viewers get 30 messages a second each.
func TestWatchSendAllocatesNothing(t *testing.T) {
	v, client := sockets(t)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, client.NetConn())
	}()
	u := unit{Unit: webm.Unit{Key: true, Begins: true, Blocks: make([]byte, 10000)}}
	n := testing.AllocsPerRun(200, func() {
		if err := v.sendUnit(&u, true); err != nil {
			t.Fatal(err)
		}
	})
	v.conn.Close()
	<-read
	if n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
}

// TestWatchAnswers: pings and a goodbye are answered.
func TestWatchAnswers(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/pings", sfutest.Clip{KeyEvery: 10})
	w := s.watch("a/pings", `{"type":"hello"}`)
	pongs := make(chan string, 1)
	w.conn.SetPongHandler(func(data string) error {
		pongs <- data
		return nil
	})
	for _, said := range []string{"one", "two", ""} {
		b.write(b.at + 400*time.Millisecond)
		if err := w.conn.WriteControl(websocket.PingMessage, []byte(said), time.Now().Add(watchPatience)); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-pongs:
			if got != said {
				t.Errorf("the answer to %q is %q", said, got)
			}
		case <-time.After(watchPatience):
			t.Fatal("no answer")
		}
	}
	w.numbers(20)
	goodbye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	if err := w.conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(watchPatience)); err != nil {
		t.Fatal(err)
	}
	<-w.done
	if !websocket.IsCloseError(w.err, websocket.CloseNormalClosure) {
		t.Errorf("the answer to a goodbye is %v", w.err)
	}
}

// TestWatchCutShort: a client that has got half a message gets nothing behind it.
func TestWatchCutShort(t *testing.T) {
	v, client := sockets(t)
	_ = v.conn.NetConn().SetWriteDeadline(time.Now().Add(-time.Second))
	v.armed = time.Now()
	u := unit{Unit: webm.Unit{Blocks: make([]byte, 100)}}
	if err := v.sendUnit(&u, true); err == nil || !v.broken {
		t.Fatalf("sent after the deadline, broken %v", v.broken)
	}
	close(v.read)
	v.close(errGone)
	if got, err := io.ReadAll(client.NetConn()); len(got) != 0 {
		t.Errorf("% x, %v", got, err)
	}
}
