package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/sfu"
)

// send returns the JSON of the answer to a request with a body, which has that
// status.
func send(t *testing.T, h http.Handler, method, path, body string, status int, headers ...string) (value object) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for _, header := range headers {
		name, text, _ := strings.Cut(header, ": ")
		r.Header.Set(name, text)
	}
	h.ServeHTTP(w, r)
	if w.Code != status {
		t.Errorf("%s %s %s: status %d, want %d: %s", method, path, body, w.Code, status, w.Body)
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
			t.Errorf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return value
}

// TestControl: a live stream's recording is started and stopped over HTTP, and
// listeners are told.
func TestControl(t *testing.T) {
	h, hub := newAPI(t, 0)
	served := httptest.NewServer(h)
	defer served.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, served.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	listening, err := served.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Body.Close()
	if kind := listening.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("events are %s", kind)
	}

	pub, err := hub.Publish("a/b", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	src, ctx, cancel := source{make(chan struct{})}, t.Context(), context.CancelFunc(nil)
	ctx, cancel = context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pub.Run(ctx, src)
	}()
	<-src.live
	const path = "/api/v1/streams/a/b/recording"
	send(t, h, "POST", path, `{"action":"pause"}`, 409)
	send(t, h, "POST", path, `{"action":"start","metadata":{"k":"v"}}`, 200)
	// A start is in force at once; the file is there when the recorder has read the
	// stream. What is asked before that is about a recording without a frame.
	for get[object](t, h, "GET", "/api/v1/streams/a/b", 200)["recording_status"].(object)["id"] == nil {
		time.Sleep(time.Millisecond)
	}
	for _, tt := range []struct {
		body   string
		status int
		state  string
	}{
		{`{"action":"start"}`, 200, "recording"}, {`{"action":"pause"}`, 200, "paused"},
		{`{"action":"resume"}`, 200, "recording"}, {`{"action":"dance"}`, 400, ""}, {`[]`, 400, ""}, {`{"action":"start","metadata":{"k":"` + strings.Repeat("x", 5000) + `"}}`, 400, ""},
		{strings.Repeat(" ", 20_000), 413, ""},
	} {
		if got := send(t, h, "POST", path, tt.body, tt.status); tt.state != "" && got["state"] != tt.state {
			t.Errorf("%s: %v", tt.body, got)
		}
	}
	// A page of another origin may look, and not touch.
	send(t, h, "POST", path, `{"action":"stop"}`, 403, "Sec-Fetch-Site: cross-site")
	send(t, h, "POST", path, `{"action":"stop"}`, 403, "Origin: https://elsewhere.example")
	if got := get[object](t, h, "GET", "/api/v1/streams/a/b", 200)["recording_status"].(object); got["state"] != "recording" {
		t.Errorf("the stream says %v", got)
	}
	send(t, h, "POST", "/api/v1/streams/nobody/recording", `{"action":"stop"}`, 404)
	send(t, h, "POST", path, `{"action":"stop"}`, 200)
	cancel()
	<-done

	list := get[struct{ Recordings []object }](t, h, "GET", "/api/v1/recordings?state=finished&prefix=a", 200).Recordings
	if len(list) != 1 || list[0]["metadata"].(object)["k"] != "v" || list[0]["quality"].(object)["verdict"] != "clean" {
		t.Fatalf("recordings %v", list)
	}
	one := "/api/v1/recordings/" + list[0]["id"].(string)
	send(t, h, "PATCH", one, `{"metadata":{"k":"w"}}`, 200)
	if got := get[object](t, h, "GET", one, 200); got["metadata"].(object)["k"] != "w" {
		t.Errorf("the recording is %v", got)
	}
	send(t, h, "DELETE", one, "", 403, "Sec-Fetch-Site: cross-site")
	send(t, h, "DELETE", one, "", 204)
	send(t, h, "DELETE", one, "", 404)

	var events, ids []string
	lines := bufio.NewScanner(listening.Body)
	for len(events) == 0 || events[len(events)-1] != "recording.deleted" {
		if !lines.Scan() {
			t.Fatalf("the events end after %v: %v", events, lines.Err())
		}
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			ids = append(ids, id)
		}
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			events = append(events, kind)
		}
	}
	want := []string{"recording.started", "recording.paused", "recording.resumed", "recording.finished", "recording.deleted"}
	if !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}

	// Who comes back gets what it has missed.
	again := request.Clone(t.Context())
	again.Header.Set("Last-Event-ID", ids[2])
	back, err := served.Client().Do(again)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Body.Close()
	for lines := bufio.NewScanner(back.Body); lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			if id != ids[3] {
				t.Errorf("the first event after %s is %s, want %s", ids[2], id, ids[3])
			}
			break
		}
	}
}
