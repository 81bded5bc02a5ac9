package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
)

// pageOnly lets clients see pages, and nothing of what they are about.
type pageOnly struct{ allowed map[signaling.Action]bool }

// Authorize implements signaling.Authorizer.
func (p pageOnly) Authorize(_ *http.Request, i signaling.Intent) error {
	if p.allowed[i.Action] {
		return nil
	}
	return signaling.ErrForbidden
}

// headOf returns the status of a page, and what its head tells.
func headOf(t *testing.T, url string) (int, map[string]string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile(`<meta (?:property|name)="([a-z:_]+)" content="([^"]*)">`).FindAllStringSubmatch(string(body), -1) {
		told[m[1]] = html.UnescapeString(m[2])
	}
	return r.StatusCode, told
}

const headRecording = "aaaaaaaaaaaaaaaa"

// addRecording puts a recording into the server's folder and its catalogue.
func addRecording(t *testing.T, dataDir string) {
	t.Helper()
	base := filepath.Join(dataDir, "recordings", "acme", "desk", "20260102T030405Z-"+headRecording)
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	sidecar := fmt.Sprintf(`{"id":%q,"stream":"acme/desk","title":"A talk","state":"finished","started_at":"2026-01-02T03:04:05Z","duration_ms":3725000,"gaps":[]}`, headRecording)
	for name, text := range map[string]string{base + ".json": sidecar, base + ".webm": "media"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// head is what a test looks at of a page.
type head struct {
	status             int
	title, description string
}

// TestHeads: pages tell of what is live and of recordings, with whole addresses, to those
// who may know of it.
func TestHeads(t *testing.T) {
	for _, tt := range []struct {
		name       string
		authorizer signaling.Authorizer
		live       string // description of the live stream without a title
		titled     head
		recording  string // title of the recording
		recorded   string // its description
		unknown    int    // status of the page of a recording that is not there
	}{
		{"everybody", nil, "A broadcast of acme/desk.", head{200, "夜のコンサート <live>", "Two lines"}, "A talk", "Recorded on 2 January 2026, 1:02:05.", http.StatusNotFound},
		{"pages only", pageOnly{map[signaling.Action]bool{signaling.ReadPage: true}}, "Watch a broadcast live.", head{200, "acme/stage", "Watch a broadcast live."}, "Recording", "A broadcast recorded on this server.", http.StatusOK},
		{"streams", pageOnly{map[signaling.Action]bool{signaling.ReadPage: true, signaling.ReadStream: true}}, "A broadcast of acme/desk.", head{200, "夜のコンサート <live>", "Two lines"}, "Recording", "A broadcast recorded on this server.", http.StatusOK},
		{"recordings", pageOnly{map[signaling.Action]bool{signaling.ReadPage: true, signaling.ReadRecording: true}}, "Watch a broadcast live.", head{200, "acme/stage", "Watch a broadcast live."}, "A talk", "Recorded on 2 January 2026, 1:02:05.", http.StatusNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dataDir := t.TempDir()
			addRecording(t, dataDir)
			s := startServerIn(t, dataDir, tt.authorizer)
			publication, err := s.app.hub.Publish("acme/desk", sfu.PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer publication.Close()
			titled, err := s.app.hub.Publish("acme/stage", sfu.PublishOptions{Texts: sfu.Texts{Title: "夜のコンサート <live>", Description: "Two\nlines"}})
			if err != nil {
				t.Fatal(err)
			}
			defer titled.Close()
			for target, want := range map[string]head{
				"/watch/acme/desk":             {200, "acme/desk", tt.live},
				"/watch/acme/stage":            tt.titled,
				"/watch/acme/absent":           {200, "acme/absent", "Watch a broadcast live."},
				"/recordings/" + headRecording: {200, tt.recording, tt.recorded},
				"/recordings/none":             {tt.unknown, "Recording", "A broadcast recorded on this server."},
			} {
				status, told := headOf(t, s.url+target)
				if status != want.status || told["og:title"] != want.title || told["og:description"] != want.description {
					t.Errorf("%s: %d, %v, want %+v", target, status, told, want)
				}
				if !strings.HasPrefix(told["og:image"], s.url+"/static/h-") || told["og:url"] != s.url+target {
					t.Errorf("%s: %v", target, told)
				}
			}
		})
	}
}

// TestHeadsHaveTitles: what is said of a broadcast is in the head as text, whatever it is.
func TestHeadsHaveTitles(t *testing.T) {
	dataDir := t.TempDir()
	addRecording(t, dataDir)
	s := startServerIn(t, dataDir, nil)
	texts := sfu.Texts{Title: `</title><script>"x"</script> بثّ مباشر 🎬`, Description: "一行目\n\"><img src=x>"}
	publication, err := s.app.hub.Publish("acme/desk", sfu.PublishOptions{Texts: texts})
	if err != nil {
		t.Fatal(err)
	}
	defer publication.Close()
	if _, err := s.app.recorder.Describe(headRecording, recorder.Change{TextsChange: sfu.TextsChange{Title: &texts.Title, Description: &texts.Description}}); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/watch/acme/desk", "/recordings/" + headRecording} {
		status, told := headOf(t, s.url+target)
		if status != http.StatusOK || told["og:title"] != texts.Title || told["og:description"] != `一行目 "><img src=x>` {
			t.Errorf("%s: %d, %v", target, status, told)
		}
		r, err := http.Get(s.url + target)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if strings.Contains(string(body), `"x"`) || strings.Contains(string(body), "<img src=x") {
			t.Errorf("%s: the title is markup", target)
		}
	}
}

func TestRecorded(t *testing.T) {
	at := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	for ms, want := range map[int64]string{
		0: "Recorded on 30 November 2026.", 999: "Recorded on 30 November 2026.",
		65_000: "Recorded on 30 November 2026, 1:05.", 3_725_999: "Recorded on 30 November 2026, 1:02:05.",
	} {
		if got := recorded(recorder.Recording{StartedAt: at, DurationMS: ms}); got != want {
			t.Errorf("%d ms: %q, want %q", ms, got, want)
		}
	}
}
