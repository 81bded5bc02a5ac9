package whip_test

import (
	"net/http"
	"strings"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// TestCreated: what the answer to an offer has (RFC 9725 section 4.2, WHEP
// section 4.2).
func TestCreated(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.publish(t, "acme/alice/desk", api, small())
	sender := api.NewClient(t)
	sender.Send(t, media.Opus)
	seen := map[string]bool{}
	for _, tt := range []struct {
		path      string
		client    *peertest.Client
		direction string
	}{
		{"/whip/other", sender, "recvonly"},
		{"/whep/acme/alice/desk", viewer(t, api, nil), "sendonly"},
		{"/whep/acme/alice/desk", viewer(t, api, nil), "sendonly"},
	} {
		a := s.post(t, tt.path, tt.client)
		if a.status != http.StatusCreated || a.header.Get("Content-Type") != typeSDP {
			t.Fatalf("%s: status %d, %s", tt.path, a.status, a.header.Get("Content-Type"))
		}
		for _, line := range []string{"a=" + tt.direction, "a=rtcp-mux", "a=ice-lite", "a=setup:passive", "a=candidate:", "a=end-of-candidates"} {
			if !strings.Contains(a.body, line) {
				t.Errorf("%s: the answer lacks %s:\n%s", tt.path, line, a.body)
			}
		}
		for _, line := range []string{"a=sendrecv", "a=inactive", "m=audio 0", "m=video 0"} {
			if strings.Contains(a.body, line) {
				t.Errorf("%s: the answer has %s:\n%s", tt.path, line, a.body)
			}
		}
		tag, location := a.header.Get("ETag"), a.header.Get("Location")
		if !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) || len(tag) < 18 {
			t.Errorf("%s: %s is no strong entity tag of its own", tt.path, tag)
		}
		// 128 bits in the alphabet of rand.Text are 26 characters.
		if id := location[strings.LastIndex(location, "/")+1:]; len(id) < 26 {
			t.Errorf("%s: the session URL %s can be guessed", tt.path, location)
		}
		if seen[tag] || seen[location] || strings.Contains(location, strings.Trim(tag, `"`)) {
			t.Errorf("%s: %s or %s was given before", tt.path, tag, location)
		}
		seen[tag], seen[location] = true, true
		exposed := a.header.Get("Access-Control-Expose-Headers")
		for _, name := range []string{"Location", "ETag", "Link", "Accept-Post", "Retry-After"} {
			if !strings.Contains(exposed, name) {
				t.Errorf("%s: pages cannot see %s", tt.path, name)
			}
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the answer may be cached", tt.path)
		}
	}
}

// TestEndpointMethods: GET, HEAD and OPTIONS are answered without an offer
// (RFC 9725 section 4.2), whether somebody is live or not.
func TestEndpointMethods(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	for _, tt := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/whip/a", 204, ""},
		{"HEAD", "/whip/a", 204, ""},
		{"OPTIONS", "/whip/a", 200, ""},
		{"GET", "/whep/a", 204, ""},
		{"HEAD", "/whep/a", 200, typeSDP},
		{"OPTIONS", "/whep/a", 200, ""},
	} {
		a := s.do(t, tt.method, tt.path, "", "Origin: https://example.org", "Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: authorization, content-type, if-match")
		if a.status != tt.status || a.header.Get("Content-Type") != tt.contentType || a.body != "" || a.header.Get("Accept-Post") != typeSDP {
			t.Errorf("%s %s: status %d, %v, %q", tt.method, tt.path, a.status, a.header, a.body)
		}
		allowed := strings.ToLower(a.header.Get("Access-Control-Allow-Headers"))
		for _, name := range []string{"authorization", "content-type", "if-match"} {
			if !strings.Contains(allowed, name) {
				t.Errorf("%s %s: a page may not send %s", tt.method, tt.path, name)
			}
		}
		for _, method := range []string{"POST", "PATCH", "DELETE", "OPTIONS"} {
			if !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), method) {
				t.Errorf("%s %s: a page may not %s", tt.method, tt.path, method)
			}
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		a := s.do(t, method, "/whip/a", "")
		a.problem(t, method, http.StatusMethodNotAllowed)
		if !strings.Contains(a.header.Get("Allow"), "POST") {
			t.Errorf("%s: Allow is %q", method, a.header.Get("Allow"))
		}
	}
}

// TestRefused: what is refused, and how. Nothing of it may claim the name.
func TestRefused(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.publish(t, "taken", api, small())
	sender := api.NewClient(t)
	sender.Send(t, media.Opus)
	sender.Send(t, media.VP8)
	offer := sender.Offer(t)
	watching := viewer(t, api, nil).Offer(t)
	edit := func(old, new string) string {
		if !strings.Contains(offer, old) {
			t.Fatalf("the offer has no %q:\n%s", old, offer)
		}
		return strings.ReplaceAll(offer, old, new)
	}
	section := offer[strings.Index(offer, "m=video"):]
	for _, tt := range []struct {
		name, path, contentType, body string
		status                        int
		retry                         bool
	}{
		{"no content type", "/whip/a", "", offer, 415, false},
		{"JSON", "/whip/a", "application/json", offer, 415, false},
		{"type that begins alike", "/whip/a", "application/sdpx", offer, 415, false},
		{"viewer's JSON", "/whep/taken", "application/json", watching, 415, false},
		{"64 KiB and a byte", "/whip/a", typeSDP, strings.Repeat("a", 64<<10+1), 413, false},
		{"1 MiB", "/whep/taken", typeSDP, strings.Repeat("a", 1<<20), 413, false},
		{"empty", "/whip/a", typeSDP, "", 400, false},
		{"garbage", "/whip/a", typeSDP, "garbage", 400, false},
		{"viewer's garbage", "/whep/taken", typeSDP, "\x00\xff", 400, false},
		{"wrong direction", "/whip/a", typeSDP, watching, 400, false},
		{"viewer's wrong direction", "/whep/taken", typeSDP, offer, 400, false},
		{"inactive", "/whip/a", typeSDP, edit("a=sendonly", "a=inactive"), 400, false},
		{"two videos", "/whip/a", typeSDP, offer + strings.Replace(section, "a=mid:1", "a=mid:2", 1), 422, false},
		{"unknown codecs", "/whip/a", typeSDP, edit("/90000", "-next/90000"), 422, false},
		{"no rtcp-mux", "/whip/a", typeSDP, edit("a=rtcp-mux\r\n", ""), 422, false},
		{"no bundle", "/whip/a", typeSDP, edit("a=group:BUNDLE 0 1\r\n", ""), 422, false},
		{"no fingerprint", "/whip/a", typeSDP, edit("a=fingerprint", "a=x-fingerprint"), 400, false},
		{"name taken", "/whip/taken", typeSDP, offer, 409, true},
		{"not live", "/whep/a", typeSDP, watching, 409, true},
		{"no name", "/whip/", typeSDP, offer, 400, false},
		{"no name to watch", "/whep/", typeSDP, watching, 400, false},
		{"five segments", "/whip/a/b/c/d/e", typeSDP, offer, 400, false},
		{"segment starts with a dot", "/whip/a/.b", typeSDP, offer, 400, false},
		{"dots, encoded", "/whip/%2e%2e/a", typeSDP, offer, 400, false},
		{"NUL", "/whip/a%00", typeSDP, offer, 400, false},
		{"line break", "/whep/a%0Ab", typeSDP, watching, 400, false},
		{"space", "/whip/a%20b", typeSDP, offer, 400, false},
		{"long segment", "/whip/" + strings.Repeat("a", 65), typeSDP, offer, 400, false},
	} {
		a := s.do(t, http.MethodPost, tt.path, tt.body, "Content-Type: "+tt.contentType)
		a.problem(t, tt.name, tt.status)
		if retry := a.header.Get("Retry-After") != ""; retry != tt.retry {
			t.Errorf("%s: Retry-After is %q", tt.name, a.header.Get("Retry-After"))
		}
	}
	if streams := s.hub.Streams(); len(streams) != 1 {
		t.Errorf("streams that were refused are there: %+v", streams)
	}
	// The parameters of a media type do not matter.
	if a := s.do(t, http.MethodPost, "/whip/a", offer, "Content-Type: Application/SDP; charset=utf-8"); a.status != http.StatusCreated {
		t.Errorf("with a parameter: status %d: %s", a.status, a.body)
	}
}

// TestUncleanPath: a client that is sent elsewhere sends its offer there, which
// 301 and 302 would not make it do (RFC 9725 section 4.2).
func TestUncleanPath(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	c := api.NewClient(t)
	c.Send(t, media.Opus)
	a := s.do(t, http.MethodPost, "/whip//a/../b", c.Offer(t), "Content-Type: "+typeSDP)
	if a.status != http.StatusCreated || len(s.hub.Streams()) != 1 || s.hub.Streams()[0].Name != "b" {
		t.Errorf("status %d: %s; streams %+v", a.status, a.body, s.hub.Streams())
	}
}

// TestBusy: clients that never connect cannot pile up.
func TestBusy(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{MaxConnecting: 2})
	api := peertest.NewAPI(t, peertest.Options{})
	c := api.NewClient(t)
	c.Send(t, media.Opus)
	offer := c.Offer(t)
	post := func(name string) answer {
		return s.do(t, http.MethodPost, "/whip/"+name, offer, "Content-Type: "+typeSDP)
	}
	first, second := post("a"), post("b")
	if first.status != http.StatusCreated || second.status != http.StatusCreated {
		t.Fatalf("status %d and %d", first.status, second.status)
	}
	busy := post("c")
	busy.problem(t, "the third", http.StatusServiceUnavailable)
	if busy.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// One that gives up, and one that connects, make room.
	if a := s.do(t, http.MethodDelete, first.header.Get("Location"), ""); a.status != http.StatusOK {
		t.Errorf("DELETE: status %d", a.status)
	}
	c.Answer(t, second.body)
	c.AwaitConnected(t)
	eventually(t, "room", func() bool {
		a, b := post("c"), post("d")
		for _, r := range []answer{a, b} {
			if r.status == http.StatusCreated {
				s.do(t, http.MethodDelete, r.header.Get("Location"), "")
			}
		}
		return a.status == http.StatusCreated && b.status == http.StatusCreated
	})
}
