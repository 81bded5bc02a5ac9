package signaling

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/peer"
	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

var silent = slog.New(slog.DiscardHandler)

// serve runs a server for h until the test ends.
func serve(t *testing.T, h http.Handler, grace time.Duration) (s *Server, stop func() error) {
	t.Helper()
	s, err := Listen(t.Context(), "127.0.0.1:0", Proxies{}, h, silent)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, grace) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { stop() })
	return s, stop
}

// TestLimits: a client that is slow or says too much cannot hold a connection.
func TestLimits(t *testing.T) {
	s, _ := serve(t, http.NotFoundHandler(), time.Second)
	for what, got := range map[string]time.Duration{
		"header 5s": s.http.ReadHeaderTimeout, "body 10s": s.http.ReadTimeout, "idle 1m0s": s.http.IdleTimeout,
	} {
		if name, want, _ := strings.Cut(what, " "); got.String() != want {
			t.Errorf("%s timeout is %v, want %s", name, got, want)
		}
	}
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The server stops reading at its limit, so that writing may end in an error.
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of header: %v, %v", response, err)
	}
}

// TestStop: the server refuses new connections, and lets requests that run finish.
func TestStop(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s, stop := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "done")
	}), time.Minute)
	url := "http://" + s.Addr().String()
	got := make(chan string, 1)
	go func() {
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(httptest.NewRequest("GET", url, nil))
		if err != nil {
			got <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		got <- string(body)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if body := <-got; body != "done" {
		t.Errorf("the request that ran got %q", body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if conn, err := net.Dial("tcp", s.Addr().String()); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

// TestStopIsBounded: a request that does not end is cut off.
func TestStopIsBounded(t *testing.T) {
	entered := make(chan struct{})
	s, stop := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), 10*time.Millisecond)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	if err := stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestListenFails(t *testing.T) {
	s, _ := serve(t, http.NotFoundHandler(), time.Second)
	if _, err := Listen(t.Context(), s.Addr().String(), Proxies{}, http.NotFoundHandler(), silent); err == nil {
		t.Error("a port in use was opened again")
	}
}

// TestPanic: a request that panics is answered and logged, and the next one is
// served.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	h := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			io.WriteString(w, "begun")
		}
		if r.URL.Path != "/fine" {
			panic("oh")
		}
	}), slog.New(slog.NewTextHandler(&log, nil)))
	for path, status := range map[string]int{"/early": 500, "/late": 200, "/fine": 200} {
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, %v", path, w.Code, w.Header())
		}
		if logged := strings.Contains(log.String(), "panic=oh") && strings.Contains(log.String(), path); logged != (path != "/fine") {
			t.Errorf("%s: the log says %q", path, log.String())
		}
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("http.ErrAbortHandler comes out as %v", p)
		}
	}()
	wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), silent).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// TestWriteError: what each error of the program is to a client.
func TestWriteError(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("whip: offer: %w", err) }
	for _, tt := range []struct {
		err    error
		status int
		retry  string
		detail string
	}{
		{sfu.ValidName(".x"), 400, "", "start with a dot"},
		{sfu.ErrNameTaken, 409, "5", "another name"},
		{wrapped(sfu.ErrNotLive), 409, "1", "Try again"},
		{sfu.ErrEnded, 409, "1", "Try again"},
		{sfu.ErrShutdown, 503, "5", "Try again"},
		{fmt.Errorf("%w: it has no media section", peer.ErrOffer), 400, "", "it has no media section"},
		{fmt.Errorf("%w: two videos", peer.ErrUnsupported), 422, "", "two videos"},
		{peer.ErrBusy, 503, "2", "Try again"},
		{wrapped(peer.ErrLost), 404, "", "POST a new offer"},
		{recorder.ErrNotFound, 404, "", "/api/v1/recordings"},
		{&http.MaxBytesError{Limit: 65536}, 413, "", "65536 bytes"},
		{&Problem{Status: 418, Title: "Teapot", Detail: "Use a cup."}, 418, "", "Use a cup."},
		{errors.New("disk /secret/path broke"), 500, "", "log"},
	} {
		w := httptest.NewRecorder()
		status := WriteError(w, tt.err)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != tt.status || status != tt.status || w.Code != tt.status {
			t.Errorf("%v: status %d, %s", tt.err, w.Code, w.Body)
		}
		if p.Title == "" || !strings.Contains(p.Detail, tt.detail) || strings.Contains(p.Detail, "secret") || strings.Contains(p.Detail, "peer:") {
			t.Errorf("%v: %+v", tt.err, p)
		}
		if got := w.Header().Get("Retry-After"); got != tt.retry || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: Retry-After %q, %v", tt.err, got, w.Header())
		}
	}
}
