package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"weir/sfu/media"
)

// marks are the instants at which a picture turns white, and those at which a beep
// begins, in seconds. A player that keeps picture and sound together has both at
// once.
type marks struct {
	Flashes []float64 `json:"flashes"`
	Beeps   []float64 `json:"beeps"`
}

// apart returns how far sound is behind the picture at each beep that has a flash
// within half a second, in milliseconds; marks come once a second.
func (m marks) apart() []float64 {
	var ms []float64
	for _, beep := range m.Beeps {
		nearest := math.Inf(1)
		for _, flash := range m.Flashes {
			if math.Abs(beep-flash) < math.Abs(nearest) {
				nearest = beep - flash
			}
		}
		if math.Abs(nearest) <= 0.5 {
			ms = append(ms, nearest*1000)
		}
	}
	return ms
}

// worst returns the figure of apart that is furthest from base, in milliseconds.
func (m marks) worst(base float64) float64 {
	worst := 0.0
	for _, ms := range m.apart() {
		if math.Abs(ms-base) > math.Abs(worst) {
			worst = ms - base
		}
	}
	return worst
}

// median returns the median of figures, 0 of none.
func median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(figures))[len(figures)/2]
}

// after returns m without its first n beeps.
func (m marks) after(n int) marks {
	return marks{Flashes: m.Flashes, Beeps: m.Beeps[min(n, len(m.Beeps)):]}
}

// check returns why m does not show a recording of some seconds whose picture and
// sound are within a limit of one another, "" if it does. base is what the player
// adds by itself; both are in milliseconds.
func (m marks) check(seconds int, base, limit float64) string {
	n := len(m.apart())
	switch worst := m.worst(base); {
	case n < seconds-2: // the first and the last may be cut
		return fmt.Sprintf("only %d of %d beeps have a flash beside them (%d flashes, %d beeps)", n, seconds, len(m.Flashes), len(m.Beeps))
	case math.Abs(worst) > limit:
		return fmt.Sprintf("flash and beep are %.0f ms apart, more than %.0f", worst, limit)
	}
	return ""
}

// rising returns the instants at which a row of values gets above the middle
// between its lowest and its highest one. A row that hardly changes has none.
func rising(at, values []float64, least float64) []float64 {
	if len(values) == 0 {
		return nil
	}
	low, high := slices.Min(values), slices.Max(values)
	if high-low < least {
		return nil
	}
	var found []float64
	above := true // what begins above has no beginning that is seen
	for i, v := range values {
		now := v > (low+high)/2
		if now && !above {
			found = append(found, at[i])
		}
		above = now
	}
	return found
}

// fileMarks finds the marks of a file as a decoder yields them: pictures at their
// times, and sound one sample after the other from the time of its first one. A
// hole in the sound brings all that follows forward, as in players that join the
// pieces.
func fileMarks(t *testing.T, file string) marks {
	t.Helper()
	return marks{Flashes: flashes(t, file), Beeps: beeps(t, file)}
}

// meanLuma is what ffmpeg's showinfo tells of a picture.
var meanLuma = regexp.MustCompile(`pts_time:\s*([-\d.]+).* mean:\[(\d+)`)

func flashes(t *testing.T, file string) []float64 {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-nostdin", "-hide_banner", "-i", file, "-an", "-vf", "scale=32:32,format=gray,showinfo", "-fps_mode", "passthrough", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	var at, luma []float64
	for _, m := range meanLuma.FindAllSubmatch(out, -1) {
		at, luma = append(at, parsed(t, string(m[1]))), append(luma, parsed(t, string(m[2])))
	}
	return rising(at, luma, 60)
}

func beeps(t *testing.T, file string) []float64 {
	t.Helper()
	start, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=start_time", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return pcmBeeps(parsed(t, string(bytes.TrimSpace(start))), pcm(t, file, 1))
}

// pcmRate is the sample rate of pcm.
const pcmRate = 48000

// pcm decodes the sound of a file to samples, those of the channels in turn.
func pcm(t *testing.T, file string, channels int) []float32 {
	t.Helper()
	var failed bytes.Buffer
	c := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-i", file, "-vn", "-ac", fmt.Sprint(channels), "-ar", strconv.Itoa(pcmRate), "-f", "f32le", "-")
	c.Stderr = &failed
	raw, err := c.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, failed.String())
	}
	samples := make([]float32, len(raw)/4)
	if _, err := binary.Decode(raw, binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	return samples
}

// pcmBeeps returns where beeps begin in one channel of sound that starts at an
// instant.
func pcmBeeps(start float64, samples []float32) []float64 {
	const window = pcmRate / 200 // 5 ms
	var at, power []float64
	for i := 0; i+window <= len(samples); i += window {
		sum := 0.0
		for _, s := range samples[i : i+window] {
			sum += float64(s) * float64(s)
		}
		at, power = append(at, start+float64(i)/pcmRate), append(power, math.Sqrt(sum/window))
	}
	return rising(at, power, 0.02)
}

func parsed(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// flashingClip has ffmpeg make a clip that flashes white and beeps for the first 100
// ms of each second.
func flashingClip(t *testing.T, seconds int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flashing.webm")
	out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin",
		"-f", "lavfi", "-i", "color=black:size=160x90:rate=25,drawbox=color=white:thickness=fill:enable='lt(mod(t,1),0.1)',format=yuv420p",
		"-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.1)':sample_rate=48000",
		"-t", fmt.Sprint(seconds), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-auto-alt-ref", "0", "-lag-in-frames", "0",
		"-c:a", "libopus", "-b:a", "32k", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	return file
}

// TestMarks: the instruments tell what they are made to tell.
func TestMarks(t *testing.T) {
	good := fileMarks(t, flashingClip(t, 4))
	if base := median(good.apart()); good.check(4, base, 5) != "" || math.Abs(base) > 40 { // what the encoders add is the same all the time
		t.Errorf("a clip that is right: %+v", good)
	}
	late := marks{Flashes: []float64{0, 1, 2, 3}, Beeps: []float64{0, 1.1, 2.2, 3.3}}
	if worst := late.worst(0); math.Abs(worst-300) > 1 {
		t.Errorf("0.3 s apart at the end: %v ms", worst)
	}
	if late.check(4, 0, 250) == "" {
		t.Error("300 ms are taken for less than 250")
	}
	if (marks{}).check(4, 0, 100) == "" {
		t.Error("a file without flash and beep passes")
	}
}

// TestWithoutJumps: the packets that show what a player itself adds are those of a case
// with clocks that go on.
func TestWithoutJumps(t *testing.T) {
	var list []replayed
	for n := range uint32(40) {
		at := time.Duration(n) * 100 * time.Millisecond
		video, audio := n*9000, n*4800-9600 // over the end of the counter
		if n >= 10 {
			video += 450000
		}
		if n >= 20 {
			audio -= 4 * 48000
			video -= 90000
		}
		list = append(list,
			replayed{at, senderReport(1, media.VP8, media.VP8.Duration(int64(video)))}, // at a jump it comes first
			replayed{at, rtpPacket(replayVideo, true, uint16(n), video, 1, nil)},
			replayed{at, rtpPacket(replayAudio, true, uint16(n), audio, 2, nil)})
	}
	stamps := map[byte]int{}
	for _, p := range withoutJumps(list) {
		n := uint32(p.at / (100 * time.Millisecond))
		got, want := binary.BigEndian.Uint32(p.data[4:]), n*9000
		switch kind := p.data[1] & 0x7f; {
		case p.data[1] == replayReport:
			got = binary.BigEndian.Uint32(p.data[16:])
		case kind == replayAudio:
			want = n*4800 - 9600
		}
		if got != want {
			t.Errorf("at %v type %d has the time %d, want %d", p.at, p.data[1], got, want)
		}
		stamps[p.data[1]]++
	}
	if stamps[replayVideo|0x80] != 40 || stamps[replayAudio|0x80] != 40 || stamps[replayReport] < 35 {
		t.Errorf("of 40 packets of each type there are %v", stamps)
	}
}
