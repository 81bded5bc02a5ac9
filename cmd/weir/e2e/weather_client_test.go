package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"weir/cmd/weir/browsertest"
)

// weatherClient is a weatherPage in a browser, behind a network of its own.
type weatherClient struct {
	name, browser string
	network       *badNetwork
	watches       *weatherClient // nil: it publishes
	began         float64        // its frames when the test began

	// guarded by mu
	mu       sync.Mutex
	sessions int
	found    weatherFigures
}

// hostCandidate is one in an answer, up to its address, and then that.
var hostCandidate = regexp.MustCompile(`(a=candidate:\S+ \d+ udp \d+) \S+ \d+ typ host`)

// newWeatherClient opens the page, whose query says what it does. It has the server
// at an address where answers name the network in place of the server.
func newWeatherClient(t *testing.T, s *testServer, browser, host, query string) *weatherClient {
	t.Helper()
	c := &weatherClient{
		name: browser + " " + query, browser: browser,
		network: newBadNetwork(t, host, s.media, weatherLoss),
	}
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = c.throughNetwork
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("GET /weather", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, weatherPage)
	})
	mux.HandleFunc("POST /weather", c.take)
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	if page := front.URL + "/weather?" + query; browser == "firefox" {
		startFirefox(t, page)
	} else {
		startChrome(t).Open(t, page)
	}
	return c
}

// throughNetwork makes a client that is answered use the network.
func (c *weatherClient) throughNetwork(r *http.Response) error {
	if r.StatusCode != http.StatusCreated || r.Header.Get("Content-Type") != "application/sdp" {
		return nil
	}
	c.mu.Lock()
	c.sessions++
	c.mu.Unlock()
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	at := c.network.addr
	answer = hostCandidate.ReplaceAll(answer, fmt.Appendf(nil, "$1 %s %d typ host", at.Addr(), at.Port()))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	r.Header.Set("Content-Length", strconv.Itoa(len(answer)))
	return nil
}

// take takes in what the page tells.
func (c *weatherClient) take(_ http.ResponseWriter, r *http.Request) {
	var found weatherFigures
	if err := json.NewDecoder(r.Body).Decode(&found); err != nil {
		return // the page was closed meanwhile
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = found
}

// figures returns what the page told last.
func (c *weatherClient) figures() weatherFigures {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found
}

// answered returns how many sessions the server has made for the client.
func (c *weatherClient) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions
}

// frames returns how many pictures were sent, or decoded.
func (c *weatherClient) frames() float64 {
	video := c.figures().Video
	return video["framesSent"] + video["framesDecoded"] // it has one of them
}

// wait waits until something is so.
func (c *weatherClient) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(browsertest.Timeout); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s %s: still not so after %v; %+v", c.name, what, browsertest.Timeout, c.figures())
			return
		}
	}
}
