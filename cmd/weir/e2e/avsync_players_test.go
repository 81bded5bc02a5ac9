package e2e

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"weir/cmd/weir/browsertest"
)

// What a player adds between picture and sound is found by a reference, a file of what
// ffmpeg made that is right as ffmpeg decodes it, and is taken off what it shows of others.
// On a machine that has no time for it a player shows what is right as wrong; it does
// not show for a whole file what is wrong as right. So a file is right once a player
// shows that, and wrong only if it is shown to be wrong while the reference, before and
// behind it, is right. If neither comes about, nothing is known.

const (
	// referenceSeconds is how long the reference is.
	referenceSeconds = 6
	// trusted is how far the beeps of the reference may be from one another, in
	// milliseconds, when a player is believed.
	trusted = 20
	// attempts is how often a file is played until it is given up.
	attempts = 4
)

// player is one program that plays files.
type player struct {
	name string
	// play plays a file to its end. pictures are where flashes are in it.
	play func(file string, flashes []float64) (marks, error)
	wait func() // until the machine may have more time

	base float64 // what it adds by itself, milliseconds
	told bool    // base is known
}

// outcome is what a player tells of a file.
type outcome int

const (
	unknown outcome = iota // the machine has no time
	right
	wrong
)

// reference is the file by which players are judged, and the marks in it.
type reference struct {
	file string
	own  marks
}

// calibrate finds out what the player adds. It fails if the player does not show
// the same twice.
func (p *player) calibrate(r reference) error {
	var before []float64
	var failed error
	for range attempts {
		m, err := p.play(r.file, r.own.Flashes)
		ms := m.apart()
		if err == nil {
			err = spread(append(ms, before...))
		}
		if err == nil && before != nil {
			p.base, p.told = median(append(ms, before...)), true
			return nil
		}
		failed, before = err, nil
		if spread(ms) == nil {
			before = ms
		} else {
			p.wait()
		}
	}
	return fmt.Errorf("%s shows a file that is right as wrong: %w", p.name, failed)
}

// spread returns an error if figures are not as near to one another as those of the
// reference have to be.
func spread(ms []float64) error {
	if len(ms) < referenceSeconds-2 {
		return fmt.Errorf("only %d of %d beeps have a flash beside them", len(ms), referenceSeconds)
	}
	if low, high := slices.Min(ms), slices.Max(ms); high-low > 2*trusted {
		return fmt.Errorf("flash and beep are %.0f to %.0f ms apart", low, high)
	}
	return nil
}

// believed returns an error if the player shows the reference otherwise than before.
func (p *player) believed(r reference) error {
	m, err := p.play(r.file, r.own.Flashes)
	if err != nil {
		return err
	}
	if why := m.check(referenceSeconds, p.base, trusted); why != "" {
		return fmt.Errorf("of a file that is right %s", why)
	}
	return nil
}

// judge plays a file of some seconds and tells whether flash and beep are together at
// each beep, within a limit in milliseconds. why is what is wrong, or keeps from knowing.
func (p *player) judge(r reference, file string, flashes []float64, seconds int, limit float64) (m marks, o outcome, why string) {
	if !p.told {
		if err := p.calibrate(r); err != nil {
			return m, unknown, err.Error()
		}
	}
	seen := 0
	for range attempts {
		var err error
		m, err = p.play(file, flashes)
		if err == nil {
			why = m.check(seconds, p.base, limit)
		} else {
			why = err.Error()
		}
		if why == "" {
			return m, right, ""
		}
		if err := p.believed(r); err != nil {
			why = err.Error()
			p.wait()
			continue
		}
		if seen++; seen == 2 {
			return m, wrong, why
		}
	}
	return m, unknown, why
}

// inChromium returns Chromium as a player.
func inChromium(t *testing.T, s *stage, browser func() chrome, seconds func() int) *player {
	return &player{name: "Chromium", wait: waitQuiet, play: func(file string, flashes []float64) (marks, error) {
		p := s.open(t, browser(), file)
		defer p.Close()
		f := figuresOf(p, seconds())
		if f.Failed != "" {
			return marks{}, errors.New(f.Failed)
		}
		return f.file(flashes), nil
	}}
}

// firefoxStarts is how long Firefox may take to come up: on a machine where it was not
// used before, and that is busy, more than half a minute.
const firefoxStarts = 2 * time.Minute

// inFirefox returns Firefox as a player. It is started once and kept, so that no file is
// played while it makes its profile and fills its caches.
func inFirefox(t *testing.T, s *stage, seconds func() int) *player {
	started := false
	return &player{name: "Firefox", wait: waitQuiet, play: func(file string, flashes []float64) (marks, error) {
		within := browsertest.Timeout
		if !started {
			startFirefox(t, s.URL+"/?player")
			started, within = true, firefoxStarts
		}
		select {
		case s.next <- s.put(file):
		case <-time.After(within):
			return marks{}, errors.New("Firefox does not come up")
		}
		select {
		case f := <-s.told:
			if f.Failed != "" {
				return marks{}, errors.New(f.Failed)
			}
			return f.file(flashes), nil
		case <-time.After(playTime(seconds())):
			return marks{}, errors.New("Firefox does not come to an end")
		}
	}}
}

// inVLC returns VLC as a player: with the sound that it plays. It shows a picture at its
// time, so those are taken from the file.
func inVLC(t *testing.T) *player {
	return &player{name: "VLC", wait: waitQuiet, play: func(file string, flashes []float64) (marks, error) {
		wave, err := vlcPlays(t, file)
		if err != nil {
			return marks{}, err
		}
		return marks{Flashes: flashes, Beeps: pcmBeeps(0, pcm(t, wave, 1))}, nil
	}}
}

// vlcPlays returns a file with the sound that VLC plays.
func vlcPlays(t *testing.T, file string) (wave string, err error) {
	dir, err := os.MkdirTemp("", "vlc") // not below t.TempDir, which others cannot enter
	if err != nil {
		return "", err
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	played, wave := filepath.Join(dir, "file"), filepath.Join(dir, "played.wav")
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(played, []byte(fileText(t, file)), 0o644)); err != nil {
		return "", err
	}
	program := []string{"cvlc", "--intf", "dummy", "--no-video", "--aout", "afile", "--audiofile-file", wave, "--play-and-exit", "--quiet", played}
	if os.Getuid() == 0 { // it refuses to run as root
		program = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, program...) // nobody
	}
	c := exec.Command(program[0], program[1:]...)
	c.Env = append(os.Environ(), "HOME="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cvlc: %w: %s", err, out)
	}
	return wave, nil
}

// late is how much later than asked for a program may wake up on a machine that has time.
const late = 20 * time.Millisecond

// lateness returns how much later than asked for the program wakes up at worst, until
// it is told to stop.
func lateness(stop <-chan struct{}) (worst time.Duration) {
	const nap = 10 * time.Millisecond
	for {
		start := time.Now()
		select {
		case <-stop:
			return worst
		case <-time.After(nap):
			worst = max(worst, time.Since(start)-nap)
		}
	}
}

// waitQuiet waits until the machine has had time for two seconds, for half a minute at
// most: whether it has is seen by what is measured then.
func waitQuiet() {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		stop := make(chan struct{})
		time.AfterFunc(2*time.Second, func() { close(stop) })
		if lateness(stop) < late {
			return
		}
	}
}

// TestPlayers: a file that is right is called that, and one that is not is not, by a
// constant and by a single beep; and nothing is said on a machine that has no time.
func TestPlayers(t *testing.T) {
	const base, seconds, limit = 50.0, 8, 40
	flash := make([]float64, seconds)
	for i := range flash {
		flash[i] = float64(i)
	}
	shown := func(off func(beep int) float64) marks {
		m := marks{Flashes: flash}
		for i, at := range flash {
			m.Beeps = append(m.Beeps, at+(base+off(i))/1000)
		}
		return m
	}
	none := func(int) float64 { return 0 }
	one := func(ms float64) func(int) float64 {
		return func(beep int) float64 {
			if beep == 4 {
				return ms
			}
			return 0
		}
	}
	for _, tt := range []struct {
		name string
		file func(int) float64
		busy func(play int) float64 // what the machine adds to one beep of each play, ms
		want outcome
	}{
		{"right", none, nil, right},
		{"all of it late", func(int) float64 { return 45 }, nil, wrong},
		{"all of it early", func(int) float64 { return -45 }, nil, wrong},
		{"late by less than the limit", func(int) float64 { return 35 }, nil, right},
		{"one beep", one(45), nil, wrong},
		{"one beep, nearly", one(35), nil, right},
		{"apart more and more", func(beep int) float64 { return float64(-10 * beep) }, nil, wrong},
		{"busy for once", none, func(play int) float64 { return map[int]float64{2: 60}[play] }, right},
		{"busy while the reference plays", none, func(play int) float64 { return map[int]float64{0: 60}[play] }, right},
		{"always busy", none, func(play int) float64 { return float64(60 + 50*(play%2)) }, unknown},
		{"busy after a while", none, func(play int) float64 { return map[bool]float64{true: 60}[play > 1] }, unknown},
		{"busy, and wrong", one(-45), func(play int) float64 { return map[bool]float64{true: 60}[play > 1] }, unknown},
	} {
		plays := 0
		p := &player{wait: func() {}, play: func(file string, _ []float64) (marks, error) {
			off, disturbed := tt.file, 0.0
			if file == "reference" {
				off = none
			}
			if tt.busy != nil {
				disturbed = tt.busy(plays)
			}
			plays++
			return shown(func(beep int) float64 {
				if beep == 3 {
					return off(beep) + disturbed
				}
				return off(beep)
			}), nil
		}}
		_, got, why := p.judge(reference{file: "reference"}, "file", nil, seconds, limit)
		if got != tt.want || (got == right) != (why == "") {
			t.Errorf("%s: %d, want %d: %s", tt.name, got, tt.want, why)
		}
		if got == right && math.Abs(p.base-base) > 1 {
			t.Errorf("%s: the player adds %.0f ms, want %.0f", tt.name, p.base, base)
		}
	}
}
