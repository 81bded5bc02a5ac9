package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/signaling"
)

// TestRecordParameter: ?record= means the same on every way in, and nothing goes live
// when it means nothing.
func TestRecordParameter(t *testing.T) {
	s := startServer(t)
	api := peertest.NewAPI(t, peertest.Options{})
	sender := api.NewClient(t)
	sender.Send(t, media.Opus)
	offer := sender.Offer(t)
	whip := func(path string) (int, string) { return offerTo(t, s.url+path, offer) }
	socket := func(path string) (int, string) {
		conn, status, body := dialSocket(t, s.url+path)
		if conn == nil {
			return status, body
		}
		// Clients of amLive are publishers from their first bytes on.
		if err := conn.WriteMessage(websocket.BinaryMessage, []byte{0x1a, 0x45, 0xdf, 0xa3}); err != nil {
			t.Fatal(err)
		}
		return http.StatusOK, ""
	}
	var routes []wayIn
	for _, route := range s.app.routes.All() {
		switch {
		case route.Methods[http.MethodPost] == signaling.Publish:
			routes = append(routes, wayIn{route.Pattern, whip})
		case route.Methods[http.MethodGet] == signaling.Publish, route.Methods[http.MethodGet] == signaling.Connect:
			routes = append(routes, wayIn{route.Pattern, socket})
		default:
			s.ignoresRecord(t, route)
		}
	}
	if len(routes) < 6 {
		t.Fatalf("there are %d ways in", len(routes))
	}
	n := 0
	for _, route := range routes {
		for value, want := range map[string]string{
			"absent": "yes", "1": "yes", "true": "yes", "yes": "yes", "on": "yes", "True": "yes",
			"0": "no", "false": "no", "no": "no", "off": "no", "FALSE": "no",
			"": "bad", "2": "bad", "t": "bad", "maybe": "bad", "false,": "bad",
		} {
			n++
			path := strings.NewReplacer("{name...}", fmt.Sprintf("s%d", n), "{$}", "").Replace(route.pattern)
			if value != "absent" {
				path += "?record=" + value
			}
			before := len(s.app.hub.Streams())
			status, body := route.post(path)
			if want == "bad" {
				var problem struct{ Title, Detail string }
				if err := json.Unmarshal([]byte(body), &problem); err != nil || status != http.StatusBadRequest || !strings.Contains(problem.Detail, "0, false, no, off") ||
					!strings.Contains(problem.Detail, "1, true, yes, on") {
					t.Errorf("%s: status %d, %s", path, status, body)
				}
				if after := len(s.app.hub.Streams()); after != before {
					t.Errorf("%s: a stream has gone live", path)
				}
				continue
			}
			if status >= http.StatusBadRequest {
				t.Errorf("%s: status %d, %s", path, status, body)
				continue
			}
			if got := s.newestStream(t, before); got != want {
				t.Errorf("%s: recorded: %s, want %s", path, got, want)
			}
		}
	}
}

// wayIn is a route on which something is published.
type wayIn struct {
	pattern string
	post    func(path string) (status int, body string)
}

// ignoresRecord: where nothing is published nobody reads the parameter.
func (s *testServer) ignoresRecord(t *testing.T, route signaling.Route) {
	t.Helper()
	path := strings.NewReplacer("{name...}", "nobody", "{id...}", "abc", "{id}", "abc", "{file}", "abc.webm", "{path...}", "client/index.js", "{$}", "").Replace(route.Pattern)
	status := func(path string) int {
		response, err := http.DefaultClient.Head(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if with, without := status(path+"?record=maybe"), status(path); with != without {
		t.Errorf("%s: status %d with ?record=maybe, %d without", path, with, without)
	}
}

// newestStream waits until there is a stream more than before, and returns whether
// it asks for a recording, as yes or no.
func (s *testServer) newestStream(t *testing.T, before int) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		streams := s.app.hub.Streams()
		if len(streams) <= before {
			continue
		}
		newest := streams[0]
		for _, i := range streams {
			if i.StartedAt.After(newest.StartedAt) {
				newest = i
			}
		}
		if newest.Record {
			return "yes"
		}
		return "no"
	}
	return "nothing"
}

// offerTo posts an offer, and returns the answer's status and body.
func offerTo(t *testing.T, url, offer string) (int, string) {
	t.Helper()
	response, err := http.Post(url, "application/sdp", strings.NewReader(offer))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// dialSocket opens a WebSocket, which ends with the test. Where that is refused it returns
// no connection, but the answer's status and body.
func dialSocket(t *testing.T, url string) (*websocket.Conn, int, string) {
	t.Helper()
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http"), nil)
	if err != nil {
		if response == nil {
			t.Fatalf("%s: %v", url, err)
		}
		body, _ := io.ReadAll(response.Body)
		return nil, response.StatusCode, string(body)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, http.StatusOK, ""
}
