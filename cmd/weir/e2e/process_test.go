package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"weir/signaling/admin"
)

// TestProcess tests the real program, as a system starts and ends it.
func TestProcess(t *testing.T) {
	binary := builtProgram(t)
	t.Run("signals", func(t *testing.T) { testSignals(t, binary) })
	t.Run("second signal", func(t *testing.T) { testSecondSignal(t, binary) })
	t.Run("stopped in mid-recording", func(t *testing.T) { testStopped(t, binary) })
	t.Run("killed in mid-recording", func(t *testing.T) { testKilled(t, binary) })
}

// testSignals: the program prints where it is, serves there, and ends with
// status 0 soon after it is asked to.
func testSignals(t *testing.T, binary string) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := startProcess(t, binary, t.TempDir())
		response, err := http.Get(p.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("GET /healthz: %s", response.Status)
		}
		if !regexp.MustCompile(`media goes through UDP 127\.0\.0\.1:[1-9]\d*;`).MatchString(p.stdout.String()) {
			t.Errorf("stdout does not tell the media port: %s", p.stdout.String())
		}
		p.signal(signal)
		if status := p.wait(5 * time.Second); status.ExitStatus() != 0 {
			t.Errorf("after %v the exit status is %d, want 0; stderr: %s", signal, status.ExitStatus(), p.stderr.String())
		}
	}
}

// testSecondSignal: while the program waits for a slow client, a second signal
// ends it at once.
func testSecondSignal(t *testing.T, binary string) {
	p := startProcess(t, binary, t.TempDir())
	slow := p.dial()
	// A request whose body never comes whole.
	fmt.Fprint(slow, "POST /whip/slow HTTP/1.1\r\nHost: weir\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0")
	time.Sleep(100 * time.Millisecond) // until the server reads the body

	p.signal(syscall.SIGTERM)
	p.stderr.waitFor(t, "shutting down")
	for range 10 { // the first may come before the program lets signals through again
		p.signal(syscall.SIGTERM)
		time.Sleep(20 * time.Millisecond)
	}
	if status := p.wait(300 * time.Millisecond); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("after a second SIGTERM the program ended by itself, with status %d", status.ExitStatus())
	}
}

// testStopped: a program that is asked to end finishes what it records.
func testStopped(t *testing.T, binary string) {
	data := t.TempDir()
	p := startProcess(t, binary, data)
	publisher := publishFrames(t, p.url+"/whip/process/stopped")
	time.Sleep(1500 * time.Millisecond)
	stopped := time.Now()
	p.signal(syscall.SIGTERM)
	if status := p.wait(5 * time.Second); status.ExitStatus() != 0 {
		t.Errorf("the exit status is %d, want 0; stderr: %s", status.ExitStatus(), p.stderr.String())
	}
	publisher.stop()
	checkComplete(t, theFile(t, data, "process/stopped/*.webm"), publisher, stopped.Add(-50*time.Millisecond))

	recording := theRecording(t, startProcess(t, binary, data).url)
	if recording.State != "finished" || recording.Stream != "process/stopped" {
		t.Errorf("the recording is %s, of stream %q; want it finished", recording.State, recording.Stream)
	}
}

// mostLost is how much of a recording a crash may cost.
const mostLost = 300 * time.Millisecond

// testKilled: what a program leaves that is killed can be played, up to a moment
// before, and the next one lists it.
func testKilled(t *testing.T, binary string) {
	data := t.TempDir()
	p := startProcess(t, binary, data)
	publisher := publishFrames(t, p.url+"/whip/process/killed")
	time.Sleep(2500 * time.Millisecond)
	killed := time.Now()
	p.signal(syscall.SIGKILL)
	p.wait(time.Second)
	publisher.stop()
	checkComplete(t, theFile(t, data, "process/killed/*.webm.part"), publisher, killed.Add(-mostLost))

	p = startProcess(t, binary, data)
	recording := theRecording(t, p.url)
	if recording.State != "interrupted" || recording.Stream != "process/killed" {
		t.Errorf("the recording is %s, of stream %q; want it interrupted", recording.State, recording.Stream)
	}
	served := filepath.Join(t.TempDir(), "served.webm")
	download(t, p.url+recording.URL, served)
	checkComplete(t, served, publisher, killed.Add(-mostLost))
}

// checkComplete checks that a file holds every frame that was sent before an
// instant.
func checkComplete(t *testing.T, file string, p *whipPublisher, until time.Time) {
	t.Helper()
	// A file that was cut off makes ffprobe complain; what counts is what it reads.
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_entries", "packet=codec_type,size", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var list struct {
		Packets []struct {
			Kind string `json:"codec_type"`
			Size string `json:"size"`
		} `json:"packets"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	frames := map[string][]int{}
	for _, packet := range list.Packets {
		size, err := strconv.Atoi(packet.Size)
		if err != nil {
			t.Fatal(err)
		}
		n := size - map[string]int{"video": videoBase, "audio": audioBase}[packet.Kind]
		if n < 0 && packet.Kind == "audio" {
			continue // silence, where the machine held up the sound
		}
		frames[packet.Kind] = append(frames[packet.Kind], n)
	}
	for _, kind := range []string{"video", "audio"} {
		got, want := frames[kind], p.lastBefore(kind, until)
		if len(got) == 0 {
			t.Errorf("%s: no frame", kind)
			continue
		}
		if last := got[len(got)-1]; last < want {
			t.Errorf("%s: the last frame is number %d, but %d was sent in time", kind, last, want)
		}
		if first := got[0]; first > 30 {
			t.Errorf("%s: the first frame is number %d, want one of the first second", kind, first)
		}
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				t.Errorf("%s: frame %d follows frame %d", kind, got[i], got[i-1])
			}
		}
	}
}

// theFile returns the one file below the recordings that matches a pattern.
func theFile(t *testing.T, data, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "recordings", pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %s: %q, %v; want one", pattern, files, err)
	}
	return files[0]
}

// theRecording returns the one recording that a server lists.
func theRecording(t *testing.T, url string) admin.Recording {
	t.Helper()
	list := get[recordingList](t, url+"/api/v1/recordings").Recordings
	if len(list) != 1 {
		t.Fatalf("the recordings are %+v, want one", list)
	}
	return list[0]
}

func download(t *testing.T, url, name string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, response.Status, err)
	}
	if err := os.WriteFile(name, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

// process is a server of its own, run from the real binary.
type process struct {
	t              testing.TB
	command        *exec.Cmd
	stdout, stderr output
	url            string
	ended          chan struct{} // closed when the program has ended
}

// startProcess starts a server on free ports and waits until it is ready. What is
// left of it is killed when the test ends.
func startProcess(t testing.TB, binary, data string, flags ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{})}
	args := append([]string{"serve", "--http-addr", "127.0.0.1:0", "--rtc-addr", "127.0.0.1:0", "--data-dir", data}, flags...)
	p.command = exec.Command(binary, args...)
	p.command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEIR_") })
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // the tests look at the state of the process
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.ended
		http.DefaultClient.CloseIdleConnections()
	})
	p.stdout.waitFor(t, "Ctrl-C stops")
	match := regexp.MustCompile(`publish +(http://\S+)/publish\n`).FindStringSubmatch(p.stdout.String())
	if match == nil {
		t.Fatalf("stdout does not tell the address: %s", p.stdout.String())
	}
	p.url = match[1]
	return p
}

// signal sends a signal; one that comes too late does nothing.
func (p *process) signal(s syscall.Signal) { _ = p.command.Process.Signal(s) }

// wait waits until the program has ended and returns how.
func (p *process) wait(most time.Duration) syscall.WaitStatus {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(most):
		p.t.Fatalf("the program still runs after %v; stderr: %s", most, p.stderr.String())
	}
	return p.command.ProcessState.Sys().(syscall.WaitStatus)
}

// dial opens a connection to the HTTP port that ends with the test.
func (p *process) dial() net.Conn {
	p.t.Helper()
	u, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	return conn
}

// output keeps what a program writes.
type output struct {
	mu      sync.Mutex
	written bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written.String()
}

// waitFor waits until the program has written a text.
func (o *output) waitFor(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(o.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the program did not write %q, but: %s", text, o.String())
		}
	}
}
