package main

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"weir/signaling"
)

// testServer is a whole server on free ports of loopback, in the process of the
// tests: those that need nothing of its inside are in package e2e.
type testServer struct {
	app     *app
	url     string
	dataDir string
}

// startServer runs a server that records and ends with the test.
func startServer(t *testing.T) *testServer {
	t.Helper()
	return startServerWith(t, nil)
}

// startServerWith is startServer with an Authorizer.
func startServerWith(t *testing.T, authorizer signaling.Authorizer) *testServer {
	t.Helper()
	return startServerIn(t, t.TempDir(), authorizer)
}

// startServerIn is startServerWith on a folder that may hold recordings already.
func startServerIn(t *testing.T, dataDir string, authorizer signaling.Authorizer) *testServer {
	t.Helper()
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	a, err := newApp(t.Context(), appConfig{
		httpAddr: "127.0.0.1:0", rtcAddr: "127.0.0.1:0", dataDir: dataDir, record: true, keyframes: 10 * time.Second, version: "test",
		authorizer: authorizer,
		log:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.serve(ctx) }()
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
	return &testServer{app: a, url: "http://" + reachable(a.server.Addr()), dataDir: dataDir}
}
