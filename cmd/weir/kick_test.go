package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/signaling/session"
)

// TestKicked: the registry ends any session with a reason, and its client is told.
func TestKicked(t *testing.T) {
	s := startServer(t)
	client := peertest.NewAPI(t, peertest.Options{}).NewClient(t)
	client.Send(t, media.Opus)
	whip := func(name string) func(t *testing.T) string {
		response, err := http.Post(s.url+"/whip/"+name, "application/sdp", strings.NewReader(client.Offer(t)))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return func(t *testing.T) string {
			response, err := http.Get(s.url + response.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			return response.Status + " " + string(body)
		}
	}
	socket := func(path string) func(t *testing.T) string {
		conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+path, nil)
		if err != nil {
			t.Fatal(err, response)
		}
		t.Cleanup(func() { conn.Close() })
		return func(t *testing.T) string {
			for told := ""; ; {
				_, message, err := conn.ReadMessage()
				if err != nil {
					return told + err.Error()
				}
				told += string(message) + "\n"
			}
		}
	}
	for what, begin := range map[string]func() func(*testing.T) string{
		"410 of WHIP":                     func() func(*testing.T) string { return whip("a") },
		"1008 of an upload":               func() func(*testing.T) string { return socket("/ws/publish/b") },
		"1008 of a viewer":                func() func(*testing.T) string { return socket("/ws/watch/c") },
		"1008 of an undecided old client": func() func(*testing.T) string { return socket("/compat/amlive/ws") },
	} {
		told := begin()
		running := s.app.sessions.Sessions()
		if len(running) != 1 || running[0].Started.Before(time.Now().Add(-time.Minute)) || !strings.HasPrefix(running[0].Address, "127.0.0.1:") || running[0].Client == "" {
			t.Fatalf("%s: the sessions are %+v", what, running)
		}
		one := s.app.sessions.Find(running[0].ID)
		if !s.app.sessions.End(running[0].ID, session.ErrKicked) {
			t.Fatalf("%s: there is none", what)
		}
		code, _, _ := strings.Cut(what, " ")
		<-one.Over()
		if got := told(t); !strings.Contains(got, code) || !strings.Contains(got, "operator") {
			t.Errorf("%s: the client is told %q", what, got)
		}
	}
	if live := s.app.hub.Streams(); len(live) != 0 {
		t.Errorf("there are streams %+v", live)
	}
}
