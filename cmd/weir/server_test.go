package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"weir/signaling"
	"weir/signaling/admin"
)

// testServer is a whole server on free ports of loopback.
type testServer struct {
	app     *app
	url     string
	dataDir string
	stop    func() error
}

// startServer runs a server that ends with the test.
func startServer(t *testing.T) *testServer {
	t.Helper()
	return startServerAt(t, t.TempDir())
}

// startServerAt is startServer with a data folder that may hold something already.
func startServerAt(t *testing.T, dataDir string) *testServer {
	t.Helper()
	return startServerWith(t, dataDir, 0)
}

// startServerWith is startServerAt with a grace for publishers that are lost.
func startServerWith(t *testing.T, dataDir string, grace time.Duration) *testServer {
	t.Helper()
	return startServerConfigured(t, appConfig{dataDir: dataDir, grace: grace, keyframes: 10 * time.Second})
}

// startServerBehind is startServer behind proxies.
func startServerBehind(t *testing.T, proxies signaling.Proxies) *testServer {
	t.Helper()
	return startServerConfigured(t, appConfig{dataDir: t.TempDir(), proxies: proxies})
}

// startServerConfigured runs a server that records, on free ports.
func startServerConfigured(t *testing.T, c appConfig) *testServer {
	t.Helper()
	s := &testServer{dataDir: c.dataDir}
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	c.httpAddr, c.rtcAddr, c.record, c.version = "127.0.0.1:0", "127.0.0.1:0", true, "test"
	c.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	a, err := newApp(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.app, s.url = a, "http://"+reachable(a.server.Addr())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	s.stop = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("server ended with %v", err)
			}
		case <-time.After(shutdownTimeout + 5*time.Second):
			t.Error("server did not end")
		}
	})
	return s
}

// get reads JSON from the API.
func get[T any](t *testing.T, url string) T {
	t.Helper()
	var v T
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&v); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return v
}

type recordingList struct {
	Recordings []admin.Recording `json:"recordings"`
}

type streamList struct {
	Streams []admin.Stream `json:"streams"`
}
