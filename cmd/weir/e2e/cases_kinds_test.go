package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/mend"
)

// caseKind is what is to be done with each type of input of a case.
type caseKind struct {
	packets func(c *caseRun, file string) // .rtp, to be published by WHIP
	offer   func(c *caseRun, file string) // .sdp
	page    func(c *caseRun, file string) // .html, to be opened in Chromium
	upload  func(c *caseRun, file string) // .mkv and .webm, to be published over the WebSocket
	script  func(c *caseRun, file string) // .mjs, to be run by Node
}

// caseKinds tells what is right, by the name of a case's folder.
var caseKinds = map[string]caseKind{
	"clock-jump":               {packets: inSyncEverywhere},
	"dtls-passive":             {offer: passiveOffer},
	"h264-sets-once":           {packets: lateViewers},
	"no-rtx":                   {packets: damaged, page: publishesWhole},
	"other-ssrc":               {packets: goesOn},
	"path-prefix":              {script: behindProxy},
	"picture-that-never-comes": {packets: heardAtOnce},
	"repaired":                 {upload: repairedByHand},
	"simulcast":                {page: largestLayer},
	"size-changes":             {packets: onePiece},
	"sound-with-holes":         {packets: soundFilled},
	"stereo":                   {packets: twoSides},
	"still-picture":            {packets: clean},
	"telephone-events":         {packets: clean},
	"upload":                   {upload: uploaded},
}

// playerLimit and liveLimit are how far flash and beep may be apart, in
// milliseconds: in a recording whose sound had holes, and anywhere else.
const (
	playerLimit = 40
	liveLimit   = 100
)

// decodesInSync is what is right of any input.
func decodesInSync(c *caseRun, file string) {
	b := c.publish(file)
	_, recorded := c.one(b)
	c.decodes(recorded, b.pictures()-2)
	c.together(recorded, b.seconds(), liveLimit)
}

func soundFilled(c *caseRun, file string) {
	b := c.publish(file)
	_, recorded := c.one(b)
	c.decodes(recorded, b.pictures()-2)
	c.together(recorded, b.seconds(), playerLimit)
}

// repairedByHand: a file whose sound has holes is in sync once silence was put there.
func repairedByHand(c *caseRun, file string) {
	copied := filepath.Join(c.t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(copied, []byte(fileText(c.t, file)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	report, filled, _, err := mend.FillSound(copied)
	if err != nil || filled.Frames == 0 {
		c.wrong("%s: %+v, %v", filepath.Base(file), filled, err)
		return
	}
	c.note("%s: %d holes, %v of silence", filepath.Base(file), filled.Holes, filled.Duration)
	c.decodes(copied, 1)
	if verified, err := mend.Verify(copied); err != nil || verified.Filler != filled.Frames || verified.Frames != report.Frames {
		c.wrong("%s: verify finds %d frames of silence and %d others; %d and %d were written", filepath.Base(file), verified.Filler, verified.Frames, filled.Frames, report.Frames)
	}
	c.together(copied, len(fileMarks(c.t, copied).apart())+1, playerLimit)
}

// inSyncEverywhere: flash and beep stay together in the recording and in Chromium, however
// clocks jump. What a viewer is sent is measured to the millisecond in sfu/peer
// (TestViewersSync).
func inSyncEverywhere(c *caseRun, file string) {
	c.prepare()
	list, err := readReplay(file)
	if err != nil {
		c.t.Fatal(err)
	}
	var b *broadcast
	for _, transport := range []string{"webrtc", "websocket"} {
		b = c.watchedInSync(list, replayCodec(file), transport)
	}
	_, recorded := c.one(b)
	c.together(recorded, b.seconds(), liveLimit)
}

// watchedInSync checks what Chromium shows of packets while they come. What the browser
// itself adds is told by the same packets without the jumps, watched in the same way: over
// WebRTC it finds the distance of sound and picture while it plays, by 80 ms a second at
// most. Those are 80 to 100 ms apart at first and 60 from the fourth second on, with the
// jump and without; on a busy machine, whose sound needs a longer buffer now and then, up
// to 200, without it too. So one player is open at a time, the first seconds do not count,
// and as with files (player.judge) nothing is known while what is right is shown as wrong.
func (c *caseRun) watchedInSync(list []replayed, codec, transport string) (b *broadcast) {
	c.t.Helper()
	const settles = 3 // seconds, of one beep each
	seen, why := 0, ""
	for range attempts {
		var control, m marks
		control, _ = c.watched(withoutJumps(list), codec, transport)
		m, b = c.watched(list, codec, transport)
		control, m = control.after(settles), m.after(settles)
		base := median(control.apart())
		c.note("%s: flash and beep %.0f ms apart at most, %d beeps; without jumps %.0f", transport, m.worst(base), len(m.apart()), control.worst(base))
		if why = m.check(b.seconds()-2-settles, base, liveLimit); why == "" {
			return b
		}
		if off := control.check(b.seconds()-2-settles, base, liveLimit/2); off != "" {
			why = "without jumps " + off
			waitQuiet()
			continue
		}
		if seen++; seen == 2 {
			c.wrong("%s: %s", transport, why)
			return b
		}
	}
	c.unmeasured("%s: %s", transport, why)
	return b
}

// watched sends packets and has Chromium watch them from the first one on.
func (c *caseRun) watched(list []replayed, codec, transport string) (marks, *broadcast) {
	c.t.Helper()
	s := newStage(c.t)
	var p *tab
	b := c.send(list, codec, moment{0, func(b *broadcast) { p = s.watch(c.t, c.chrome(), b.server.url, b.stream, transport) }})
	defer p.Close()
	f := figuresOf(p, 5)
	if f.Failed != "" {
		c.note("%s: %s", transport, f.Failed)
	}
	return f.live(), b
}

func passiveOffer(c *caseRun, file string) {
	server := startServer(c.t)
	response, err := http.Post(server.url+"/whip/case", "application/sdp", strings.NewReader(fileText(c.t, file)))
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated || !strings.Contains(string(answer), "a=setup:active") {
		c.wrong("%s, %v: %s", response.Status, err, answer)
	}
}

// received is how many pictures the page's connection has got.
const received = `(async () => { let n = 0; for (const pc of connections) for (const s of (await pc.getStats()).values())
	if (s.type === "inbound-rtp" && s.kind === "video") n += s.framesReceived ?? 0; return n })()`

func lateViewers(c *caseRun, file string) {
	const late = 6 * time.Second
	b := c.publish(file, moment{late, func(b *broadcast) {
		viewer := c.chrome().Open(c.t, b.server.url+"/watch/"+b.stream)
		defer viewer.Close()
		viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
		time.Sleep(500 * time.Millisecond)
		n := eval[int](viewer, received)
		c.note("a viewer who comes after %v gets %d pictures in the first half second", late, n)
		if n > 60 { // two groups of pictures
			c.wrong("a late viewer gets %d pictures at once", n)
		}
	}})
	_, recorded := c.one(b)
	c.decodes(recorded, b.pictures()-2)
}

// damaged is an input of which something is broken.
func damaged(c *caseRun, file string) {
	b := c.publish(file)
	r, recorded := c.one(b)
	c.decodes(recorded, 1)
	if r.Quality.Verdict == "clean" {
		c.wrong("the verdict is clean")
	}
	if played := c.playable(recorded); !played {
		c.wrong("Chromium does not play the recording")
	}
}

// playable reports whether Chromium plays a file to its end.
func (c *caseRun) playable(file string) bool {
	p := newStage(c.t).open(c.t, c.chrome(), file)
	defer p.Close()
	f := figuresOf(p, 20)
	return f.Failed == "" && len(f.Frames) > 0
}

// served opens a page of the case in Chromium.
func (c *caseRun) served(file, query string) *tab {
	s := newStage(c.t)
	return c.chrome().Open(c.t, s.URL+s.put(file)+"?"+query)
}

// publishesWhole has the page publish with each codec, with and without RTX.
func publishesWhole(c *caseRun, file string) {
	const seconds = 8
	for _, codec := range []string{"AV1", "VP9", "VP8"} {
		for _, rtx := range []string{"0", "1"} {
			server := startServer(c.t)
			p := c.served(file, fmt.Sprintf("base=%s&name=case&codec=%s&rtx=%s&seconds=%d", url.QueryEscape(server.url), codec, rtx, seconds))
			for deadline := time.Now().Add(playTime(seconds)); eval[string](p, "document.title") != "done"; time.Sleep(200 * time.Millisecond) {
				if time.Now().After(deadline) {
					c.t.Fatal("the page does not come to its end")
				}
			}
			var encoded, sent int
			if _, err := fmt.Sscanf(eval[string](p, `document.querySelector("pre").innerText`), "encoded %d sent %d", &encoded, &sent); err != nil {
				c.t.Fatal(err)
			}
			p.Close()
			waitFinished(c.t, server.url, "case")
			b := &broadcast{server: server, stream: "case", recordings: get[recordingList](c.t, server.url+"/api/v1/recordings").Recordings}
			r, recorded := c.one(b)
			// The page told its figure up to a second before its end.
			c.decodes(recorded, sent-int(r.Quality.Dropped))
			c.note("%s, rtx %s: %d pictures sent, %d in the file", codec, rtx, sent, videoFrames(r))
		}
	}
}

func goesOn(c *caseRun, file string) {
	b := c.publish(file)
	r, recorded := c.one(b)
	// What was under way when the SSRC changed may be gone until the next keyframe.
	c.decodes(recorded, b.pictures()*8/10)
	if short := b.seconds()*1000 - int(r.DurationMS); short > 1000 {
		c.wrong("the recording is %d ms shorter than the broadcast", short)
	}
	c.together(recorded, b.seconds()-2, liveLimit)
}

func onePiece(c *caseRun, file string) {
	b := c.publish(file)
	r, recorded := c.one(b)
	c.decodes(recorded, b.pictures()-2)
	c.note("sizes: %+v", r.Tracks)
	if !c.playable(recorded) {
		c.wrong("Chromium does not play the recording")
	}
}

func clean(c *caseRun, file string) {
	r, _ := c.one(c.publish(file))
	c.verdict(r, "clean")
	if len(r.Gaps) > 0 {
		c.wrong("gaps: %+v", r.Gaps)
	}
}

// heardAtOnce: there is sound without a picture, and the page says so.
func heardAtOnce(c *caseRun, file string) {
	b := c.publish(file, moment{time.Second, func(b *broadcast) {
		viewer := c.chrome().Open(c.t, b.server.url+"/watch/"+b.stream)
		defer viewer.Close()
		viewer.Wait("sound", `document.querySelector("#player").currentTime > 1`)
		viewer.Wait("its word", `/no picture/i.test(document.body.innerText)`)
		checkSound(c.t, viewer)
		viewer.Screenshot("no-picture")
	}})
	c.one(b)
}

// sides returns how loud the left and the right side of the player's sound are at two
// pitches: each should have its own.
const sides = `(async () => {
	const context = new AudioContext(), splitter = context.createChannelSplitter(2);
	await context.resume();
	context.createMediaStreamSource(document.querySelector("#player").srcObject).connect(splitter);
	const analysers = [0, 1].map((side) => {
		const a = context.createAnalyser();
		a.fftSize = 4096;
		splitter.connect(a, side);
		return a;
	});
	await new Promise((done) => setTimeout(done, 1000));
	return analysers.map((a) => {
		const bins = new Float32Array(a.frequencyBinCount);
		a.getFloatFrequencyData(bins);
		return [440, 1500].map((f) => Math.max(bins[Math.round(f * a.fftSize / context.sampleRate)], -200));
	});
})()`

func twoSides(c *caseRun, file string) {
	b := c.publish(file, moment{2 * time.Second, func(b *broadcast) {
		viewer := c.chrome().Open(c.t, b.server.url+"/watch/"+b.stream)
		defer viewer.Close()
		viewer.Wait("sound", `document.querySelector("#player").currentTime > 1`)
		level := eval[[2][2]float64](viewer, sides)
		c.note("dB at 440 and 1500 Hz, left and right: %.0f", level)
		if level[0][0]-level[0][1] < 20 || level[1][1]-level[1][0] < 20 {
			c.wrong("the viewer's left and right are not apart: %.0f dB", level)
		}
	}})
	_, recorded := c.one(b)
	both := pcm(c.t, recorded, 2)
	apart, sum := 0.0, 0.0
	for i := 0; i+1 < len(both); i += 2 {
		d := float64(both[i] - both[i+1])
		apart, sum = apart+d*d, sum+float64(both[i]*both[i])
	}
	if apart < sum/2 {
		c.wrong("left and right of the recording are not apart")
	}
}

// largestLayer: a viewer and the recording get the largest of three layers.
func largestLayer(c *caseRun, file string) {
	server := startServer(c.t)
	p := c.served(file, "name=case&base="+url.QueryEscape(server.url))
	p.Wait("three layers", `document.querySelector("pre").innerText.includes("1280x720")`)
	viewer := c.chrome().Open(c.t, server.url+"/watch/case")
	viewer.Wait("1280x720", `document.querySelector("#player").videoWidth === 1280`)
	time.Sleep(3 * time.Second)
	width := eval[int](viewer, `document.querySelector("#player").videoWidth`)
	c.note("the viewer's picture is %d wide", width)
	if width != 1280 {
		c.wrong("the viewer's picture is %d wide", width)
	}
	viewer.Close()
	p.Close()
	for deadline := time.Now().Add(30 * time.Second); len(get[streamList](c.t, server.url+"/api/v1/streams").Streams) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatal("the broadcast of a page that is closed does not end")
		}
	}
	waitFinished(c.t, server.url, "case")
	b := &broadcast{server: server, stream: "case", recordings: get[recordingList](c.t, server.url+"/api/v1/recordings").Recordings}
	r, recorded := c.one(b)
	c.decodes(recorded, 1)
	for _, track := range r.Tracks {
		largest := track.Width
		for _, s := range track.Sizes {
			largest = s.Width
		}
		if track.Kind == "video" && largest != 1280 {
			c.wrong("the recording ends with pictures %d wide", largest)
		}
	}
}

// uploaded: the picture is taken, or the upload is refused with a reason.
func uploaded(c *caseRun, file string) {
	server := startServer(c.t)
	socket, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.url, "http")+"/ws/publish/case", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer socket.Close()
	closed := make(chan error, 1)
	go func() {
		for {
			if _, _, err := socket.ReadMessage(); err != nil {
				closed <- err
				return
			}
		}
	}()
	data := []byte(fileText(c.t, file))
	const pieces = 30
	for i := range pieces {
		if socket.WriteMessage(websocket.BinaryMessage, data[i*len(data)/pieces:(i+1)*len(data)/pieces]) != nil {
			break // it is closed, and the reader has the reason
		}
		time.Sleep(200 * time.Millisecond)
	}
	_ = socket.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	err = <-closed
	list := get[recordingList](c.t, server.url+"/api/v1/recordings").Recordings
	if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		c.note("refused: %v", err)
		if len(list) > 0 {
			c.wrong("it was live, and then refused")
		}
		return
	}
	waitFinished(c.t, server.url, "case")
	b := &broadcast{server: server, stream: "case", recordings: get[recordingList](c.t, server.url+"/api/v1/recordings").Recordings}
	r, recorded := c.one(b)
	c.decodes(recorded, 1)
	source, kept := ffprobe(c.t, file).codecs(), ffprobe(c.t, recorded).codecs()
	if fmt.Sprint(source) != fmt.Sprint(kept) {
		c.wrong("of %v the recording has %v", source, kept)
	}
	c.note("%d pictures", videoFrames(r))
}

// behindProxy: everything works under a path. The script is a proxy from
// localhost:9000/media/ to localhost:8080.
func behindProxy(c *caseRun, script string) {
	data := c.t.TempDir()
	run := func(name string, args ...string) {
		ctx, cancel := context.WithCancel(context.Background())
		p := exec.CommandContext(ctx, name, args...)
		if err := p.Start(); err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() {
			cancel()
			_ = p.Wait() // killed
		})
	}
	run(builtProgram(c.t), "serve", "--rtc-addr", "127.0.0.1:0", "--data-dir", data)
	run("node", script)
	const under = "http://localhost:9000/media"
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(under + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the server does not come up behind the proxy (ports 8080 and 9000): %v", err)
		}
	}
	publisher := c.chrome().Open(c.t, under+"/publish?name=case")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	viewer := c.chrome().Open(c.t, under+"/watch/case")
	viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	recordings := c.chrome().Open(c.t, under+"/recordings")
	recordings.Wait("card", `document.querySelector("[data-recording] .card-link")`)
	recordings.Click("[data-recording] .card-link")
	recordings.Wait("recording", `document.querySelector("#player")?.readyState >= 2`)
	for _, p := range []*tab{publisher, viewer, recordings} {
		p.Quiet()
		p.Close()
	}
	c.note("published, watched and played under /media")
}

// startSound gives Firefox something to play to, without which its clock stands still.
func startSound(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sound")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "native")
	daemon := exec.Command("pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", "-L", "module-null-sink", "-L", "module-native-protocol-unix socket="+socket)
	daemon.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "HOME="+dir)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait() // killed
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("pulseaudio does not come up")
		}
	}
	if err := os.Setenv("PULSE_SERVER", "unix:"+socket); err != nil { // for the browsers to come
		t.Fatal(err)
	}
}
