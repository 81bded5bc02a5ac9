package ws_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"weir/signaling/ws"
)

// TestUploadEvents: what a client is told, and in which order.
func TestUploadEvents(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	_, chunks := sample(t, "av_ts100ms")
	u := s.publish(t, "acme/alice/desk?record=false")
	session := u.await(t, "session")
	if id, _ := session["id"].(string); len(id) < 26 || session["name"] != "acme/alice/desk" || session["watch"] != "/watch/acme/alice/desk" {
		t.Errorf("session: %v", session)
	}
	if e := u.await(t, "status"); e["state"] != "connecting" {
		t.Errorf("status: %v", e)
	}
	u.say(t, `{"type":"hello","client_id":"c1","machine":{"cores":4,"deep":{"er":[1,2]}}}`)
	u.say(t, `{"type":"hello","title":"港からの生中継","description":"a\nb"}`)
	for text, want := range map[string]string{
		`{"type":"hello","title":"` + strings.Repeat("🎬", 121) + `"}`: "bad title: it has 121 characters", `{"type":"hello","description":"\u0000"}`: "bad description: it has the control character U+0000",
	} {
		u.say(t, text)
		if e := u.await(t, "error"); !strings.HasPrefix(e["detail"].(string), want) {
			t.Errorf("%.60s: %v", text, e)
		}
	}
	u.say(t, `{"type":"start"}`)
	u.send(t, []byte{}, chunks[0])
	u.send(t, chunks[1:5]...)
	if e := u.await(t, "status"); e["state"] != "live" {
		t.Errorf("status: %v", e)
	}
	if i, err := s.hub.Stream("acme/alice/desk"); err != nil || i.Source != "websocket" || i.Record || i.Title != "港からの生中継" || i.Description != "a\nb" {
		t.Errorf("%+v, %v", i, err)
	}
	for _, tt := range []struct{ say, state string }{{"pause", "paused"}, {"resume", "live"}} {
		u.say(t, `{"type":"`+tt.say+`"}`)
		if e := u.await(t, "status"); e["state"] != tt.state {
			t.Errorf("%s: %v", tt.say, e)
		}
	}
	for _, text := range []string{`{"type":"dance"}`, `nonsense`, `[]`, `{}`, `{"type":7}`} {
		u.say(t, text)
		if e := u.await(t, "error"); e["title"] == "" || e["detail"] == "" {
			t.Errorf("%s: %v", text, e)
		}
	}
	u.send(t, chunks[5:]...)
	u.say(t, `{"type":"stop"}`)
	events, code, _ := u.rest(t)
	all := len(slices.Concat(chunks...))
	if code != websocket.CloseNormalClosure || len(events) < 2 || events[len(events)-1]["state"] != "ended" ||
		!slices.ContainsFunc(events, func(e map[string]any) bool { return e["bytes"] == float64(all) }) {
		t.Errorf("closed with %d after %v", code, events)
	}
}

// TestUploadRefused: what ends an upload, and what the client is told.
func TestUploadRefused(t *testing.T) {
	s := newUploadServer(t, ws.Config{MaxMessage: 1 << 20})
	_, av := sample(t, "av_ts100ms")
	_, a := sample(t, "a_only_2s")
	whole, sound := slices.Concat(av...), slices.Concat(a...)
	replace := func(old, new string) []byte {
		if !bytes.Contains(whole, []byte(old)) {
			t.Fatalf("no %q in the sample", old)
		}
		return bytes.ReplaceAll(whole, []byte(old), []byte(new))
	}
	void := slices.Concat(whole[:bytes.Index(whole, []byte{0x15, 0x49, 0xa9, 0x66})], bytes.Repeat(append([]byte{0xec, 0x47, 0xd0}, make([]byte, 2000)...), 40))
	for _, tt := range []struct {
		name  string
		send  [][]byte
		say   string
		times int
		code  int
		want  string // in the error event
	}{
		{name: "text for media", send: [][]byte{[]byte("hello, is this on?")}, code: 1003, want: "MediaRecorder"},
		{name: "MP4", send: [][]byte{[]byte("\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41")}, code: 1003, want: "MediaRecorder"},
		{name: "no header in 64 KiB", send: [][]byte{void}, code: 1003, want: "header"},
		{name: "unknown codecs", send: [][]byte{bytes.ReplaceAll(replace("V_VP8", "V_XXX"), []byte("A_OPUS"), []byte("A_YYYY"))}, code: 1003, want: `The media has "A_YYYY"; VP8, VP9, AV1`},
		{name: "track gone", send: [][]byte{whole, sound}, code: 1003, want: "opus and vp8"},
		{name: "track comes", send: [][]byte{sound, whole}, code: 1003, want: "The stream has opus"},
		{name: "message too large", send: [][]byte{slices.Concat(whole, []byte{0xec, 0x01, 0, 0, 0, 0, 0x7f, 0xff, 0xf0}, make([]byte, 1<<20))}, code: 1009, want: "1048576 bytes"},
		{name: "text too large", say: `{"type":"hello","machine":"` + strings.Repeat("x", 64<<10) + `"}`, times: 1, code: 1009, want: "65536 bytes"},
		{name: "flood", say: `{"type":"start"}`, times: 2000, code: 1008, want: "200 text messages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := s.publish(t, "refused")
			for _, b := range tt.send {
				u.conn.WriteMessage(websocket.BinaryMessage, b) // the server may be done before
			}
			for range tt.times {
				u.conn.WriteMessage(websocket.TextMessage, []byte(tt.say))
			}
			events, code, reason := u.rest(t)
			var said []string
			for _, e := range events {
				if e["type"] == "error" {
					said = append(said, e["title"].(string)+": "+e["detail"].(string))
				}
			}
			if code != tt.code || reason == "" || !strings.Contains(strings.Join(said, "\n"), tt.want) {
				t.Errorf("closed with %d %q after %q", code, reason, said)
			}
			awaitTrue(t, "the name is free", func() bool { return len(s.hub.Streams()) == 0 })
		})
	}
}

// TestUploadLargeMessage: a message of 64 MiB is a message like any other.
func TestUploadLargeMessage(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	path, chunks := sample(t, "av_ts100ms")
	const size = 0x7ffff0 // of a Void element, so that eight of them make 64 MiB
	void := append([]byte{0xec, 0x01, 0, 0, 0, 0, 0x7f, 0xff, 0xf0}, make([]byte, size)...)
	message := slices.Concat(slices.Concat(chunks...), slices.Repeat(void, 8))
	if len(message) < 64<<20 {
		t.Fatalf("the message has %d bytes", len(message))
	}
	u := s.publish(t, "a")
	u.send(t, message)
	u.awaitAccepted(t, len(message))
	u.leave(t)
	s.settle(t)
	got, _ := s.recording(t, "a")
	sameFrames(t, "64 MiB", probe(t, got), probe(t, path))
}

// TestUploadDamage: what is damaged is a gap, and the rest is used.
func TestUploadDamage(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	path, chunks := sample(t, "av_ts100ms")
	whole := slices.Concat(chunks...)
	cluster := bytes.Index(whole[100_000:], []byte{0x1f, 0x43, 0xb6, 0x75})
	clear(whole[100_000+cluster:][:300])
	u := s.publish(t, "a")
	u.send(t, whole)
	u.leave(t)
	s.settle(t)
	file, r := s.recording(t, "a")
	want, got := probe(t, path)["vp8"], probe(t, file)["vp8"]
	if len(got) < len(want)*8/10 || len(got) >= len(want) || len(r.Gaps) == 0 || got[len(got)-1].hash != want[len(want)-1].hash {
		t.Errorf("%d of %d pictures are recorded, with gaps %v", len(got), len(want), r.Gaps)
	}
	if !strings.Contains(s.logged(t, "a"), "damaged=") || strings.Contains(s.logged(t, "a"), "damaged=0") {
		t.Errorf("the log says %s", s.logged(t, "a"))
	}
}

// TestUploadNotUpgraded: what is answered over HTTP.
func TestUploadNotUpgraded(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	s.publish(t, "taken")
	check := func(what, path string, upgrade bool, status int) {
		t.Helper()
		var response *http.Response
		var err error
		if upgrade {
			_, response, err = websocket.DefaultDialer.DialContext(t.Context(), s.url+path, http.Header{"Origin": {"https://example.org"}})
		} else {
			response, err = http.Get("http" + strings.TrimPrefix(s.url, "ws") + path)
		}
		if response == nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer response.Body.Close()
		var p struct{ Title, Detail string }
		json.NewDecoder(response.Body).Decode(&p)
		if response.StatusCode != status || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: status %d, %+v", what, response.StatusCode, p)
		}
	}
	check("taken", "/ws/publish/taken", true, http.StatusConflict)
	check("bad name", "/ws/publish/.a", true, http.StatusBadRequest)
	check("no name", "/ws/publish/", true, http.StatusBadRequest)
	check("no WebSocket", "/ws/publish/a", false, http.StatusUpgradeRequired)
	if streams := s.hub.Streams(); len(streams) != 1 {
		t.Errorf("streams: %v", streams)
	}
	s.shutdown(t)
	check("shutdown", "/ws/publish/b", true, http.StatusServiceUnavailable)
}

// TestUploadShutdown: a client is told, and what it sent is in the file.
func TestUploadShutdown(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	path, chunks := sample(t, "av_request")
	u := s.publish(t, "a")
	u.send(t, chunks...)
	u.awaitAccepted(t, len(slices.Concat(chunks...)))
	s.shutdown(t)
	events, code, _ := u.rest(t)
	if code != websocket.CloseGoingAway || !slices.ContainsFunc(events, func(e map[string]any) bool { return e["title"] == "Shutting down" }) {
		t.Errorf("closed with %d after %v", code, events)
	}
	got, _ := s.recording(t, "a")
	sameFrames(t, "shutdown", probe(t, got), probe(t, path))
}
