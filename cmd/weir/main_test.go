package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// weir runs a command line. One that would serve is ended after a while.
func weir(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var out, err bytes.Buffer
	status = run(ctx, append([]string{"weir"}, args...), &out, &err)
	return status, out.String(), err.String()
}

// TestRefused: what cannot be done is told in one sentence on stderr, which says
// what is wrong and what to do, and the exit status is 1.
func TestRefused(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	free := []string{"serve", "--http-addr", "127.0.0.1:0", "--rtc-addr", "127.0.0.1:0", "--data-dir", t.TempDir()}

	for _, c := range []struct {
		name string
		args []string
		want []string // parts of the sentence
	}{
		{"unknown flag", []string{"--nonsense"}, []string{"-nonsense", "'weir --help'"}},
		{"unknown flag of serve", []string{"serve", "--nonsense"}, []string{"-nonsense", "'weir serve --help'"}},
		{"flag without a value", []string{"serve", "--http-addr"}, []string{"-http-addr", "'weir serve --help'"}},
		{"bad value of a switch", []string{"serve", "--record=perhaps"}, []string{"-record", `"perhaps"`}},
		{"unknown command", []string{"nonsense"}, []string{`no command "nonsense"`, "'weir --help'"}},
		{"keyframes all the time", append(free, "--keyframe-interval", "20ms"), []string{"--keyframe-interval is 20ms", "10s, or 0"}},
		{"stray word", append(free, "nonsense"), []string{`"nonsense"`, "'weir serve --help'"}},
		{"HTTP port taken", append(free, "--http-addr", tcp.Addr().String()), []string{"--http-addr " + tcp.Addr().String() + " is in use"}},
		{"media port taken", append(free, "--rtc-addr", udp.LocalAddr().String()), []string{"--rtc-addr " + udp.LocalAddr().String() + " is in use"}},
		{"HTTP address without port", append(free, "--http-addr", "localhost"), []string{`--http-addr is "localhost"`, "HOST:PORT"}},
		{"media address without port", append(free, "--rtc-addr", "localhost"), []string{`--rtc-addr is "localhost"`, "HOST:PORT"}},
		{"no such port", append(free, "--http-addr", "127.0.0.1:65536"), []string{"--http-addr", "invalid port"}},
		{"not an address of this machine", append(free, "--rtc-addr", "192.0.2.1:1"), []string{"--rtc-addr", "cannot assign"}},
		{"file in place of the data folder", append(free, "--data-dir", file), []string{"--data-dir " + file, "not a directory"}},
		{"empty data folder", append(free, "--data-dir", ""), []string{"--data-dir is empty"}},
		{"bad base path", append(free, "--base-path", "media"), []string{`--base-path is "media"`, "such as /media"}},
		{"base path of our own", append(free, "--base-path", "/watch"), []string{`--base-path is "/watch"`, "weir's own"}},
		{"bad proxy", append(free, "--trusted-proxies", "10.0.0.1,proxy"), []string{"--trusted-proxies", `"proxy"`, "10.0.0.0/8"}},
		{"bad log level", append(free, "--log-level", "loud"), []string{`--log-level is "loud"`, "debug, info, warn or error"}},
		{"bad log format", append(free, "--log-format", "xml"), []string{`--log-format is "xml"`, "text or json"}},
		{"no such configuration file", append(free, "--config", file+".yaml"), []string{"--config", "no such file"}},
		{"bad configuration file", append(free, "--config", write(t, "[")), []string{"--config"}},
		{"list as a configuration file", append(free, "--config", write(t, "- a\n- b\n")), []string{"--config"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := weir(t, c.args...)
			if status != 1 {
				t.Errorf("the exit status is %d, want 1", status)
			}
			if stdout != "" {
				t.Errorf("stdout says %q, want nothing", stdout)
			}
			if !strings.HasPrefix(stderr, "weir: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
				t.Errorf("stderr is not one line that begins with the program's name:\n%s", stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr says %q, want it to contain %q", stderr, want)
				}
			}
		})
	}
}

// write makes a file with that content and returns its name.
func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestRefusedReleases: what was opened before the start failed is closed again.
func TestRefusedReleases(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	media := udp.LocalAddr().String()
	udp.Close()

	weir(t, "serve", "--data-dir", t.TempDir(), "--rtc-addr", media, "--http-addr", tcp.Addr().String())
	udp, err = net.ListenPacket("udp", media)
	if err != nil {
		t.Fatalf("the media port was not released: %v", err)
	}
	udp.Close()
}

// TestPrinted: what is asked for comes on stdout.
func TestPrinted(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"serve", "version", "--help"}},
		{[]string{"--help"}, []string{"serve", "version", "--help"}},
		{[]string{"serve", "--help"}, []string{
			"--http-addr", "127.0.0.1:8080", "WEIR_HTTP_ADDR", "--rtc-addr", "WEIR_RTC_ADDR", "--data-dir", "./weir-data", "WEIR_DATA_DIR",
			"--record", "WEIR_RECORD", "--log-level", "WEIR_LOG_LEVEL", "--log-format", "WEIR_LOG_FORMAT", "--config", "WEIR_CONFIG",
		}},
		{[]string{"version"}, []string{"weir " + version()}},
		{[]string{"--version"}, []string{version()}},
	} {
		status, stdout, stderr := weir(t, c.args...)
		if status != 0 || stderr != "" {
			t.Errorf("weir %q: status %d, stderr %q", c.args, status, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("weir %q prints %q, want it to contain %q", c.args, stdout, want)
			}
		}
	}
}

// TestMediaAddr: the port for media follows the one for HTTP to loopback or to
// all addresses.
func TestMediaAddr(t *testing.T) {
	for _, c := range []struct{ http, rtc, want string }{
		{"127.0.0.1:8080", "", "127.0.0.1:8081"},
		{"localhost:0", "", "127.0.0.1:8081"},
		{"[::1]:8080", "", "127.0.0.1:8081"},
		{":8080", "", ":8081"},
		{"0.0.0.0:80", "", ":8081"},
		{"192.0.2.1:8080", "", ":8081"},
		{"127.0.0.1:8080", ":9000", ":9000"},
		{":8080", "127.0.0.1:0", "127.0.0.1:0"},
	} {
		if got, err := mediaAddr(c.http, c.rtc); err != nil || got != c.want {
			t.Errorf("--http-addr %q --rtc-addr %q: media goes through %q (%v), want %q", c.http, c.rtc, got, err, c.want)
		}
	}
}

// TestReadme: OPERATING.md tells the truth about the command line, and README.md about what CI
// runs.
func TestReadme(t *testing.T) {
	readme, operating := fileText(t, root+"/README.md"), fileText(t, root+"/OPERATING.md")
	for _, flag := range serveCommand().Flags {
		documented, ok := flag.(cli.DocGenerationFlag)
		if !ok {
			t.Fatalf("%v tells nothing of its environment variable", flag)
		}
		row := "`--" + flag.Names()[0] + "` | `" + documented.GetEnvVars()[0] + "`"
		if !strings.Contains(operating, row) {
			t.Errorf("the table of flags in OPERATING.md lacks %s", row)
		}
	}
	ci := strings.Split(strings.TrimSpace(fileText(t, root+"/.ci/run")), "\n")
	if last := ci[len(ci)-1]; !strings.Contains(readme, last) {
		t.Errorf(".ci/run runs %q, but README.md does not say so", last)
	}
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
