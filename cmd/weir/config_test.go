package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// settings runs the serve command's flags with args and returns what they come to.
func settings(t *testing.T, args ...string) (map[string]string, error) {
	t.Helper()
	got := map[string]string{}
	command := serveCommand()
	command.Action = func(c *cli.Context) error {
		for _, flag := range c.Command.Flags {
			name := flag.Names()[0]
			got[name] = strings.TrimSpace(c.String(name))
		}
		got["record"] = map[bool]string{true: "true", false: "false"}[c.Bool("record")]
		return nil
	}
	app := &cli.App{Commands: []*cli.Command{command}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.Run(append([]string{"weir", "serve"}, args...))
	return got, err
}

func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weir.yaml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("http-addr: :9000\nrtc-addr: :9001 # media\nrecord: no\nlog-level: debug\n")
	t.Setenv("WEIR_RTC_ADDR", ":7001")
	got, err := settings(t, "--config", file, "--log-level", "error")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"http-addr": ":9000",       // from the file
		"rtc-addr":  ":7001",       // the environment wins
		"log-level": "error",       // the command line wins
		"record":    "false",       // not only strings
		"data-dir":  "./weir-data", // the default
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}

	for content, want := range map[string]string{
		"htp-addr: :1\n":            `line 1: there is no setting "htp-addr"; did you mean http-addr? those there are: http-addr, `,
		"\nrecord: perhaps\n":       `line 2: record is "perhaps"; it must be true or false`,
		"http-addr: [a, b]\n":       "line 1: http-addr takes one value",
		"- just\n- a list\n":        "not a YAML map",
		"config: other.yaml\n":      `there is no setting "config"`,
		"http-addr: \"unfinished\n": "not a YAML map",
	} {
		write(content)
		if _, err := settings(t, "--config", file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", content, err, want)
		}
	}
	write("")
	if _, err := settings(t, "--config", file); err != nil {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := settings(t, "--config", file+"x"); err == nil {
		t.Error("a file that does not exist is taken")
	}
}
