package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/signaling/session"
)

// TestReplaces: ?replaces= means the same whatever the old session and the new one come
// over: a publisher of that name gives way, and nobody else does.
func TestReplaces(t *testing.T) {
	s := startServer(t)
	client := peertest.NewAPI(t, peertest.Options{}).NewClient(t)
	client.Send(t, media.Opus)
	offer := client.Offer(t)
	// Each way to publish returns the status and the new session's id.
	ways := map[string]func(t *testing.T, target string) (status int, id string){
		"whip": func(t *testing.T, target string) (int, string) {
			response, err := http.Post(s.url+"/whip/"+target, "application/sdp", strings.NewReader(offer))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
			return response.StatusCode, strings.TrimPrefix(response.Header.Get("Location"), "/session/")
		},
		"websocket": func(t *testing.T, target string) (int, string) {
			return s.publishBySocket(t, "/ws/publish/"+target)
		},
		"node-videostream": func(t *testing.T, target string) (int, string) {
			return s.publishBySocket(t, "/compat/node-videostream/chunk-in/"+target)
		},
	}
	for old, publishOld := range ways {
		for next, publishNext := range ways {
			t.Run(old+" to "+next, func(t *testing.T) {
				name := old + "/" + next
				status, id := publishOld(t, name)
				if status >= 300 {
					t.Fatalf("the old one: status %d", status)
				}
				if id == "" { // old clients are not told
					id = s.publisherOf(t, name).ID
				}
				if status, other := publishOld(t, name+"/other"); status >= 300 || other == id {
					t.Fatalf("the one of another name: status %d", status)
				}
				for what, given := range map[string]string{
					"none": "", "nobody's": "?replaces=nobody", "of another name": "?replaces=" + s.publisherOf(t, name+"/other").ID,
				} {
					if status, _ := publishNext(t, name+given); status != http.StatusConflict {
						t.Errorf("id %s: status %d, want 409", what, status)
					}
				}
				if s.publisherOf(t, name).ID != id || s.publisherOf(t, name+"/other").Name != name+"/other" {
					t.Error("a session was ended that nobody has named")
				}
				if status, _ := publishNext(t, name+"?replaces="+id); status >= 300 {
					t.Errorf("its own: status %d", status)
				}
				want := session.WebSocket
				if next == "whip" {
					want = session.WebRTC
				}
				if now := s.publisherOf(t, name); now.ID == id || now.Transport != want || now.Wire != next {
					t.Errorf("the publisher is %+v", now)
				}
				if s.app.sessions.Find(id) != nil {
					t.Error("the old session is there still")
				}
			})
		}
	}
}

// publishBySocket opens a WebSocket to publish, and returns the id that it is told.
func (s *testServer) publishBySocket(t *testing.T, path string) (status int, id string) {
	t.Helper()
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+path, nil)
	if err != nil {
		if response == nil {
			t.Fatal(err)
		}
		return response.StatusCode, ""
	}
	t.Cleanup(func() { conn.Close() })
	if !strings.HasPrefix(path, "/ws/") {
		return http.StatusOK, ""
	}
	var told struct{ Type, ID string }
	if err := conn.ReadJSON(&told); err != nil || told.Type != "session" {
		t.Fatalf("%+v, %v", told, err)
	}
	return http.StatusOK, told.ID
}

// publisherOf returns the session that publishes under a name.
func (s *testServer) publisherOf(t *testing.T, name string) session.Snapshot {
	t.Helper()
	var found []session.Snapshot
	for _, snapshot := range s.app.sessions.Sessions() {
		if snapshot.Role == session.Publisher && snapshot.Name == name {
			found = append(found, snapshot)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d sessions publish %s: %+v", len(found), name, found)
	}
	return found[0]
}
