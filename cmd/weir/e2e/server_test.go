package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/signaling/admin"
)

// shutdownLimit is how long a server that is asked to end may take: its own
// deadline, and what a busy machine adds.
const shutdownLimit = 35 * time.Second

// testServer is a server that records, a process of its own on free ports of
// loopback.
type testServer struct {
	url     string
	addr    string   // host and port of HTTP
	media   net.Addr // where media goes
	dataDir string
}

// startServer runs a server that ends with the test. Flags are added to its own.
func startServer(t testing.TB, flags ...string) *testServer {
	t.Helper()
	return startServerAt(t, t.TempDir(), flags...)
}

// startServerAt is startServer with a data folder that may hold something already.
func startServerAt(t testing.TB, dataDir string, flags ...string) *testServer {
	t.Helper()
	level := "warn"
	if testing.Verbose() {
		level = "info"
	}
	p := startProcess(t, builtProgram(t), dataDir, append([]string{"--grace", "0", "--log-level", level}, flags...)...)
	t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		if status := p.wait(shutdownLimit); status.ExitStatus() != 0 {
			t.Errorf("the server ended with status %d", status.ExitStatus())
		}
		if _, err := os.Stderr.WriteString(p.stderr.String()); err != nil {
			t.Error(err)
		}
	})
	match := regexp.MustCompile(`media goes through UDP (\S+);`).FindStringSubmatch(p.stdout.String())
	if match == nil {
		t.Fatalf("stdout does not tell where media goes: %s", p.stdout.String())
	}
	media, err := net.ResolveUDPAddr("udp", match[1])
	if err != nil {
		t.Fatal(err)
	}
	return &testServer{
		url: p.url, addr: strings.Replace(strings.TrimPrefix(p.url, "http://"), "localhost", "127.0.0.1", 1),
		media: media, dataDir: dataDir,
	}
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

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
