package whip_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
	"weir/sfu/udp"
	"weir/signaling"
	"weir/signaling/whip"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// patience is how long a test waits for what must come: long enough that only a
// fault ends it.
const patience = 30 * time.Second

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// server is an endpoint on loopback.
type server struct {
	url      string
	hub      *sfu.Hub
	endpoint *whip.Endpoint
	client   *http.Client
}

func newServer(t testing.TB, hubConfig sfu.Config, portConfig peer.Config) *server {
	t.Helper()
	hub, err := sfu.New(hubConfig)
	if err != nil {
		t.Fatal(err)
	}
	if portConfig.Conn == nil {
		if portConfig.Conn, err = udp.Listen(t.Context(), "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	port, err := peer.New(portConfig)
	if err != nil {
		t.Fatal(err)
	}
	stop := peertest.Serve(t, port)
	endpoint, err := whip.New(whip.Config{Hub: hub, Port: port, Record: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	endpoint.Register(mux)
	h := httptest.NewServer(mux)
	s := &server{url: h.URL, hub: hub, endpoint: endpoint, client: h.Client()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := endpoint.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		h.Close()
		stop()
	})
	return s
}

// answer is an HTTP response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. A header is "Name: value".
func (s *server) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.url + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(raw)}
}

// problem checks that a is a problem document (RFC 9457) that says what to do.
func (a answer) problem(t testing.TB, what string, status int) {
	t.Helper()
	var p struct {
		Status        int
		Title, Detail string
	}
	err := json.Unmarshal([]byte(a.body), &p)
	if a.status != status || err != nil || p.Status != status || p.Title == "" || p.Detail == "" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: status %d, %s, %s: want a problem document with %d", what, a.status, a.header.Get("Content-Type"), a.body, status)
	}
	if a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: a page of another origin cannot read the answer", what)
	}
	if strings.Contains(p.Detail, "peer: ") || strings.Contains(p.Detail, "sfu: ") || strings.Contains(p.Detail, "whip: ") {
		t.Errorf("%s: the detail %q names a package", what, p.Detail)
	}
}

// post offers and takes in the answer, if there is one.
func (s *server) post(t testing.TB, path string, c *peertest.Client) answer {
	t.Helper()
	a := s.do(t, http.MethodPost, path, c.Offer(t), "Content-Type: "+typeSDP)
	if a.status == http.StatusCreated {
		c.Answer(t, a.body)
	}
	return a
}

// publish publishes under a name and waits until it is live. The returned path is
// the session's.
func (s *server) publish(t testing.TB, name string, api *peertest.API, b *peertest.Broadcast) (c *peertest.Client, session string) {
	t.Helper()
	c = api.NewClient(t)
	b.Audio, b.Video = c.Send(t, media.Opus), c.Send(t, media.VP8)
	a := s.post(t, "/whip/"+name, c)
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	c.AwaitConnected(t)
	b.Start(t)
	eventually(t, "media", func() bool {
		i, err := s.hub.Stream(strings.SplitN(name, "?", 2)[0])
		return err == nil && i.Live && len(i.Tracks) == 2 && i.Tracks[0].Packets > 0 && i.Tracks[1].Packets > 0
	})
	return c, a.header.Get("Location")
}

// viewer returns a client that is to receive both tracks.
func viewer(t testing.TB, api *peertest.API, onVideo func(media.Frame)) *peertest.Client {
	t.Helper()
	c := api.NewClient(t)
	c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {OnFrame: onVideo}, media.Opus: {}})
	return c
}

// awaitViewer waits until c is the one viewer of the stream, and both sides know
// it: one that closes before it is connected cannot tell the other.
func (s *server) awaitViewer(t testing.TB, name string, c *peertest.Client) {
	t.Helper()
	c.AwaitConnected(t)
	eventually(t, "viewer", func() bool {
		i, err := s.hub.Stream(name)
		return err == nil && i.Viewers == 1
	})
}

// small is a broadcast that is cheap to send.
func small() *peertest.Broadcast { return &peertest.Broadcast{KeyEvery: 30, Size: 3000, KeySize: 8000} }

// eventually polls until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond) // polling: the deadline decides nothing else
	}
}
