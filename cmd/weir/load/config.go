package load

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"weir/sfu/codec"
)

// Config is a run. All fields but Token, Joins, PID, Profiles and Expect need a value:
// a load by default would tell nothing.
type Config struct {
	// WHIP and WHEP are the URLs of the endpoints. "{name}" stands for a stream's
	// name, which is Name, a dash and a number from 1.
	WHIP, WHEP, Name string
	// Token is sent as "Authorization: Bearer", with {name} replaced; "": none.
	Token string

	Streams int // how many are published
	Viewers int // of each stream

	// Joins is how many viewers join and leave again, a few at a time, in place of
	// Viewers that stay: what coming and going costs. 0: none. Needs PID.
	Joins int

	Ramp     time.Duration // over which the viewers come, evenly
	Duration time.Duration // that is measured, from when all viewers are there

	FrameRate        int           // pictures a second
	Bitrate          int           // of the video, bit/s of RTP payload
	KeyframeInterval time.Duration // from one keyframe to the next
	Keyframe         []byte        // of VP8, that is sent as each keyframe; nil: noise
	AudioBitrate     int           // bit/s; 0: no audio
	AnswerPLI        bool          // send a keyframe when the server asks for one

	// SendPLI makes viewers ask for a keyframe until they have one.
	SendPLI bool
	// DecryptEvery is of how many packets one is authenticated and decrypted whole.
	DecryptEvery int

	// PID is the server's process on this machine, whose CPU and memory are
	// measured; 0: none.
	PID int
	// Profiles is where the server tells its goroutines: the URL of a listener with
	// Go's net/http/pprof (weir serve --admin-addr); "": nowhere. Needs PID.
	Profiles string
	Expect   []Expectation

	// Progress is told what happens, by several goroutines at times; nil: nothing is.
	Progress func(string)
}

const (
	maxStreams   = 1000
	maxViewers   = 20000 // in all: each has a socket, and so a port
	maxJoins     = 1_000_000
	soundTime    = 20 * time.Millisecond
	maxOpus      = 1275 // bytes of a frame (RFC 6716 section 3.2.1)
	keyframeSize = 4    // a keyframe is this many times as large as other frames
)

// Validate reports what is wrong with c, in the names of the command's flags.
func (c Config) Validate() error {
	for _, err := range []error{
		checkURL("--whip", c.WHIP), checkURL("--whep", c.WHEP),
		within("--streams", c.Streams, 1, maxStreams),
		within("--viewers", c.Viewers, 0, maxViewers),
		within("--viewers times --streams", c.Viewers*c.Streams, 0, maxViewers),
		within("--fps", c.FrameRate, 1, 240),
		within("--bitrate", c.Bitrate, 10_000, 100_000_000),
		within("--decrypt-every", c.DecryptEvery, 1, 1_000_000),
		within("--pid", c.PID, 0, 1<<30),
		within("--joins", c.Joins, 0, maxJoins),
		checkName(c.Name),
	} {
		if err != nil {
			return err
		}
	}
	if c.Profiles != "" {
		if err := checkURL("--profiles", c.Profiles); err != nil {
			return err
		}
	}
	switch {
	case c.PID == 0 && c.Joins > 0:
		return errors.New("--joins needs --pid, the server's process: what a join costs is its CPU time")
	case c.PID == 0 && c.Profiles != "":
		return errors.New("--profiles needs --pid, the server's process")
	case c.Streams > 1 && !strings.Contains(c.WHIP, "{name}") && !strings.Contains(c.Token, "{name}"):
		return errors.New("--whip must contain {name} when there are several streams, or they would all be one")
	case c.Duration <= 0:
		return fmt.Errorf("--duration is %v; it must be a time such as 10s", c.Duration)
	case c.Ramp < 0:
		return fmt.Errorf("--ramp is %v; it must be a time such as 10s, or 0", c.Ramp)
	case c.KeyframeInterval < c.frameTime():
		return fmt.Errorf("--keyframe-interval is %v; it must be at least one frame, %v", c.KeyframeInterval, c.frameTime())
	case c.Keyframe != nil && !codec.VP8Keyframe(c.Keyframe):
		return errors.New("--keyframe is a file that is no keyframe of VP8; it must be the bytes of one frame, without a container")
	case c.AudioBitrate != 0 && (c.opusSize() < stampEnd || c.opusSize() > maxOpus):
		return fmt.Errorf("--audio-bitrate is %d; it must be 0 or from %d to %d", c.AudioBitrate,
			stampEnd*8*int(time.Second/soundTime), maxOpus*8*int(time.Second/soundTime))
	}
	for _, e := range c.Expect {
		if e.metric.needsPID && c.PID == 0 {
			return fmt.Errorf("--expect %s needs --pid, the server's process", e)
		}
		if c.Viewers == 0 && c.Joins == 0 {
			return fmt.Errorf("--expect %s needs --viewers", e)
		}
	}
	return nil
}

func within(flag string, n, from, to int) error {
	if n < from || n > to {
		return fmt.Errorf("%s is %d; it must be from %d to %d", flag, n, from, to)
	}
	return nil
}

var urlExamples = map[string]string{
	"--whip": "http://127.0.0.1:8080/whip/{name}", "--whep": "http://127.0.0.1:8080/whep/{name}", "--profiles": "http://127.0.0.1:6060",
}

func checkURL(flag, raw string) error {
	u, err := url.Parse(strings.ReplaceAll(raw, "{name}", "x"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s is %q; it must be a URL such as %s", flag, raw, urlExamples[flag])
	}
	return nil
}

func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, "?#{} ") {
		return fmt.Errorf("--name is %q; it must be a word that can be part of a URL", name)
	}
	return nil
}

func (c Config) frameTime() time.Duration { return time.Second / time.Duration(max(c.FrameRate, 1)) }

// opusSize is the size of a frame of sound in bytes.
func (c Config) opusSize() int {
	return c.AudioBitrate / 8 / int(time.Second/soundTime)
}

// keyEvery is the number of frames from one keyframe to the next.
func (c Config) keyEvery() int { return max(1, int(c.KeyframeInterval/c.frameTime())) }

// frameSizes are such that a keyframe and the frames up to the next one have the
// bit rate on average.
func (c Config) frameSizes() (inter, key int) {
	every := c.keyEvery()
	bytes := c.Bitrate / 8 * every / c.FrameRate
	inter = max(bytes/(every-1+keyframeSize), stampEnd)
	return inter, keyframeSize * inter
}

// streamName is the name of stream i, from 0.
func (c Config) streamName(i int) string { return fmt.Sprintf("%s-%d", c.Name, i+1) }

// say tells the progress.
func (c Config) say(format string, args ...any) {
	if c.Progress != nil {
		c.Progress(fmt.Sprintf(format, args...))
	}
}
