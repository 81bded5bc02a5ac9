package web

import (
	"bytes"
	"html"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	metaTag  = regexp.MustCompile(`<meta (?:property|name)="((?:og:|twitter:)[a-z:_]+|description)" content="([^"]*)">`)
	titleTag = regexp.MustCompile(`<title>([^<]*)</title>`)
)

// headAt returns what the head of a page tells, and the answer. A nil describe knows the
// place of the server alone.
func headAt(t *testing.T, method, target string, describe Describe, header ...string) (map[string]string, *http.Response) {
	t.Helper()
	if describe == nil {
		describe = func(Subject) Head { return Head{Origin: "https://live.example/media"} }
	}
	mux := http.NewServeMux()
	for pattern, page := range routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { page(w, r, describe) })
	}
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	body := w.Body.Bytes()
	answer := w.Result()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	told := map[string]string{}
	for _, m := range metaTag.FindAllSubmatch(body, -1) {
		if _, twice := told[string(m[1])]; twice {
			t.Errorf("%s tells %s twice", target, m[1])
		}
		told[string(m[1])] = html.UnescapeString(string(m[2]))
	}
	if m := titleTag.FindSubmatch(body); m != nil {
		told["title"] = html.UnescapeString(string(m[1]))
	}
	return told, answer
}

// TestHeads: what a link's preview says, by what is known of the broadcast.
func TestHeads(t *testing.T) {
	own := "https://live.example/media/static/" + embedded().version + "/img/preview.png"
	for _, tt := range []struct {
		name, target string
		subject      Subject
		head         Head
		want         map[string]string
	}{
		{"a page of no broadcast", "/publish", Subject{}, Head{Origin: "http://h:8080"}, map[string]string{
			"title": "Go live: weir", "og:title": "Go live", "og:type": "website", "og:url": "http://h:8080/publish",
			"description": "Broadcast from your camera or your screen.", "twitter:card": "summary_large_image"}},
		{"a stream of which its name is known", "/watch/acme/desk", Subject{Stream: "acme/desk"},
			Head{Origin: "https://live.example/media", Title: "acme/desk"}, map[string]string{
				"title": "acme/desk: weir", "og:title": "acme/desk", "og:type": "video.other", "description": "Watch a broadcast live.",
				"og:url": "https://live.example/media/watch/acme/desk", "og:image": own, "og:image:width": "1200", "og:image:height": "630", "og:site_name": "weir"}},
		{"one with all", "/watch/acme/desk?transport=websocket", Subject{Stream: "acme/desk"},
			Head{Origin: "https://live.example", Title: "صباح الخير", Description: "Two\nlines\t of it", Image: "/streams/acme/desk/poster.jpg?v=3", Width: 320, Height: 180}, map[string]string{
				"title": "صباح الخير: weir", "og:title": "صباح الخير", "description": "Two lines of it", "og:description": "Two lines of it",
				"og:url": "https://live.example/watch/acme/desk", "og:image": "https://live.example/streams/acme/desk/poster.jpg?v=3",
				"og:image:width": "320", "og:image:height": "180", "og:image:alt": "A picture of صباح الخير"}},
		{"a picture of unknown size", "/recordings/c3a91f20", Subject{Recording: "c3a91f20"},
			Head{Origin: "https://live.example", Title: "acme/desk", Image: "/recordings/c3a91f20.jpg"}, map[string]string{
				"og:image": "https://live.example/recordings/c3a91f20.jpg", "og:image:width": "", "og:url": "https://live.example/recordings/c3a91f20"}},
		{"markup", "/watch/a", Subject{Stream: "a"}, Head{Origin: "https://h", Title: `"><script>alert(1)</script>&amp;`, Description: `</title><img src="/x" onerror='y'>`}, map[string]string{
			"title": `"><script>alert(1)</script>&amp;: weir`, "og:title": `"><script>alert(1)</script>&amp;`, "description": `</title><img src="/x" onerror='y'>`}},
		{"words that look like an address", "/watch/a/b", Subject{Stream: "a/b"}, Head{Origin: "https://h", Title: `/static/ ="/x`}, map[string]string{
			"og:title": `/static/ ="/x`, "title": `/static/ ="/x: weir`}},
		{"a place that is not known", "/watch/a", Subject{Stream: "a"}, Head{Title: "a"}, map[string]string{
			"title": "a: weir", "og:title": "a", "og:url": "", "og:image": "", "twitter:card": ""}},
		{"nothing that may be told", "/recordings/c3a91f20", Subject{Recording: "c3a91f20"}, Head{Origin: "https://h"}, map[string]string{
			"title": "Recording: weir", "og:title": "Recording", "og:type": "website"}},
		{"no page", "/nothing", Subject{}, Head{}, map[string]string{"title": "Not found: weir", "og:title": "", "og:url": "", "description": "There is no page at this address."}},
	} {
		asked := Subject{}
		got, r := headAt(t, "GET", tt.target, func(s Subject) Head { asked = s; return tt.head })
		if asked != tt.subject {
			t.Errorf("%s: asked about %+v, want %+v", tt.name, asked, tt.subject)
		}
		for name, want := range tt.want {
			if got[name] != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got[name], want)
			}
		}
		body := bodyOf(t, r)
		if bytes.Contains(body, []byte("<script>alert")) || bytes.Contains(body, []byte("<img src=\"/x")) || bytes.Contains(body, []byte("<!-- head")) {
			t.Errorf("%s: the page has %s", tt.name, body)
		}
	}
}

// TestUnknownRecording: the page is there, and says with its status that the recording is not.
func TestUnknownRecording(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		_, r := headAt(t, method, "/recordings/none", func(Subject) Head { return Head{Unknown: true, Origin: "https://h"} })
		body := bodyOf(t, r)
		if r.StatusCode != 404 || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" || bytes.Contains(body, []byte(`id="facts"`)) != (method == "GET") {
			t.Errorf("%s: %s, %v, %s", method, r.Status, r.Header, body)
		}
	}
}

// TestHeadIsRevalidated: the tag is that of what goes out, so another title is another page.
func TestHeadIsRevalidated(t *testing.T) {
	describe := func(title string) Describe {
		return func(Subject) Head { return Head{Origin: "https://h", Title: title} }
	}
	_, first := headAt(t, "GET", "/watch/a", describe("one"))
	tag := first.Header.Get("ETag")
	if _, r := headAt(t, "GET", "/watch/a", describe("one"), "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("the same title: %s", r.Status)
	}
	if _, r := headAt(t, "GET", "/watch/a", describe("two"), "If-None-Match", tag); r.StatusCode != http.StatusOK || r.Header.Get("ETag") == tag {
		t.Errorf("another title: %s, %q", r.Status, r.Header.Get("ETag"))
	}
}

func TestExcerpt(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{" two \n\n words ", "two words"},
		{"0123456789", "0123456789"},
		{"01234567890", "012345678…"},
		{"01234 67890", "01234…"},
		{"0 2345678901", "0 2345678…"},
		{"日本語日本語日本語日本語", "日本語日本語日本語…"},
		{"👩‍🚀👩‍🚀👩‍🚀👩‍🚀", "👩‍🚀👩‍🚀👩‍🚀…"},
	} {
		if got := excerpt(tt.text, 10); got != tt.want || utf8.RuneCountInString(got) > 10 {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestOwnPicture: as large as previews want it, and as the head says.
func TestOwnPicture(t *testing.T) {
	f := embedded().assets[ownImage]
	config, err := png.DecodeConfig(bytes.NewReader(f.body))
	if err != nil || config.Width != ownWidth || config.Height != ownHeight || len(f.body) > 40<<10 {
		t.Errorf("%+v, %d bytes (%v)", config, len(f.body), err)
	}
	if f.gzipped != nil {
		t.Error("it is compressed a second time")
	}
	r := get(t, "GET", "/static/"+embedded().version+"/"+ownImage, "Accept-Encoding", "gzip", "Range", "bytes=0-7")
	if r.StatusCode != http.StatusPartialContent || r.Header.Get("Content-Type") != "image/png" || strings.Contains(r.Header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("%s, %v", r.Status, r.Header)
	}
}
