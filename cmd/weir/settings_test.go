package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"weir/recorder"
)

// TestSettingsRefused: a bad value is refused in the same words wherever it comes from,
// with the name of where that is.
func TestSettingsRefused(t *testing.T) {
	serve := func(args ...string) []string { return append([]string{"serve", "--data-dir", t.TempDir()}, args...) }
	for _, c := range []struct {
		name     string
		args     []string
		variable string // NAME=VALUE
		want     string // what stderr begins with, behind "weir: "
	}{
		{"flag, time", serve("--grace", "soon"), "", `--grace is "soon"; it must be a time such as 15s; 'weir serve --help'`},
		{"variable, time", serve(), "WEIR_GRACE=soon", `WEIR_GRACE is "soon"; it must be a time such as 15s; 'weir serve --help'`},
		{"file, time", serve("--config", write(t, "\ngrace: soon")), "", `--config FILE, line 2: grace is "soon"; it must be a time such as 15s`},
		{"flag, switch", serve("--record=perhaps"), "", `--record is "perhaps"; it must be true or false;`},
		{"variable, switch", serve(), "WEIR_RECORD=perhaps", `WEIR_RECORD is "perhaps"; it must be true or false;`},
		{"file, switch", serve("--config", write(t, "record: perhaps")), "", `--config FILE, line 1: record is "perhaps"; it must be true or false`},
		{"flag, level", serve("--log-level", "loud"), "", `--log-level is "loud"; it must be debug, info, warn or error`},
		{"variable, level", serve(), "WEIR_LOG_LEVEL=loud", `WEIR_LOG_LEVEL is "loud"; it must be debug, info, warn or error`},
		{"file, level", serve("--config", write(t, "log-level: loud")), "", `--config FILE, line 1: log-level is "loud"; it must be debug, info, warn or error`},
		{"variable, time below 0", serve(), "WEIR_GRACE=-3s", `WEIR_GRACE is -3s; it must be`},
		{"flag wins", serve("--log-level", "quiet"), "WEIR_LOG_LEVEL=loud", `--log-level is "quiet"; it must be`},
		{"number", []string{"load", "--viewers", "many"}, "", `--viewers is "many"; it must be a whole number such as`},
		{"no value", serve("--grace"), "", `--grace lacks its value: a time such as 15s; 'weir serve --help'`},
		{"misspelt flag", serve("--grcae", "3s"), "", `there is no flag --grcae; did you mean --grace? 'weir serve --help'`},
		{"flag like none", serve("--nonsense"), "", `there is no flag --nonsense; 'weir serve --help'`},
		{"misspelt flag of a command below one", []string{"recordings", "list", "--jsn"}, "", `there is no flag --jsn; did you mean --json? 'weir recordings list --help'`},
		{"misspelt command", []string{"sevre"}, "", `there is no command "sevre"; did you mean serve? 'weir --help'`},
		{"misspelt command below one", []string{"recordings", "lst"}, "", `there is no command "lst"; did you mean list? 'weir recordings --help'`},
		{"misspelt command of help", []string{"help", "sevre"}, "", `there is no command "sevre"; did you mean serve? 'weir --help'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if name, value, ok := strings.Cut(c.variable, "="); ok {
				t.Setenv(name, value)
			}
			status, _, stderr := weir(t, c.args...)
			want := c.want
			for i, arg := range c.args {
				if arg == "--config" {
					want = strings.ReplaceAll(want, "FILE", c.args[i+1])
				}
			}
			if status != 1 || !strings.HasPrefix(stderr, "weir: "+want) {
				t.Errorf("status %d, stderr %q, want it to begin with %q", status, stderr, want)
			}
		})
	}
}

// TestUnknownVariable: a variable that looks like a setting is named at the start.
func TestUnknownVariable(t *testing.T) {
	t.Setenv("WEIR_GRASE", "3s")
	t.Setenv("WEIR_GRACE", "3s")
	for _, name := range []string{"WEIR_SERVICE_HOST", "WEIR_SERVICE_PORT", "WEIR_SERVICE_PORT_HTTP", "WEIR_PORT", "WEIR_PORT_8080_TCP", "WEIR_PORT_8080_TCP_ADDR"} {
		t.Setenv(name, "10.0.0.1") // Kubernetes sets them where a Service is called weir
	}
	_, _, stderr := weir(t, "serve", "--data-dir", t.TempDir(), "--http-addr", "192.0.2.1:1", "--rtc-addr", "127.0.0.1:0")
	if want := "the environment variable WEIR_GRASE is no setting; did you mean WEIR_GRACE?"; strings.Count(stderr, "no setting") != 1 || !strings.Contains(stderr, want) {
		t.Errorf("stderr is %q", stderr)
	}
}

func TestClosest(t *testing.T) {
	known := []string{"record", "record-keep", "grace", "log-level", "json"}
	for word, want := range map[string]string{
		"recrod": "record", "record-kep": "record-keep", "grac": "grace", "garce": "grace", "loglevel": "log-level", "jsno": "json",
		"": "", "x": "", "viewers": "", "grüße": "",
	} {
		if got := closest(word, known); got != want {
			t.Errorf("%q may mean %q, want %q", word, got, want)
		}
	}
}

func TestListRecordings(t *testing.T) {
	dir := t.TempDir()
	for stream, id := range map[string]string{"acme/desk": "a1", "acme/door": "b2"} {
		folder := filepath.Join(dir, "recordings", filepath.FromSlash(stream))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		// Of a file whose sidecar was lost, and that cannot be read, the tracks are not known.
		sidecar := `{"id":"` + id + `","stream":"` + stream + `","state":"finished","started_at":"2026-01-02T03:04:05Z","duration_ms":1500,"bytes":2000000,"tracks":null}`
		if err := os.WriteFile(filepath.Join(folder, id+".json"), []byte(sidecar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	status, stdout, stderr := weir(t, "recordings", "list", "--data-dir", dir)
	if status != 0 || strings.Count(stdout, "\n") != 3 {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	_, stdout, _ = weir(t, "recordings", "list", "--data-dir", dir, "--json", "--stream", "acme/door")
	var list struct {
		Recordings []struct {
			recorder.Recording
			File string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if len(list.Recordings) != 1 || list.Recordings[0].Tracks == nil || list.Recordings[0].ID != "b2" || list.Recordings[0].DurationMS != 1500 ||
		!strings.HasPrefix(list.Recordings[0].File, filepath.Join(dir, "recordings", "acme", "door")) {
		t.Errorf("the list is %s", stdout)
	}
	if _, stdout, _ = weir(t, "recordings", "list", "--data-dir", dir, "--json", "--stream", "nobody"); strings.TrimSpace(strings.Join(strings.Fields(stdout), "")) != `{"recordings":[]}` {
		t.Errorf("the list of nobody's is %s", stdout)
	}
}

func TestVersion(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	revision := setting("vcs.revision", "0123456789abcdef0123")
	for want, info := range map[string]*debug.BuildInfo{
		"1.2.3":              {Main: debug.Module{Version: "v1.2.3"}},
		nextRelease + "-dev": {Main: debug.Module{Version: "(devel)"}},
		nextRelease + "-dev+0123456789ab": {
			Main: debug.Module{Version: "v0.0.0-20260102030405-0123456789ab"}, Settings: []debug.BuildSetting{revision, setting("vcs.modified", "false")}},
		nextRelease + "-dev+0123456789ab.modified": {Settings: []debug.BuildSetting{revision, setting("vcs.modified", "true")}},
	} {
		if got := versionOf(info); got != want {
			t.Errorf("the version is %q, want %q", got, want)
		}
	}
}
