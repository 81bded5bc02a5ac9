package codec

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"
	"time"
)

// opusLike returns a packet with that configuration, code and, for code 3, number of
// frames; its frames are nonsense.
func opusLike(config byte, stereo bool, frames byte) []byte {
	toc := config << opusConfigShift
	if stereo {
		toc |= opusStereo
	}
	if frames == 1 {
		return []byte{toc, 1, 2, 3}
	}
	return append([]byte{toc | 3, frames}, make([]byte, 2*frames)...)
}

func TestFillerIsLikeTheSound(t *testing.T) {
	const celt = 16
	for config := range byte(32) {
		for _, stereo := range []bool{false, true} {
			packet := opusLike(config, stereo, 1)
			f := OpusFiller{}
			f.Add(0, packet)
			end := f.End()
			s, ok := f.Hole(end + 100*ms)
			if !ok || s.Time != end || !bytes.Equal(s.Data[1:], []byte{0xFF, 0xFE}) {
				t.Fatalf("configuration %d: %+v, %v", config, s, ok)
			}
			frame := min(opusFrameDuration(packet[0]), 20*ms)
			if s.Duration != frame || OpusDuration(s.Data) != frame || s.Data[0]&opusStereo != packet[0]&opusStereo {
				t.Errorf("configuration %d, stereo %v: silence %x of %v, want %v", config, stereo, s.Data, s.Duration, frame)
			}
			if got := s.Data[0] >> opusConfigShift; got < celt || config >= celt && got != config {
				t.Errorf("configuration %d: silence has %d", config, got)
			}
		}
	}
}

// TestFillerBeforeSound: without a packet of the track, silence is what anybody takes.
func TestFillerBeforeSound(t *testing.T) {
	f := OpusFiller{}
	if _, ok := f.Hole(time.Second); ok {
		t.Error("there is silence ahead of the beginning")
	}
	f.Begin(time.Second)
	f.Begin(5 * time.Second) // it has begun
	n := 0
	f.Fill(2*time.Second, func(s Silence) error {
		if want := time.Second + time.Duration(n)*20*ms; s.Time != want || !bytes.Equal(s.Data, []byte{0xFC, 0xFF, 0xFE}) {
			t.Fatalf("%+v, want it at %v", s, want)
		}
		n++
		return nil
	})
	if n != 50 || f.End() != 2*time.Second {
		t.Errorf("%d frames up to %v", n, f.End())
	}
}

// TestFillerHoles: whatever the holes and the frames are, where a player is that
// counts durations never is far from where the times are.
func TestFillerHoles(t *testing.T) {
	us := time.Microsecond
	for _, length := range []struct {
		config, frames byte
		packet         time.Duration
	}{{28, 1, 2500 * us}, {29, 1, 5 * ms}, {14, 1, 10 * ms}, {31, 1, 20 * ms}, {31, 3, 60 * ms}, {2, 1, 40 * ms}, {3, 1, 60 * ms}, {1, 6, 120 * ms}} {
		for name, step := range map[string]func(i int) time.Duration{
			"none":                  func(int) time.Duration { return 0 },
			"one frame of 20 ms":    func(i int) time.Duration { return time.Duration(i%10/9) * 20 * ms },
			"7 ms each time":        func(int) time.Duration { return 7 * ms },
			"13 ms now and then":    func(i int) time.Duration { return time.Duration(i%7/6) * 13 * ms },
			"pauses of 400 ms":      func(i int) time.Duration { return time.Duration(i%2) * 380 * ms },
			"a minute":              func(i int) time.Duration { return time.Duration(i%500/499) * time.Minute },
			"times are rounded":     func(i int) time.Duration { return time.Duration(i%3-1) * ms },
			"a clock 1000 ppm slow": func(int) time.Duration { return length.packet / 1000 },
		} {
			t.Run(fmt.Sprint(length.packet, ", ", name), func(t *testing.T) {
				f := OpusFiller{}
				packet := opusLike(length.config, true, length.frames)
				at, played := time.Duration(0), time.Duration(0)
				for i := range 2000 {
					before := time.Duration(-1)
					f.Fill(at, func(s Silence) error {
						if s.Time <= before || s.Time+s.Duration > at+10*ms {
							t.Fatalf("silence of %v at %v, after %v, before the sound of %v", s.Duration, s.Time, before, at)
						}
						before = s.Time
						played += s.Duration
						return nil
					})
					if off := at - played; off > 10*ms || off < -10*ms-time.Duration(i%3)*ms {
						t.Fatalf("packet %d of %v is heard at %v", i, at, played)
					}
					if !f.Fits(at) {
						t.Fatalf("packet %d does not fit", i)
					}
					f.Add(at, packet)
					played += length.packet
					at += length.packet + step(i)
				}
			})
		}
	}
}

// TestFillerOverlaps: of sound that is longer than its time just as much is left out
// that the rest is in time.
func TestFillerOverlaps(t *testing.T) {
	f := OpusFiller{}
	out := 0
	for i := range 10_000 { // a clock that is 1000 ppm fast
		at := time.Duration(i) * (20*ms - 20*time.Microsecond)
		if !f.Fits(at) {
			out++
			continue
		}
		if off := f.End() - at; i > 0 && off > maxOverlap {
			t.Fatalf("packet %d is heard %v late", i, off)
		}
		f.Add(at, opusLike(31, false, 1))
		if f.Filled(at) {
			t.Fatalf("there is silence at %v", at)
		}
	}
	if out < 8 || out > 10 { // 200 ms in all
		t.Errorf("%d packets were left out", out)
	}
}

// TestFillerTakesThePlace: what comes when silence is in its place is told from what
// does not fit because of other sound.
func TestFillerTakesThePlace(t *testing.T) {
	f := OpusFiller{}
	f.Add(0, opusLike(31, false, 1))
	f.Fill(200*ms, func(Silence) error { return nil })
	for at, fits := range map[time.Duration]bool{20 * ms: false, 160 * ms: false, 180 * ms: false, 190 * ms: true, 200 * ms: true} {
		if f.Fits(at) != fits || f.Filled(at) != (at < 200*ms) {
			t.Errorf("at %v: fits %v, filled %v", at, f.Fits(at), f.Filled(at))
		}
	}
}

// TestFillerByTime: rounding does not add up for players that go by the time.
func TestFillerByTime(t *testing.T) {
	f := OpusFiller{ByTime: true}
	for i := range 100 {
		at := time.Duration(i) * 24 * ms
		if _, ok := f.Hole(at); ok {
			t.Fatalf("there is silence ahead of packet %d", i)
		}
		f.Add(at, opusLike(31, true, 1))
	}
}

// TestFillerSendsNothingOdd: DTX sends packets of a TOC alone, or of a byte more; such
// a packet lasts as long as any, and so does a malformed one.
func TestFillerOddPackets(t *testing.T) {
	for _, packet := range [][]byte{{0xF8}, {0xF8, 0}, {0xFB}, {0xFB, 0}, {0x08}, {0xFB, 3}, {}} {
		f := OpusFiller{}
		f.Add(0, opusLike(31, false, 1))
		f.Add(20*ms, packet)
		want := 40 * ms
		if d := OpusDuration(packet); d > 0 {
			want = 20*ms + d
		}
		if f.End() != want || f.Length(packet) != want-20*ms {
			t.Errorf("%x: the sound ends at %v, want %v", packet, f.End(), want)
		}
	}
}

func FuzzOpusFiller(f *testing.F) {
	f.Add([]byte{0xFC, 20, 0xFC, 255, 0x08, 60, 0xFB, 3})
	f.Fuzz(func(t *testing.T, script []byte) {
		filler := OpusFiller{ByTime: len(script)%2 == 1}
		at := time.Duration(rand.New(rand.NewSource(int64(len(script)))).Intn(1000)) * ms
		for i := 0; i+2 < len(script); i += 2 {
			at += time.Duration(script[i+1]) * ms
			n, last := 0, filler.End()
			filler.Fill(at, func(s Silence) error {
				if n++; s.Time < last || s.Duration <= 0 || n > 1000 {
					t.Fatalf("%d. silence %+v, the sound ended at %v", n, s, last)
				}
				last = s.Time + s.Duration
				return nil
			})
			if off := at - filler.End(); filler.End() > 0 && off > 10*ms {
				t.Fatalf("%v of a hole are left", off)
			}
			if filler.Fits(at) {
				filler.Add(at, script[i:i+2])
			}
		}
	})
}
