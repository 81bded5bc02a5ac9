package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// checkDescribe: what is said of the live stream a/b is changed over HTTP.
func checkDescribe(t *testing.T, h http.Handler) {
	t.Helper()
	const path = "/api/v1/streams/a/b"
	if got := send(t, h, "PATCH", path, `{"title":"<i>&\u202fx","description":"a\nb"}`, 200); got["title"] != "<i>&\u202fx" || got["description"] != "a\nb" || got["name"] != "a/b" {
		t.Errorf("the answer is %v", got)
	}
	// Two code units for each, as some programs write what is not ASCII.
	film := strings.Repeat(`\ud83c\udfac`, 120)
	send(t, h, "PATCH", path, `{"title":"`+film+`","description":"`+strings.Repeat(`\ud83c\udfac`, 2000)+`"}`, 200)
	if got := get[object](t, h, "GET", path, 200); got["title"] != strings.Repeat("🎬", 120) {
		t.Errorf("the title is %v", got["title"])
	}
	for body, want := range map[string]string{
		`{"title":"` + film + `!"}`: "it has 121 characters, at most 120", `{"title":"a\nb"}`: "U+000A", `{"title":"a\u0000b"}`: "U+0000",
		`{"description":"a\u001bb"}`: "U+001B", `{"description":"` + strings.Repeat("a", 2001) + `"}`: "at most 2000",
		`{"title":7}`: "JSON", `{}`: `{"title":"text"}`, `{"title":null}`: `{"title":"text"}`,
	} {
		if got := send(t, h, "PATCH", path, body, 400); !strings.Contains(got["detail"].(string), want) {
			t.Errorf("%.40s: %v, want %q", body, got, want)
		}
	}
	send(t, h, "PATCH", path, `{"title":"x"}`, 403, "Sec-Fetch-Site: cross-site")
	send(t, h, "PATCH", "/api/v1/streams/nobody", `{"title":"x"}`, 404)
	send(t, h, "PATCH", path, `{"title":"港からの生中継","description":"a\nb"}`, 200)
	for _, list := range []string{"/api/v1/streams", "/api/v1/streams?name=a/b"} {
		if got := get[struct{ Streams []object }](t, h, "GET", list, 200).Streams; len(got) != 1 || got[0]["title"] != "港からの生中継" {
			t.Errorf("%s: %v", list, got)
		}
	}
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
		{strings.Repeat(" ", 70_000), 413, ""},
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
	checkDescribe(t, h)
	send(t, h, "POST", "/api/v1/streams/nobody/recording", `{"action":"stop"}`, 404)
	send(t, h, "POST", path, `{"action":"stop"}`, 200)
	cancel()
	<-done

	list := get[struct{ Recordings []object }](t, h, "GET", "/api/v1/recordings?state=finished&prefix=a", 200).Recordings
	if len(list) != 1 || list[0]["metadata"].(object)["k"] != "v" || list[0]["quality"].(object)["verdict"] != "clean" {
		t.Fatalf("recordings %v", list)
	}
	for query, want := range map[string]int{"search=" + url.QueryEscape("生中継"): 1, "search=A%2FB&quality=repaired,clean": 1, "quality=poor": 0, "search=nobody": 0} {
		if got := get[struct{ Recordings []object }](t, h, "GET", "/api/v1/recordings?"+query, 200).Recordings; len(got) != want {
			t.Errorf("%s: %d recordings, want %d", query, len(got), want)
		}
	}
	one := "/api/v1/recordings/" + list[0]["id"].(string)
	send(t, h, "PATCH", one, `{"metadata":{"k":"w"}}`, 200)
	if got := get[object](t, h, "GET", one, 200); got["metadata"].(object)["k"] != "w" || got["title"] != "港からの生中継" || got["description"] != "a\nb" {
		t.Errorf("the recording is %v", got)
	}
	send(t, h, "PATCH", one, `{"title":"بثّ","description":""}`, 200)
	if got := get[object](t, h, "GET", one, 200); got["metadata"].(object)["k"] != "w" || got["title"] != "بثّ" || got["description"] != nil {
		t.Errorf("the recording is %v", got)
	}
	if got := send(t, h, "PATCH", one, `{"title":"`+strings.Repeat("🎬", 121)+`"}`, 400); got["title"] != "Bad title" {
		t.Errorf("a long title: %v", got)
	}
	send(t, h, "PATCH", one, `{}`, 400)
	send(t, h, "PATCH", one, `{"title":"x"}`, 403, "Sec-Fetch-Site: cross-site")
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
