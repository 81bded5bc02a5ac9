package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/sfu/media"
)

func TestParseAnswer(t *testing.T) {
	const good = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:SHA-256 ab:cd\r\na=setup:passive\r\n" +
		"a=rtpmap:111 opus/48000/2\r\na=candidate:1 1 udp 5 10.0.0.1 1000 typ host\r\na=candidate:2 1 UDP 9 10.0.0.2 1000 typ host\r\n" +
		"a=candidate:3 1 tcp 10 10.0.0.3 1000 typ host tcptype passive\r\na=candidate:4 1 udp 11 ::1 1000 typ host\r\n" +
		"a=candidate:5 1 udp 12 x.local 1000 typ host\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=rtpmap:97 VP8/90000\r\n"
	a, err := parseAnswer(good)
	if err != nil {
		t.Fatal(err)
	}
	if a.ufrag != "u" || a.pwd != "p" || a.fingerprint != "sha-256 AB:CD" || a.active || a.kinds[111] != media.Audio || a.kinds[97] != media.Video ||
		len(a.candidates) != 2 || a.candidates[0].String() != "10.0.0.2:1000" {
		t.Errorf("%+v", a)
	}
	for bad, want := range map[string]string{
		"": "ice-ufrag",
		strings.ReplaceAll(good, "SHA-256", "sha-1"):       "SHA-256",
		strings.ReplaceAll(good, " typ host", ""):          "no candidate",
		strings.ReplaceAll(good, "m=video 9", "m=video 0"): "VP8",
	} {
		if _, err := parseAnswer(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestPostErrors(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"no Location": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeSDP)
			w.WriteHeader(http.StatusCreated)
		},
		"text/html": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusCreated)
		},
		"200 OK": func(w http.ResponseWriter, _ *http.Request) {},
		"401 Unauthorized: say who": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"detail":"say who"}`, http.StatusUnauthorized)
		},
		"409 Conflict":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) },
		"offers of its own": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotAcceptable) },
	} {
		h := httptest.NewServer(answer)
		_, _, err := post(t.Context(), h.Client(), h.URL, "", "v=0")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), h.URL) {
			t.Errorf("%v; want %q", err, want)
		}
		h.Close()
	}
}

func TestValidate(t *testing.T) {
	good := config("http://127.0.0.1:1")
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"--whip":              func(c *Config) { c.WHIP = "localhost" },
		"--whep":              func(c *Config) { c.WHEP = "ftp://x/{name}" },
		"{name}":              func(c *Config) { c.Streams, c.WHIP = 2, "http://x/y" },
		"--name":              func(c *Config) { c.Name = "a?b" },
		"--streams":           func(c *Config) { c.Streams = 0 },
		"--viewers":           func(c *Config) { c.Viewers = -1 },
		"--viewers times":     func(c *Config) { c.Streams, c.Viewers = 1000, 1000 },
		"--fps":               func(c *Config) { c.FrameRate = 0 },
		"--bitrate":           func(c *Config) { c.Bitrate = 0 },
		"--audio-bitrate":     func(c *Config) { c.AudioBitrate = 1000 },
		"--keyframe-interval": func(c *Config) { c.KeyframeInterval = 0 },
		"--duration":          func(c *Config) { c.Duration = 0 },
		"--ramp":              func(c *Config) { c.Ramp = -1 },
		"--decrypt-every":     func(c *Config) { c.DecryptEvery = 0 },
		"needs --pid":         func(c *Config) { c.Expect = expect(t, "cpu_per_packet<1us") },
		"--joins needs":       func(c *Config) { c.Joins = 1 },
		"--joins is":          func(c *Config) { c.Joins = -1 },
		"--profiles needs":    func(c *Config) { c.Profiles = "http://127.0.0.1:1" },
		"--profiles is":       func(c *Config) { c.PID, c.Profiles = 1, "localhost" },
		"needs --viewers":     func(c *Config) { c.Viewers, c.Expect = 0, expect(t, "loss<1%") },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func TestRunErrors(t *testing.T) {
	dead := config("http://127.0.0.1:1")
	if _, err := Run(t.Context(), dead); err == nil || !strings.Contains(err.Error(), "publish test-1") {
		t.Errorf("no server: %v", err)
	}
	url := newServer(t)
	c := config(url)
	c.PID = 1<<30 - 1
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("no process: %v", err)
	}
	c = config(url)
	c.WHEP, c.Viewers = "http://127.0.0.1:1/{name}", 2
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no viewer could join") {
		t.Errorf("no viewer: %v", err)
	}
}
