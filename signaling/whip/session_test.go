package whip_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
)

// TestPatch: candidates and preconditions (RFC 9725 section 4.3).
func TestPatch(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	c := api.NewClient(t)
	c.Send(t, media.Opus)
	created := s.post(t, "/whip/a", c)
	url, tag := created.header.Get("Location"), created.header.Get("ETag")
	offer := c.PC.LocalDescription().SDP
	own := "a=ice-ufrag:" + peertest.Attribute(offer, "ice-ufrag") + "\r\na=ice-pwd:" + peertest.Attribute(offer, "ice-pwd") + "\r\n"
	candidate := "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n"
	for _, tt := range []struct {
		name, contentType, ifMatch, body string
		status                           int
	}{
		{"candidate", typeFragment, tag, own + candidate, 204},
		{"candidate without credentials", typeFragment, tag, candidate, 204},
		{"unresolvable candidate", typeFragment, tag, own + strings.Replace(candidate, "192.0.2.1", "b1c2.local", 1), 204},
		{"malformed candidate", typeFragment, tag, own + "a=candidate:nonsense\r\n", 204},
		{"one of several tags", typeFragment, `"x", ` + tag, own + candidate, 204},
		{"any tag, and no other credentials", typeFragment, "*", own + candidate, 204},
		{"end of candidates", typeFragment, tag, "a=end-of-candidates\r\n", 204},
		{"no If-Match, and no restart yet", typeFragment, "", own + candidate, 204},
		{"no If-Match, and other credentials", typeFragment, "", "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n", 400},
		{"other tag", typeFragment, `"other"`, own + candidate, 412},
		{"weak tag", typeFragment, "W/" + tag, own + candidate, 412},
		{"tag without quotes", typeFragment, strings.Trim(tag, `"`), own + candidate, 412},
		{"whole SDP", typeSDP, tag, offer, 415},
		{"no type", "", tag, own + candidate, 415},
		{"malformed", typeFragment, tag, "garbage", 400},
		{"empty", typeFragment, tag, "", 400},
		{"too large", typeFragment, tag, strings.Repeat("a=x\r\n", 20_000), 413},
		{"65 candidates", typeFragment, tag, strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n", 65), 400},
		{"other credentials with the session's tag", typeFragment, tag, "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n", 400},
		{"restart without a password", typeFragment, "*", "a=ice-ufrag:other\r\n", 400},
	} {
		headers := []string{"Content-Type: " + tt.contentType}
		if tt.ifMatch != "" {
			headers = append(headers, "If-Match: "+tt.ifMatch)
		}
		a := s.do(t, http.MethodPatch, url, tt.body, headers...)
		if tt.status != http.StatusNoContent {
			a.problem(t, tt.name, tt.status)
			continue
		}
		if a.status != tt.status || a.body != "" || a.header.Get("ETag") != "" {
			t.Errorf("%s: status %d, tag %s, body %q", tt.name, a.status, a.header.Get("ETag"), a.body)
		}
	}
	// None of that has changed the session.
	c.AwaitConnected(t)
	if a := s.do(t, http.MethodGet, url, ""); a.status != http.StatusNoContent || a.header.Get("ETag") != tag {
		t.Errorf("GET: status %d, tag %s", a.status, a.header.Get("ETag"))
	}
}

// TestRestart: an ICE restart brings new credentials and a new tag, and media
// flows on, for a publisher and for a viewer.
func TestRestart(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	sender, publishing := s.publish(t, "a", api, small())
	frames := make(chan int, 1<<14)
	receiver := viewer(t, api, func(f media.Frame) {
		n, intact := sfutest.VP8Number(f.Data)
		if !intact {
			n = -1
		}
		frames <- n
	})
	watching := s.post(t, "/whep/a", receiver).header.Get("Location")
	for _, side := range []struct {
		name, url string
		client    *peertest.Client
	}{{"publisher", publishing, sender}, {"viewer", watching, receiver}} {
		before := s.do(t, http.MethodGet, side.url, "").header.Get("ETag")
		a := s.do(t, http.MethodPatch, side.url, side.client.Restart(t), "Content-Type: "+typeFragment, "If-Match: *")
		after := a.header.Get("ETag")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != typeFragment || after == before || !strings.HasPrefix(after, `"`) {
			t.Fatalf("%s: status %d, %s, tag %s after %s: %s", side.name, a.status, a.header.Get("Content-Type"), after, before, a.body)
		}
		for _, line := range []string{"a=ice-lite", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "m=", "a=mid:0"} {
			if !strings.Contains(a.body, line) {
				t.Errorf("%s: the fragment lacks %s:\n%s", side.name, line, a.body)
			}
		}
		side.client.Restarted(t, a.body)
		stale := s.do(t, http.MethodPatch, side.url, "a=end-of-candidates\r\n", "Content-Type: "+typeFragment, "If-Match: "+before)
		stale.problem(t, "the old tag", http.StatusPreconditionFailed)
		// Which of the two ICE sessions it is about cannot be told any more.
		s.do(t, http.MethodPatch, side.url, "a=end-of-candidates\r\n", "Content-Type: "+typeFragment).problem(t, "no tag", http.StatusPreconditionRequired)
		for len(frames) > 0 {
			<-frames
		}
		for range 40 {
			select {
			case n := <-frames:
				if n < 0 {
					t.Errorf("%s: a frame is damaged", side.name)
				}
			case <-time.After(patience):
				t.Fatalf("%s: no media after the restart", side.name)
			}
		}
	}
}

// TestDelete: DELETE ends the session at once, whatever tag it carries, and the
// name is free when its answer comes.
func TestDelete(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	for range 3 {
		sender, publishing := s.publish(t, "a", api, small())
		receiver := viewer(t, api, nil)
		watching := s.post(t, "/whep/a", receiver).header.Get("Location")
		s.awaitViewer(t, "a", receiver)
		for _, side := range []struct {
			url    string
			client *peertest.Client
		}{{watching, receiver}, {publishing, sender}} {
			if a := s.do(t, http.MethodDelete, side.url, "", `If-Match: "whatever"`); a.status != http.StatusOK {
				t.Fatalf("DELETE: status %d: %s", a.status, a.body)
			}
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				s.do(t, method, side.url, "").problem(t, method+" afterwards", http.StatusNotFound)
			}
			side.client.AwaitGone(t)
		}
		if streams := s.hub.Streams(); len(streams) != 0 {
			t.Fatalf("the name is not free: %+v", streams)
		}
	}
}

// stubborn is a recording that takes its time to finish.
type stubborn struct{ release chan struct{} }

func (k stubborn) Run(_ context.Context, sub *sfu.Subscription) error {
	<-sub.Done()
	<-k.release
	return nil
}

// TestDeleteBeforeRecordingIsDone: a recording that is still being finished keeps
// neither the name nor the session.
func TestDeleteBeforeRecordingIsDone(t *testing.T) {
	k := stubborn{make(chan struct{})}
	s := newServer(t, sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{func(sfu.StreamInfo) sfu.Sink { return k }}}, peer.Config{})
	defer close(k.release)
	api := peertest.NewAPI(t, peertest.Options{})
	_, publishing := s.publish(t, "a", api, small())
	if a := s.do(t, http.MethodDelete, publishing, ""); a.status != http.StatusOK {
		t.Fatalf("DELETE: status %d", a.status)
	}
	s.do(t, http.MethodGet, publishing, "").problem(t, "GET afterwards", http.StatusNotFound)
	s.publish(t, "a", api, small())
}

// TestSessionResource: what else there is to a session's URL.
func TestSessionResource(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	_, url := s.publish(t, "a", api, small())
	if a := s.do(t, http.MethodOptions, url, ""); a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: status %d, %v", a.status, a.header)
	}
	if a := s.do(t, http.MethodHead, url, ""); a.status != http.StatusNoContent || a.header.Get("ETag") == "" {
		t.Errorf("HEAD: status %d, %v", a.status, a.header)
	}
	for _, method := range []string{"POST", "PUT"} {
		a := s.do(t, method, url, "")
		a.problem(t, method, http.StatusMethodNotAllowed)
		if !strings.Contains(a.header.Get("Allow"), "PATCH") {
			t.Errorf("%s: Allow is %q", method, a.header.Get("Allow"))
		}
	}
	for _, id := range []string{"x", strings.Repeat("A", 26), "%2e%2e"} {
		s.do(t, http.MethodDelete, "/session/"+id, "").problem(t, id, http.StatusNotFound)
	}
}

// TestNeverConnects: a session whose client never comes is gone in time, and its
// name is free.
func TestNeverConnects(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{ConnectTimeout: 200 * time.Millisecond})
	api := peertest.NewAPI(t, peertest.Options{})
	c := api.NewClient(t)
	c.Send(t, media.Opus)
	a := s.do(t, http.MethodPost, "/whip/a", c.Offer(t), "Content-Type: "+typeSDP)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d", a.status)
	}
	eventually(t, "the session's end", func() bool {
		return s.do(t, http.MethodGet, a.header.Get("Location"), "").status == http.StatusNotFound && len(s.hub.Streams()) == 0
	})
}

// TestShutdown: sessions end, their clients are told, and new ones are refused.
func TestShutdown(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	sender, _ := s.publish(t, "a", api, small())
	receiver := viewer(t, api, nil)
	s.post(t, "/whep/a", receiver)
	s.awaitViewer(t, "a", receiver)
	late := api.NewClient(t)
	late.Send(t, media.Opus)
	if err := s.endpoint.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	sender.AwaitGone(t)
	receiver.AwaitGone(t)
	a := s.do(t, http.MethodPost, "/whip/b", late.Offer(t), "Content-Type: "+typeSDP)
	a.problem(t, "an offer after the shutdown", http.StatusServiceUnavailable)
	if a.header.Get("Retry-After") == "" || len(s.hub.Streams()) != 0 {
		t.Errorf("Retry-After %q, streams %+v", a.header.Get("Retry-After"), s.hub.Streams())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := s.endpoint.Shutdown(ctx); err != nil && err.Error() != "enough" {
		t.Errorf("a second shutdown ends with %v", err)
	}
}

// TestNothingOfUse: a client that sends what nobody can use learns why its session
// ended: the server and the client understand the payload types differently here.
func TestNothingOfUse(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{MediaTimeout: 50 * time.Millisecond})
	c := peertest.NewAPI(t, peertest.Options{NoRTX: true}).NewClient(t)
	b := small()
	b.Video = c.Send(t, media.VP8)
	swap := func(sdp, from, to string) string {
		for _, around := range []string{" %s\r\n", ":%s ", " %s "} {
			sdp = strings.ReplaceAll(sdp, strings.Replace(around, "%s", from, 1), strings.Replace(around, "%s", to, 1))
		}
		return sdp
	}
	var offer []string
	for line := range strings.SplitSeq(swap(c.Offer(t), "100", "77"), "\r\n") {
		if !strings.HasPrefix(line, "a=ssrc") && !strings.HasPrefix(line, "a=extmap") {
			offer = append(offer, line)
		}
	}
	a := s.do(t, http.MethodPost, "/whip/a", strings.Join(offer, "\r\n"), "Content-Type: "+typeSDP)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	c.Answer(t, swap(a.body, "77", "100"))
	c.AwaitConnected(t)
	b.Start(t)
	c.AwaitGone(t)
	s.do(t, http.MethodGet, a.header.Get("Location"), "").problem(t, "a session of no use", http.StatusGone)
	s.do(t, http.MethodDelete, a.header.Get("Location"), "").problem(t, "a session of no use", http.StatusGone)
	s.do(t, http.MethodGet, "/session/unknown", "").problem(t, "a session of nobody", http.StatusNotFound)
}
