package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/signaling/admin"
)

// startNginx runs Debian's nginx with these locations, and returns the URL of its root.
func startNginx(t *testing.T, locations string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // its workers are another user
		t.Fatal(err)
	}
	var folders string
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		folders += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	config := fmt.Sprintf(`daemon off; pid %s/pid; error_log stderr; worker_processes 1;
		events { worker_connections 64; }
		http { access_log off; %s server { listen %s; server_name localhost; %s } }`, dir, folders, addr, locations)
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := exec.Command("nginx", "-p", dir, "-c", name)
	c.Stderr = &said
	ownGroup(c) // it has children
	if err := c.Start(); err != nil {
		t.Fatalf("start nginx (apt-get install nginx-light): %v", err)
	}
	t.Cleanup(func() { killGroup(c) })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return "http://" + strings.Replace(addr, "127.0.0.1", "localhost", 1)
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %s", said.String())
		}
	}
}

// TestUnderAPathUnknown: behind a bare proxy_pass that puts weir below a path and
// tells it nothing, over HTTP/1.0, all pages work: publishing, watching, the end, the
// recording and its deletion.
func TestUnderAPathUnknown(t *testing.T) {
	s := startServer(t)
	front := startNginx(t, fmt.Sprintf("location /media/ { proxy_pass http://%s/; }", s.addr)) + "/media"
	c := startChrome(t)
	publisher := c.Open(t, front+"/publish?name=under/a/path")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	if link := eval[string](publisher, `document.querySelector("#share-link").href`); link != front+"/watch/under/a/path" {
		t.Errorf("the page says that viewers go to %s", link)
	}
	publisher.Click("#share-more")
	waitShared(publisher, front+"/watch/under/a/path")
	publisher.Do(chromedp.KeyEvent(kb.Escape))
	checkClosed(publisher, "#share-more")
	viewer := c.Open(t, front+"/watch/under/a/path")
	viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0 && document.querySelector("#player").currentTime > 1`)
	home := c.Open(t, front+"/")
	home.Wait("card", fmt.Sprintf(`document.querySelector('[data-stream="under/a/path"] a')?.href === %q`, front+"/watch/under/a/path"))
	publisher.Click("#toggle")
	publisher.Wait("recorded", fmt.Sprintf(`document.querySelector("#after-watch").checkVisibility() && document.querySelector("#after-watch").href.startsWith(%q)`, front+"/recordings/"))
	viewer.Wait("the end", `document.documentElement.dataset.state === "ended"`)
	recording := waitFinished(t, s.url, "under/a/path")
	list := c.Open(t, front+"/recordings#"+recording.ID)
	list.Wait("its page", fmt.Sprintf(`location.href === %q && document.querySelector("#player")?.readyState >= 2`, front+"/recordings/"+recording.ID))
	list.Do(chromedp.Navigate(front + "/recordings"))
	list.Wait("its picture, or none", `document.querySelector("[data-recording] .card-more")`)
	list.Click(".card-more")
	list.Click(`[data-action="delete"]`)
	list.Wait("it is gone", `document.querySelector("#empty").checkVisibility() && !document.querySelector(".notice")`)
	for _, p := range []*tab{publisher, viewer, home, list} {
		if outside := eval[[]string](p, fmt.Sprintf(`[...performance.getEntriesByType("resource")].map((e) => e.name)
			.filter((url) => url.startsWith("http") && !url.startsWith(%q))`, front+"/")); len(outside) > 0 {
			t.Errorf("a page asks for what is outside: %q", outside)
		}
		p.Quiet()
	}
}

// TestUnderAPath: what a server says of addresses is below the path that it was told
// of, whether by a flag or by a proxy that it trusts, and whether the proxy takes the
// path off or not; WebSockets pass where the proxy lets them.
func TestUnderAPath(t *testing.T) {
	for _, tt := range []struct {
		name, location string
		flags          []string
	}{
		{"bare", "location /media/ { proxy_pass http://%s/; }", []string{"--base-path", "/media"}},
		{"kept", "location /media/ { proxy_pass http://%s; proxy_http_version 1.1; proxy_set_header Host $http_host; }", []string{"--base-path", "/media"}},
		{"told", `location /media/ { proxy_pass http://%s/; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection upgrade; proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Prefix /media; }`,
			[]string{"--trusted-proxies", "127.0.0.0/8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startServer(t, tt.flags...)
			front := startNginx(t, fmt.Sprintf(tt.location, s.addr)) + "/media"
			checkBelow(t, s, front)
			if tt.name == "told" {
				checkSocket(t, front)
			}
		})
	}
}

// checkBelow goes the way of a WHIP client, of one of the API, and of old clients.
func checkBelow(t *testing.T, s *testServer, front string) {
	t.Helper()
	events, err := http.Get(front + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	base, err := url.Parse(front)
	if err != nil {
		t.Fatal(err)
	}
	publisher := publishTest(t, front+"/whip/below")
	if !strings.HasPrefix(publisher.location, base.Path+"/session/") {
		t.Errorf("the session is at %q", publisher.location)
	}
	publisher.stop()
	recording := waitFinished(t, front, "below")
	if recording.URL != base.Path+"/recordings/"+recording.ID+".webm" {
		t.Errorf("the recording is at %q", recording.URL)
	}
	file, err := base.Parse(recording.URL)
	if err != nil {
		t.Fatal(err)
	}
	for target, status := range map[string]int{file.String(): 200, front + "/": 200, front + "/watch/below": 200, front + "/nothing": 404} {
		r, err := http.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != status || n < 500 {
			t.Errorf("%s: %s, %d bytes", target, r.Status, n)
		}
	}
	redirects := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for from, to := range map[string]string{"/compat/amlive/w/abc/": "/watch/amlive/abc", "/publish/": "/publish"} {
		r, err := redirects.Get(front + from)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if where, err := r.Location(); err != nil || where.Path != base.Path+to {
			t.Errorf("%s leads to %v (%v)", from, where, err)
		}
	}
	lines := bufio.NewScanner(events.Body)
	for lines.Scan() {
		var event struct{ Recording admin.Recording }
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && !strings.Contains(data, `"type":"stream.`) {
			if err := json.Unmarshal([]byte(data), &event); err != nil || event.Recording.URL != recording.URL {
				t.Errorf("an event tells %s (%v)", data, err)
			}
			return
		}
	}
	t.Errorf("no event came: %v", lines.Err())
}

// whipClient is a publisher that is no browser.
type whipClient struct {
	location string // as the server says it
	stop     func() // with DELETE of its session
}

// publishTest publishes for a moment.
func publishTest(t *testing.T, endpoint string) whipClient {
	t.Helper()
	c := peertest.NewAPI(t, peertest.Options{}).NewClient(t)
	broadcast := peertest.Broadcast{
		Audio: c.Send(t, media.Opus), Video: c.Send(t, media.VP8), KeyEvery: 10, Size: 500, KeySize: 2000,
	}
	r, err := http.Post(endpoint, "application/sdp", strings.NewReader(c.Offer(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s, %s (%v)", endpoint, r.Status, answer, err)
	}
	session, err := r.Location()
	if err != nil {
		t.Fatal(err)
	}
	c.Answer(t, string(answer))
	c.AwaitConnected(t)
	end := broadcast.Start(t)
	return whipClient{location: r.Header.Get("Location"), stop: func() {
		time.Sleep(300 * time.Millisecond) // some of it is recorded
		end()
		request, err := http.NewRequest(http.MethodDelete, session.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Errorf("DELETE %s: %s", session, r.Status)
		}
	}}
}

// checkSocket publishes over a WebSocket as far as the first word of the server's.
func checkSocket(t *testing.T, front string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, front+"/ws/publish/below/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("a WebSocket is answered with %s", response.Status)
	}
	head := make([]byte, 2) // of a text message shorter than 126 bytes (RFC 6455 section 5.2)
	if _, err := io.ReadFull(response.Body, head); err != nil || head[1] >= 126 {
		t.Fatalf("the first message begins with %x (%v)", head, err)
	}
	text := make([]byte, head[1])
	if _, err := io.ReadFull(response.Body, text); err != nil || !strings.Contains(string(text), `"watch":"/media/watch/below/socket"`) {
		t.Errorf("the server says %s (%v)", text, err)
	}
}
