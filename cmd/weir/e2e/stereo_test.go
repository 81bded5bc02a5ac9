package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tones that are on the left and on the right, in Hz.
const leftTone, rightTone = 440, 1500

// publishTones publishes a tone on each side, with the library.
const publishTones = `(async () => {
	const { Publisher } = await import("/static/client/index.js");
	const context = new AudioContext(), merger = context.createChannelMerger(2), out = context.createMediaStreamDestination();
	for (const [side, frequency] of [%d, %d].entries()) {
		const tone = new OscillatorNode(context, { frequency });
		tone.connect(merger, 0, side);
		tone.start();
	}
	merger.connect(out);
	await context.resume();
	window.publisher = new Publisher({ name: "stereo/tones", stream: out.stream, transport: %q });
	await publisher.start();
})()`

// tonesHeard returns the loudest frequency of either side of what a player plays.
const tonesHeard = `(async () => {
	const video = document.querySelector("#player");
	const context = new AudioContext(), splitter = context.createChannelSplitter(2);
	const source = video.srcObject ? context.createMediaStreamSource(video.srcObject) : context.createMediaElementSource(video);
	source.connect(splitter);
	const sides = [0, 1].map((side) => {
		const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
		splitter.connect(analyser, side);
		return analyser;
	});
	await context.resume();
	const loudest = (analyser) => {
		const levels = new Float32Array(analyser.frequencyBinCount);
		analyser.getFloatFrequencyData(levels);
		const at = levels.indexOf(Math.max(...levels));
		return levels[at] > -60 ? at * context.sampleRate / analyser.fftSize : 0;
	};
	let heard = [0, 0];
	for (let i = 0; i < 100 && !heard.every((f) => f > 0); i++) {
		await new Promise((done) => setTimeout(done, 100));
		heard = sides.map(loudest);
	}
	await context.close();
	return heard;
})()`

// TestStereo: left and right stay apart from a publisher to its viewers and into the
// file, by every way.
func TestStereo(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	for _, from := range paths {
		publisher := c.Open(t, s.url+"/recordings") // any page of the server's will do
		eval[any](publisher, fmt.Sprintf(publishTones, leftTone, rightTone, from))
		if from == "webrtc" {
			for _, want := range []string{"stereo=1", "sprop-stereo=1"} {
				if sdp := eval[string](publisher, `connections.at(-1).localDescription.sdp`); !strings.Contains(sdp, ";"+want) {
					t.Errorf("the publisher's offer lacks %s", want)
				}
			}
			if ceiling := eval[int](publisher, `connections.at(-1).getSenders()[0].getParameters().encodings[0].maxBitrate`); ceiling != 128_000 {
				t.Errorf("the publisher sends %d bit/s at most", ceiling)
			}
		}
		for _, to := range paths {
			v := c.Open(t, s.url+"/watch/stereo/tones?transport="+to)
			v.Wait("it plays", `document.querySelector("#player").currentTime > 0.2`)
			checkApart(t, from+" to "+to, eval[[2]float64](v, tonesHeard))
			if to == "webrtc" {
				if sdp := eval[string](v, `connections.at(-1).localDescription.sdp`); !strings.Contains(sdp, ";stereo=1") {
					t.Error("the viewer's offer lacks stereo=1")
				}
				if sdp := eval[string](v, `connections.at(-1).remoteDescription.sdp`); !strings.Contains(sdp, "sprop-stereo=1") {
					t.Errorf("%s: the answer to a viewer does not tell that there are two channels", from)
				}
			}
			if title := eval[string](v, `document.querySelector("#veil-title").innerText`); title != "Sound only" {
				t.Errorf("of a broadcast without a picture the page says %q", title)
			}
			v.Quiet()
			v.Close()
		}
		eval[any](publisher, `publisher.stop()`)
		recording := waitFinished(t, s.url, "stereo/tones")
		files, err := filepath.Glob(filepath.Join(s.dataDir, "recordings", "stereo", "*", "*-"+recording.ID+".webm"))
		if err != nil || len(files) != 1 {
			t.Fatalf("files %v (%v), want one", files, err)
		}
		checkApart(t, from+" to a file", tonesIn(t, files[0]))
		publisher.Quiet()
		publisher.Close()
	}
}

func checkApart(t *testing.T, what string, tones [2]float64) {
	t.Helper()
	if math.Abs(tones[0]-leftTone) > 15 || math.Abs(tones[1]-rightTone) > 15 {
		t.Errorf("%s: %.0f Hz on the left, %.0f on the right, want %d and %d", what, tones[0], tones[1], leftTone, rightTone)
	}
}

// tonesIn returns the frequency of either side of a file's last second, by how often it
// crosses zero.
func tonesIn(t *testing.T, file string) [2]float64 {
	t.Helper()
	const rate = 48000
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-f", "f32le", "-ac", "2", "-ar", fmt.Sprint(rate), "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([][2]float32, len(out)/8)
	if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	if len(samples) < 2*rate {
		t.Fatalf("%s: %d samples", file, len(samples))
	}
	samples = samples[len(samples)-rate*3/2:][:rate]
	var crossings [2]float64
	for i, now := range samples[1:] {
		for side := range now {
			if samples[i][side] < 0 && now[side] >= 0 {
				crossings[side]++
			}
		}
	}
	return crossings
}
