package main

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestProfiles: they are served where they were asked for, and nowhere else.
func TestProfiles(t *testing.T) {
	d, err := listenDebug(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer d.close()
	response, err := http.Get("http://" + d.addr.String() + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), "goroutine profile") {
		t.Errorf("%v: %.100s", err, body)
	}
	s := startServer(t)
	other, err := http.Get(s.url + "/debug/pprof/")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Body.Close()
	if other.StatusCode != http.StatusNotFound {
		t.Errorf("the main listener answers %s", other.Status)
	}
}
