package recorder

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// soundOf is a Source of sound whose clock is off by so many ppm: a packet of 20 ms, or
// more, by that clock, at the pace of it or faster.
type soundOf struct {
	ppm    float64
	pace   float64 // how many times faster than its clock it sends
	length time.Duration
	frames int // of 20 ms in a packet; 0: one
}

func (s soundOf) Run(_ context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "audio", Codec: media.Opus})
	if err != nil {
		return err
	}
	w := writers[0]
	in := rtptest.NewWriter(media.Opus, w, nil)
	frames := max(s.frames, 1)
	each := time.Duration(float64(time.Duration(frames)*20*time.Millisecond) / (1 + s.ppm/1e6) / s.pace)
	for n := 0; pub.Now() < s.length; n++ {
		in.WritePacket(rtptest.Packet{Seq: uint16(n), Time: uint32(n*frames) * 960, Arrival: pub.Now(), Payload: opusPacket(n, frames)})
		time.Sleep(each)
	}
	return nil
}

// opusPacket returns a packet of so many frames of 20 ms, 9 bytes each (RFC 6716
// section 3.2.5).
func opusPacket(n, frames int) []byte {
	packet := sfutest.OpusFrame(n, 2+9*frames)
	packet[0], packet[1] = packet[0]|3, byte(frames)
	return packet
}

// TestClockInSidecar: how fast a publisher's clock runs is in the sidecar, and a wrong
// rate is in the verdict.
func TestClockInSidecar(t *testing.T) {
	for _, tt := range []struct {
		ppm     float64
		wrong   bool
		verdict string
	}{{0, false, "clean"}, {-200, false, "clean"}, {1000, false, "clean"}, {5000, true, "gaps"}, {-81250, true, "poor"}} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			r, _ := recordOf(t, dir, soundOf{ppm: tt.ppm, pace: 1, length: 20 * time.Second})
			q := r.Quality
			if q == nil || len(q.Clocks) != 1 {
				t.Fatalf("%v ppm: the quality is %+v", tt.ppm, q)
			}
			if c := q.Clocks[0]; c.Track != "audio" || math.Abs(c.SkewPPM-tt.ppm) > 5 || c.WrongRate != tt.wrong || q.SkewPPM == nil || *q.SkewPPM != c.SkewPPM {
				t.Errorf("%v ppm: the clock is %+v", tt.ppm, c)
			}
			if q.Verdict != tt.verdict {
				t.Errorf("%v ppm: the verdict is %s, want %s", tt.ppm, q.Verdict, tt.verdict)
			}
		})
	}
}

// TestEndsNow: a recording does not end in the future, however fast its publisher's
// clock runs.
func TestEndsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, now := recordOf(t, t.TempDir(), soundOf{pace: 50, length: 4 * time.Second})
		if r.EndedAt.After(now) || r.DurationMS > 4000+2500 {
			t.Errorf("after 4 s the recording has %d ms and has ended %v ahead", r.DurationMS, r.EndedAt.Sub(now))
		}
	})
}

// recordOf records what a source sends, and returns what its sidecar says, and when it
// was done.
func recordOf(t *testing.T, dir string, src sfu.Source) (Recording, time.Time) {
	t.Helper()
	file := record1(t, dir, src)
	now := time.Now()
	r, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	list, _, err := r.Recordings(Query{})
	if err != nil || len(list) != 1 || filepath.Base(list[0].name()) != filepath.Base(file) {
		t.Fatalf("%d recordings, %v", len(list), err)
	}
	return list[0], now
}
