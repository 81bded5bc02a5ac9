package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"weir/recorder"
)

// keptRecording is a recording that lies in a data folder when the server starts.
type keptRecording struct {
	recorder.Recording
	file []byte
}

// keep puts it into a data folder, with what a sidecar tells in any case.
func (k keptRecording) keep(t *testing.T, dataDir string) {
	t.Helper()
	k.Bytes = int64(len(k.file))
	if k.State == "" {
		k.State = recorder.Finished
	}
	if k.Quality == nil {
		k.Quality = &recorder.Quality{Verdict: "clean"}
	}
	if k.Gaps == nil {
		k.Gaps = []recorder.Gap{}
	}
	ended := k.StartedAt.Add(time.Duration(k.DurationMS) * time.Millisecond)
	k.EndedAt = &ended
	raw, err := json.Marshal(k.Recording)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(dataDir, "recordings", k.Stream, k.StartedAt.UTC().Format("20060102T150405Z")+"-"+k.ID)
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{base + ".webm": k.file, base + ".json": raw} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shortClip is 40 s of a test picture with a tone, or of the tone alone.
func shortClip(t *testing.T, picture bool) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.webm")
	args := []string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=440"}
	if picture {
		args = append(args, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=5", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "10")
	}
	args = append(args, "-t", "40", "-c:a", "libopus", "-b:a", "32k", file)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var clipTracks = []recorder.Track{
	{ID: "video", Kind: "video", Codec: "vp8", Width: 320, Height: 180, Frames: 200, Keyframes: 20, Bytes: 500_000},
	{ID: "audio", Kind: "audio", Codec: "opus", Channels: 1, Frames: 2000, Bytes: 160_000},
}

// keepStates puts recordings of each kind into a data folder.
func keepStates(t *testing.T, dataDir string) {
	t.Helper()
	clip, now := shortClip(t, true), time.Now().UTC()
	var gaps []recorder.Gap
	for n := range 300 {
		gaps = append(gaps, recorder.Gap{Track: clipTracks[n%2].ID, AtMS: int64(n * 130), DurationMS: 50})
	}
	at := func(ago time.Duration, r recorder.Recording) recorder.Recording {
		r.StartedAt, r.DurationMS = now.Add(-ago), 40_000
		if r.Tracks == nil {
			r.Tracks = clipTracks
		}
		return r
	}
	for _, k := range []keptRecording{
		{at(5*time.Hour, recorder.Recording{ID: "firstfirstfirst1", Stream: "a/show", State: recorder.Interrupted, Next: "secondsecondseco"}), clip},
		{at(4*time.Hour, recorder.Recording{ID: "secondsecondseco", Stream: "a/show", Previous: "firstfirstfirst1", Next: "gonegonegonegone", Title: "بثّ من الميناء",
			Description: "Ships come and go.\nAll day.", Gaps: gaps, MoreGaps: 17, Quality: &recorder.Quality{Verdict: "poor"}}), clip},
		{at(time.Hour, recorder.Recording{ID: "soundsoundsound1", Stream: "radio", Tracks: clipTracks[1:]}), shortClip(t, false)},
		{at(time.Hour, recorder.Recording{ID: "brokenbrokenbrok", Stream: "broken", State: recorder.Failed, Reason: "the recording could not be written: input/output error"}), []byte("no film")},
		{recorder.Recording{ID: "emptyemptyempty1", Stream: "empty", StartedAt: now.Add(-time.Hour)}, nil},
	} {
		k.keep(t, dataDir)
	}
}

// TestRecordingStates: whatever a recording is like, its page says so, without a word too
// much in the console and without a finding of axe.
func TestRecordingStates(t *testing.T) {
	dataDir := t.TempDir()
	keepStates(t, dataDir)
	s := startServerAt(t, dataDir)
	c := startChrome(t)
	veil := func(title string) string {
		return fmt.Sprintf(`document.querySelector("#veil").checkVisibility() && document.querySelector("#veil-title").innerText === %q`, title)
	}
	plays := `document.querySelector("#player").readyState >= 1 && !document.querySelector("#veil").checkVisibility() && !document.querySelector("#bar").hidden`
	for _, state := range []struct{ name, id, shown, state string }{
		{"mended", "firstfirstfirst1", plays, "The file was mended"},
		{"many-gaps", "secondsecondseco", plays, "more than a hundredth"},
		{"sound", "soundsoundsound1", veil("Sound only") + ` && document.querySelector("#player").readyState >= 1`, "Nothing is missing."},
		{"broken", "brokenbrokenbrok", veil("This browser cannot play it") + ` && document.querySelector("#veil-download").checkVisibility()`, "input/output error"},
		{"empty", "emptyemptyempty1", veil("Nothing to play") + ` && document.querySelector("#download").hidden`, "Nothing is missing."},
	} {
		for _, scheme := range []string{"light", "dark"} {
			if !*looks && scheme == "light" {
				continue
			}
			p := c.Open(t, "about:blank", watchDeeds)
			emulate(p, scheme, 1280)
			p.Do(chromedp.Navigate(s.url + "/recordings/" + state.id))
			p.Wait(state.name, state.shown)
			if text := eval[string](p, `document.querySelector("#facts").innerText`); !strings.Contains(text, state.state) || strings.Contains(text, "0 place") {
				t.Errorf("%s: the facts are %q, want %q among them", state.name, text, state.state)
			}
			p.Wait("the others", `document.querySelector("#others").hidden === `+fmt.Sprint(!strings.HasPrefix(state.name, "m")))
			p.Accessible(state.name + ", " + scheme)
			capture(t, p, "recording-"+state.name, scheme, 1280)
			capture(t, p, "recording-"+state.name, scheme, 390)
			if state.name == "many-gaps" && scheme == "dark" {
				checkManyGaps(t, p)
				checkLeaving(t, s, p, state.id)
			}
			p.Quiet()
			p.Close()
		}
	}
}

// checkManyGaps shows all places of a list that is long, and the links to other recordings.
func checkManyGaps(t *testing.T, p *tab) {
	t.Helper()
	count := func() int { return eval[int](p, `document.querySelectorAll("#gap-list li").length`) }
	if n := count(); n != 8 {
		t.Errorf("%d of many places are listed at first", n)
	}
	p.Do(chromedp.Focus(chromedp.CSS("#all-gaps")), chromedp.KeyEvent(kb.Enter))
	p.Wait("the ninth has the focus", `document.activeElement === document.querySelector("#gap-list li:nth-child(9) button")`)
	if n := count(); n != 39 { // one for each second that has some
		t.Errorf("%d places are listed", n)
	}
	if text := eval[string](p, `document.querySelector("#gaps-more").checkVisibility() && document.querySelector("#gaps-more").innerText`); !strings.Contains(text, "17 more") {
		t.Errorf("of those that are not listed it says %q", text)
	}
	if n := eval[int](p, `document.querySelectorAll("#missing rect").length`); n == 0 || n > 400 {
		t.Errorf("%d places are hatched", n)
	}
	chain := eval[[]string](p, `[...document.querySelectorAll("#chain a")].map((a) => a.getAttribute("href"))`)
	if len(chain) != 1 || !strings.HasSuffix(chain[0], "/recordings/firstfirstfirst1") { // the one behind it is gone
		t.Errorf("it leads on to %q", chain)
	}
}

// checkLeaving deletes, and leaves before the way back is closed.
func checkLeaving(t *testing.T, s *testServer, p *tab, id string) {
	t.Helper()
	p.Click("#delete")
	p.Wait("the way back", `document.querySelector(".notice button")`)
	p.Screenshot("recording-deleted")
	p.Do(chromedp.Navigate(s.url + "/recordings"))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(s.url + "/api/v1/recordings/" + id)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is still there after its page was left: %s", response.Status)
		}
	}
}

// TestRecordingOfWhatIsLive: the page of a recording that still goes on leads to the
// broadcast, and plays by itself of the file once it has ended.
func TestRecordingOfWhatIsLive(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=live/now&transport=websocket")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	id := waitRecorded(t, s, "live/now", 1000).ID
	p := c.Open(t, s.url+"/recordings/"+id)
	p.Wait("live", `document.querySelector("#veil-title").innerText === "Live now" && document.querySelector("#facts").innerText.includes("It is being recorded now.")`)
	if to := eval[string](p, `document.querySelector("#watch-live").href`); to != s.url+"/watch/live/now" {
		t.Errorf("it leads to %s", to)
	}
	if eval[bool](p, `document.querySelector("#delete").checkVisibility()`) {
		t.Error("what goes on can be deleted")
	}
	p.Accessible("a recording of what is live")
	before := eval[string](p, `document.querySelector("#facts").innerText`)
	p.Wait("newer facts", fmt.Sprintf(`document.querySelector("#facts").innerText !== %q`, before))
	publisher.Click("#toggle")
	p.Wait("the file", `!document.querySelector("#veil").checkVisibility() && document.querySelector("#player").readyState >= 1 && document.querySelector("#delete").checkVisibility()`)
	p.Quiet()
}
