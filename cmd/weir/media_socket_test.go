package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"weir/sfu/peer"
	"weir/sfu/udp"
)

// TestSocketMetrics: what the socket counts is served by name, and OPERATING.md names
// all metrics.
func TestSocketMetrics(t *testing.T) {
	metrics := map[string]float64{}
	for _, m := range socketMetrics(udp.Stats{
		Mode: udp.Batched, Sent: 1, Segments: 2, Batches: 3, Refused: 4, Dropped: 5, Failed: 6, Received: 7, Reads: 8, Truncated: 9, Lost: 10,
		Aggregated: true, ReceiveBuffer: 11, SendBuffer: 12, ReadFallback: syscall.EPERM,
	}, peer.PortStats{Dropped: 13}) {
		if m.Counter != strings.HasSuffix(m.Name, "_total") || m.Help == "" {
			t.Errorf("%+v", m)
		}
		for _, s := range m.Series {
			metrics[strings.TrimPrefix(fmt.Sprint(m.Name, s.Labels), "weir_udp_")] = s.Value
		}
	}
	want := map[string]float64{
		"send_mode[{mode plain}]": 0, "send_mode[{mode batched}]": 1, "send_mode[{mode segmented}]": 0,
		"receive_batched[]": 0, "receive_aggregated[]": 1, "receive_buffer_bytes[]": 11, "send_buffer_bytes[]": 12,
		"sent_datagrams_total[]": 1, "segmented_datagrams_total[]": 2, "send_calls_total[]": 3, "refused_messages_total[]": 4,
		"dropped_datagrams_total[]": 5, "failed_datagrams_total[]": 6, "received_datagrams_total[]": 7, "receive_calls_total[]": 8,
		"truncated_datagrams_total[]": 9, "lost_datagrams_total[]": 10,
		"dropped_handshakes_total[]": 13,
	}
	if got := fmt.Sprint(metrics); got != fmt.Sprint(want) {
		t.Errorf("got  %s\nwant %v", got, want)
	}

	s := startServer(t)
	defer http.DefaultClient.CloseIdleConnections()
	response, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(page), "\nweir_udp_sent_datagrams_total 0\n") ||
		len(regexp.MustCompile(`(?m)^weir_udp_send_mode\{mode="[a-z]+"\} 0$`).FindAll(page, -1)) != 2 ||
		len(regexp.MustCompile(`(?m)^weir_udp_send_mode\{mode="[a-z]+"\} 1$`).FindAll(page, -1)) != 1 {
		t.Errorf("%v: %s", err, page)
	}
	reference, err := os.ReadFile(root + "/OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (weir_\S+)`).FindAllSubmatch(page, -1) {
		name := strings.TrimSuffix(string(found[1]), "_total")
		if !strings.Contains(string(reference), "`"+name) && !strings.Contains(string(reference), "`"+strings.TrimPrefix(name, "weir_udp")+"`") {
			t.Errorf("OPERATING.md does not name the metric %s", found[1])
		}
	}
}

// refusable is a media socket whose kernel the test plays.
type refusable struct{ told func(error) }

func (r *refusable) Stats() udp.Stats {
	return udp.Stats{Mode: udp.Segmented, ReceiveBuffer: 11, SendBuffer: 12}
}

func (r *refusable) OnFallback(f func(error)) { r.told = f }

// TestSocketIsLogged: one line at the start, and a warning for each refusal.
func TestSocketIsLogged(t *testing.T) {
	var log bytes.Buffer
	var c refusable
	logSocket(slog.New(slog.NewTextHandler(&log, nil)), &c)
	c.told(errors.New("the card computes no checksums"))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{
		`level=INFO msg="media socket" sends=segmented aggregated=false receive_buffer=11 send_buffer=12`,
		`level=WARN msg="media socket is slower than it might be" reason="the card computes no checksums"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("logged: %s", log.String())
	}
	for i := range want {
		if !strings.HasSuffix(lines[i], want[i]) {
			t.Errorf("logged: %s, want %s", lines[i], want[i])
		}
	}
}
