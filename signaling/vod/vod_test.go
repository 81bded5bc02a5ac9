package vod_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/recorder"
	"weir/sfu/sfutest"
	"weir/signaling"
	"weir/signaling/vod"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

const (
	finishedID = "aaaaaaaaaaaaaaaa"
	growingID  = "bbbbbbbbbbbbbbbb"
	goneID     = "cccccccccccccccc"
	picturedID = "dddddddddddddddd"
)

// content is what a recording holds; nobody reads it as WebM here.
var content = bytes.Repeat([]byte("0123456789"), 1000)

// newServer serves a folder with a finished recording, one whose file is still
// open, one whose file is gone, and one with a picture.
func newServer(t *testing.T) (url, dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(id, stream, state, suffix string, more ...string) {
		base := filepath.Join(dir, stream, "20260102T030405Z-"+id)
		sidecar := fmt.Sprintf(`{"id":%q,"stream":%q,"state":%q,"started_at":"2026-01-02T03:04:05Z","gaps":[]%s}`, id, stream, state, strings.Join(more, ""))
		for name, data := range map[string][]byte{base + ".json": []byte(sidecar), base + suffix: content} {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(finishedID, "acme/alice/desk", "finished", ".webm")
	write(growingID, "live", "interrupted", ".webm.part")
	write(goneID, "gone", "finished", ".webm")
	write(picturedID, "pictured", "finished", ".webm", `,"poster_bytes":9,"poster_at_ms":2000`)
	if err := os.WriteFile(filepath.Join(dir, "pictured", "20260102T030405Z-"+picturedID+".jpg"), content[:9], 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := recorder.New(recorder.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "gone", "20260102T030405Z-"+goneID+".webm")); err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	vod.Register(mux, r, func(w http.ResponseWriter, _ *http.Request, i signaling.Intent) {
		fmt.Fprint(w, i.Action, " of ", i.Recording)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() { s.Close(); s.Client().CloseIdleConnections(); r.Close() })
	return s.URL, dir
}

// do sends a request. A header is "Name: value".
func do(t *testing.T, method, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// TestPage: an id alone is the recording's page, which asks for no file.
func TestPage(t *testing.T) {
	url, _ := newServer(t)
	for _, id := range []string{finishedID, "none"} {
		if r, body := do(t, "GET", url+"/recordings/"+id); r.StatusCode != 200 || string(body) != "page.read of "+id {
			t.Errorf("%s: %s, %q", id, r.Status, body)
		}
	}
	if r, _ := do(t, "OPTIONS", url+"/recordings/"+finishedID); r.StatusCode != 204 {
		t.Errorf("OPTIONS: %s", r.Status)
	}
	if r, _ := do(t, "DELETE", url+"/recordings/"+finishedID); r.StatusCode != 405 {
		t.Errorf("DELETE: %s", r.Status)
	}
}

// TestRanges: RFC 9110 section 14, as players and download managers use it.
func TestRanges(t *testing.T) {
	url, _ := newServer(t)
	url += "/recordings/" + finishedID + ".webm"
	whole, body := do(t, "GET", url)
	tag := whole.Header.Get("ETag")
	if whole.StatusCode != 200 || !bytes.Equal(body, content) || whole.Header.Get("Content-Type") != "video/webm" ||
		whole.Header.Get("Accept-Ranges") != "bytes" || !strings.HasPrefix(tag, `"`) || whole.Header.Get("Last-Modified") == "" {
		t.Fatalf("status %d, %d bytes, %v", whole.StatusCode, len(body), whole.Header)
	}
	for _, tt := range []struct {
		name, headers string
		status        int
		contentRange  string
		body          []byte
	}{
		{"first bytes", "Range: bytes=0-9", 206, "bytes 0-9/10000", content[:10]},
		{"from the middle on", "Range: bytes=9995-", 206, "bytes 9995-9999/10000", content[9995:]},
		{"last bytes", "Range: bytes=-3", 206, "bytes 9997-9999/10000", content[9997:]},
		{"beyond the end", "Range: bytes=9990-20000", 206, "bytes 9990-9999/10000", content[9990:]},
		{"behind the end", "Range: bytes=10000-", 416, "bytes */10000", nil},
		{"several: ignored", "Range: bytes=0-1,4-5", 200, "", content},
		{"other unit: ignored", "Range: frames=0-9", 200, "", content},
		{"same tag", "If-None-Match: " + tag, 304, "", nil},
		{"other tag", `If-None-Match: "x"`, 200, "", content},
		{"range of this version", "Range: bytes=0-1\nIf-Range: " + tag, 206, "bytes 0-1/10000", content[:2]},
		{"range of another version", "Range: bytes=0-1\nIf-Range: \"x\"", 200, "", content},
		{"precondition", `If-Match: "x"`, 412, "", nil},
	} {
		r, body := do(t, "GET", url, strings.Split(tt.headers, "\n")...)
		if tt.status == 416 || tt.status == 412 {
			body = nil // a text for people
		}
		if r.StatusCode != tt.status || tt.contentRange != "" && r.Header.Get("Content-Range") != tt.contentRange || !bytes.Equal(body, tt.body) {
			t.Errorf("%s: status %d, %q, %d bytes", tt.name, r.StatusCode, r.Header.Get("Content-Range"), len(body))
		}
	}
	if r, body := do(t, "HEAD", url); r.StatusCode != 200 || r.ContentLength != int64(len(content)) || len(body) != 0 {
		t.Errorf("HEAD: status %d, length %d", r.StatusCode, r.ContentLength)
	}
	if r, _ := do(t, "OPTIONS", url); r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: status %d, %v", r.StatusCode, r.Header)
	}
}

// TestNotServed: what is no recording, and attempts to read other files.
func TestNotServed(t *testing.T) {
	url, _ := newServer(t)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/recordings/unknown.webm", 404},
		{"GET", "/recordings/" + goneID + ".webm", 404},
		{"GET", "/recordings/" + finishedID + ".json", 404},
		{"GET", "/recordings/" + finishedID + ".jpg", 404},
		{"GET", "/recordings/unknown.jpg", 404},
		{"GET", "/recordings/" + finishedID + ".webm.part", 404},
		{"GET", "/recordings/.webm", 404},
		{"GET", "/recordings/..%2f..%2fetc%2fpasswd.json", 404},
		{"GET", "/recordings/..%2f..%2fetc%2fpasswd.webm", 404},
		{"GET", "/recordings/acme%2falice%2fdesk%2f20260102T030405Z-" + finishedID + ".webm", 404},
		{"GET", "/recordings/%00.webm", 404},
		{"GET", "/recordings/%2e%2e.webm", 404},
		{"POST", "/recordings/" + finishedID + ".webm", 405},
		{"DELETE", "/recordings/" + finishedID + ".webm", 405},
	} {
		r, body := do(t, tt.method, url+tt.path)
		var p struct{ Title, Detail string }
		if err := json.Unmarshal(body, &p); r.StatusCode != tt.status || err != nil || p.Detail == "" || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: status %d, %s: %s", tt.method, tt.path, r.StatusCode, r.Header.Get("Content-Type"), body)
		}
	}
	if r, _ := do(t, "GET", url+"/recordings/../../etc/passwd"); r.StatusCode == 200 {
		t.Errorf("path that is cleaned: status %d", r.StatusCode)
	}
}

func TestDownload(t *testing.T) {
	url, _ := newServer(t)
	r, body := do(t, "GET", url+"/recordings/"+finishedID+".webm?download")
	want := `attachment; filename="acme-alice-desk-20260102-030405.webm"`
	if got := r.Header.Get("Content-Disposition"); got != want || !bytes.Equal(body, content) {
		t.Errorf("Content-Disposition is %s, want %s", got, want)
	}
	if r, _ := do(t, "GET", url+"/recordings/"+finishedID+".webm"); r.Header.Get("Content-Disposition") != "" {
		t.Error("without ?download it is not to be saved")
	}
}

// TestPoster: a recording's picture has a type and a tag; its address with ?v= is another
// one for another picture, and may be kept.
func TestPoster(t *testing.T) {
	url, dir := newServer(t)
	if r, body := do(t, "GET", url+"/recordings/"+finishedID+".jpg"); r.StatusCode != 404 || !bytes.Contains(body, []byte("No poster")) {
		t.Errorf("a recording without one: %s, %s", r.Status, body)
	}
	at := url + "/recordings/" + picturedID + ".jpg"
	r, body := do(t, "GET", at)
	tag := r.Header.Get("ETag")
	if r.StatusCode != 200 || !bytes.Equal(body, content[:9]) || r.Header.Get("Content-Type") != "image/jpeg" || len(tag) < 10 || r.Header.Get("Cache-Control") != "max-age=30" {
		t.Errorf("GET: %s, %q, %v", r.Status, body, r.Header)
	}
	if r, body = do(t, "HEAD", at); r.StatusCode != 200 || len(body) != 0 || r.ContentLength != 9 {
		t.Errorf("HEAD: %s, %d bytes, %v", r.Status, len(body), r.Header)
	}
	if r, body = do(t, "GET", at, "If-None-Match: "+tag); r.StatusCode != 304 || len(body) != 0 {
		t.Errorf("If-None-Match: %s, %d bytes", r.Status, len(body))
	}
	if r, _ = do(t, "GET", at+"?v=7d0-9"); r.StatusCode != 200 || r.Header.Get("Cache-Control") != "max-age=3600, immutable" {
		t.Errorf("the address of this one: %s, %v", r.Status, r.Header)
	}
	if r, _ = do(t, "GET", at+"?v=0-9"); r.StatusCode != 200 || r.Header.Get("Cache-Control") != "max-age=30" {
		t.Errorf("the address of an older one: %s, %v", r.Status, r.Header)
	}
	if err := os.Remove(filepath.Join(dir, "pictured", "20260102T030405Z-"+picturedID+".jpg")); err != nil {
		t.Fatal(err)
	}
	if r, _ = do(t, "GET", at); r.StatusCode != 404 {
		t.Errorf("one that somebody has removed: %s", r.Status)
	}
}

// TestGrowingFile: a recording that goes on is served as far as it goes; what was
// fetched of it is not mixed with what comes later.
func TestGrowingFile(t *testing.T) {
	url, dir := newServer(t)
	url += "/recordings/" + growingID + ".webm"
	before, body := do(t, "GET", url)
	if before.StatusCode != 200 || !bytes.Equal(body, content) {
		t.Fatalf("status %d, %d bytes", before.StatusCode, len(body))
	}
	f, err := os.OpenFile(filepath.Join(dir, "live", "20260102T030405Z-"+growingID+".webm.part"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("more"); err != nil {
		t.Fatal(err)
	}
	tag := before.Header.Get("ETag")
	after, body := do(t, "GET", url, "If-None-Match: "+tag)
	if after.StatusCode != 200 || len(body) != len(content)+4 || after.Header.Get("ETag") == tag {
		t.Errorf("after it grew: status %d, %d bytes, tag %s after %s", after.StatusCode, len(body), after.Header.Get("ETag"), tag)
	}
	rest, body := do(t, "GET", url, fmt.Sprintf("Range: bytes=%d-", len(content)), "If-Range: "+tag)
	if rest.StatusCode != 200 || len(body) != len(content)+4 {
		t.Errorf("the rest of another version: status %d, %d bytes", rest.StatusCode, len(body))
	}
	rest, body = do(t, "GET", url, fmt.Sprintf("Range: bytes=%d-", len(content)))
	if rest.StatusCode != 206 || string(body) != "more" {
		t.Errorf("what has come since: status %d, %q", rest.StatusCode, body)
	}
	// Finished, it has its other name; its URL stays.
	base := filepath.Join(dir, "live", "20260102T030405Z-"+growingID+".webm")
	if err := os.Rename(base+".part", base); err != nil {
		t.Fatal(err)
	}
	if r, body := do(t, "GET", url); r.StatusCode != 200 || len(body) != len(content)+4 {
		t.Errorf("renamed: status %d, %d bytes", r.StatusCode, len(body))
	}
}
