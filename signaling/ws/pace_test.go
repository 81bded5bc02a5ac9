package ws

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/pace"
)

const ms = time.Millisecond

// frameStep is the time from a frame of a track to the next in these tests.
const frameStep = 10 * ms

// released is a frame that came out of a pacer.
type released struct {
	track   int
	n       int           // in the order of arrival
	capture time.Duration // media time
	pts, at time.Duration
}

// chunk is a burst of all frames whose media time is in [from, to).
type chunk struct {
	arrival, from, to time.Duration
}

// track is a frameWriter that notes when frames come.
type track struct {
	number int
	now    func() time.Duration
	got    *[]released
}

func (k *track) WriteFrame(f media.Frame) {
	n := int(f.Data[0])<<16 | int(f.Data[1])<<8 | int(f.Data[2])
	*k.got = append(*k.got, released{k.number, n, time.Duration(n/2) * frameStep, f.PTS, k.now()})
}

// replay puts chunks of two tracks, a frame of each every 10 ms, through a pacer
// and returns what came out.
func replay(t *testing.T, chunks []chunk) (got []released, p *pacer, most int) {
	t.Helper()
	start := time.Now()
	now := func() time.Duration { return time.Since(start) }
	p = newPacer(now, 2)
	p.open()
	line := newTimeline([]*uploadTrack{{codec: media.Opus}, {codec: media.VP8}}, 0)
	tracks := []*track{{0, now, &got}, {1, now, &got}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.releaseAll()
	}()
	n := 0
	for _, c := range chunks {
		if wait := c.arrival - now(); wait > 0 {
			time.Sleep(wait) // the bubble's clock
		}
		for at := c.from; at < c.to; at += frameStep {
			for i := range tracks {
				pts := line.place(i, at, 0, now(), p.latency())
				f := pacedFrame{media.Frame{PTS: pts, Data: []byte{byte(n >> 16), byte(n >> 8), byte(n)}}, tracks[i]}
				if err := p.enqueue(t.Context(), i, f); err != nil {
					t.Fatal(err)
				}
				p.mu.Lock()
				most = max(most, p.order.Len())
				p.mu.Unlock()
				n++
			}
		}
	}
	p.end()
	<-done
	if len(got) != n {
		t.Fatalf("%d frames came out, want %d", len(got), n)
	}
	for i, r := range got {
		if r.n != i || i > 0 && r.at < got[i-1].at {
			t.Fatalf("frame %d comes out as the %dth, at %v", r.n, i, r.at)
		}
	}
	return got, p, most
}

// regular returns chunks of that length, each arriving when its last frame was
// captured, and up to jitter later, but in order.
func regular(cadence, length, jitter time.Duration) []chunk {
	rng := rand.New(rand.NewPCG(1, 2))
	var chunks []chunk
	last := time.Duration(0)
	for from := time.Duration(0); from < length; from += cadence {
		late := time.Duration(0)
		if jitter > 0 {
			late = time.Duration(rng.Int64N(int64(jitter)))
		}
		last = max(last, from+cadence+late)
		chunks = append(chunks, chunk{last, from, from + cadence})
	}
	return chunks
}

// TestPaceCadence: chunks become an even flow, with no more delay than the wait
// for the chunk itself.
func TestPaceCadence(t *testing.T) {
	for _, cadence := range []time.Duration{100 * ms, 250 * ms, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			length := 20 * time.Second / cadence * cadence
			got, _, _ := replay(t, regular(cadence, length, 0))
			for i, r := range got {
				if delay := r.at - r.capture; delay != cadence && r.capture < length-cadence {
					t.Fatalf("cadence %v: frame %d is released %v after its capture", cadence, i, delay)
				}
			}
		})
	}
}

// TestPaceJitter: the delay grows to what the latest chunks need, and then frames
// flow evenly.
func TestPaceJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cadence, jitter = 100 * ms, 80 * ms
		got, _, _ := replay(t, regular(cadence, time.Minute, jitter))
		uneven, last := 0, time.Duration(0)
		for i := 2; i < len(got)-10; i += 2 {
			if delay := got[i].at - got[i].capture; delay > cadence+jitter {
				t.Fatalf("frame %d is released %v after its capture", i, delay)
			}
			if got[i].capture < 10*time.Second {
				continue
			}
			if step := got[i].at - got[i-2].at; (step - frameStep).Abs() > 3*ms {
				uneven, last = uneven+1, step
			}
		}
		if uneven > 10 { // of 5000
			t.Errorf("%d frames are more than 3 ms off their pace, the last came after %v", uneven, last)
		}
	})
}

// TestPacePause: MediaRecorder's clock stands still while it is paused, so times
// go on where they were, and the flow after it is even at once.
func TestPacePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = 5 * time.Second
		chunks := regular(250*ms, 20*time.Second, 0)
		for i := range chunks[40:] {
			chunks[40+i].arrival += pause
		}
		got, _, _ := replay(t, chunks)
		for i := 2; i < len(got)-60; i += 2 {
			want := frameStep
			if got[i].capture == chunks[40].from {
				want += pause
			}
			if pts := got[i].pts - got[i-2].pts; pts != frameStep {
				t.Fatalf("frame %d is %v after the one before", i, pts)
			}
			if step := got[i].at - got[i-2].at; step != want {
				t.Fatalf("frame %d is released %v after the one before, want %v", i, step, want)
			}
		}
	})
}

// TestPaceStall: after a stall of the network frames flow evenly, and the delay
// goes back to what it was without a jump.
func TestPaceStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cadence, stall = 100 * ms, 3 * time.Second
		chunks := regular(cadence, time.Minute, 0)
		const at = 100
		for i := at; chunks[i].arrival < chunks[at].from+cadence+stall; i++ {
			chunks[i].arrival = chunks[at].from + cadence + stall
		}
		got, p, _ := replay(t, chunks)
		for i := 2; i < len(got)-30; i += 2 {
			step := got[i].at - got[i-2].at
			if got[i].capture == chunks[at].from {
				if step != stall+frameStep {
					t.Fatalf("after the stall: %v", step)
				}
				continue
			}
			if step < frameStep*9/10 || step > frameStep {
				t.Fatalf("frame %d is released %v after the one before", i, step)
			}
		}
		if end := got[len(got)-30]; end.at-end.capture != cadence {
			t.Errorf("in the end frames are released %v after their capture", end.at-end.capture)
		}
		if p.hurried > 20 {
			t.Errorf("%d frames were hurried", p.hurried)
		}
	})
}

// TestPaceFlood: a minute at once is released faster than its pace, in bounded
// memory, and then everything is as if it had come in time.
func TestPaceFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, p, most := replay(t, []chunk{{0, 0, time.Minute}})
		if took := got[len(got)-1].at; took > time.Minute/pace.Hurry+time.Second {
			t.Errorf("it took %v", took)
		}
		if p.hurried < 2000 || most > 2*int(maxSpan/frameStep)+2 {
			t.Errorf("%d frames were hurried, up to %d waited", p.hurried, most)
		}
		for i := 2; i < len(got); i += 2 {
			if step := got[i].at - got[i-2].at; step < frameStep/pace.Hurry-1 {
				t.Fatalf("frame %d is released %v after the one before: readers would be lapped", i, step)
			}
		}
	})
}

// TestPaceBytes: memory is bounded by bytes too, and by the number of frames.
func TestPaceBytes(t *testing.T) {
	for _, size := range []int{1, 1 << 20, maxQueued} {
		p := newPacer(func() time.Duration { return 0 }, 1)
		p.open()
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		cancel(stop)
		n := 0
		for ; ; n++ { // a put that would wait returns, as ctx is done
			if err := p.enqueue(ctx, 0, pacedFrame{media.Frame{PTS: time.Duration(n), Data: make([]byte, size)}, nil}); err != nil {
				if !errors.Is(err, stop) {
					t.Fatal(err)
				}
				break
			}
		}
		if want := max(1, maxQueued/(size+perFrame)); n != want {
			t.Errorf("%d frames of %d bytes fit, want %d", n, size, want)
		}
	}
}

func TestTimeline(t *testing.T) {
	const s = time.Second
	type step struct {
		track        int
		restart      bool
		at, now, pts time.Duration
	}
	for _, tt := range []struct {
		name    string
		latency time.Duration
		steps   []step
	}{
		{"starts anywhere", 0, []step{{at: 500 * s, now: 3 * s, pts: 3 * s}, {at: 501 * s, now: 4 * s, pts: 4 * s}}},
		{"below zero", 0, []step{{at: -7 * s, now: 0, pts: 0}, {at: -6 * s, now: s, pts: s}}},
		{"burst keeps its times", 0, []step{{at: 0, now: 2 * s, pts: 2 * s}, {at: s, now: 2 * s, pts: 3 * s}}},
		{"tracks keep their distance", 0, []step{{0, false, s, s, s}, {1, false, 990 * ms, s, 990 * ms}, {0, false, 2 * s, s, 2 * s}}},
		{"time of a track stands still", 0, []step{{0, false, s, s, s}, {0, false, s, s, s + soundStep}, {1, false, s, s, s}}},
		{"two pictures of one time", 0, []step{{1, false, s, s, s}, {1, false, s, s, s + pictureStep}, {1, false, s, s, s + 2*pictureStep}, {1, false, s + 5*ms, s, s + 5*ms}}},
		{"time of a track steps back", 0, []step{{0, false, s, s, s}, {0, false, 900 * ms, s, s + soundStep}}},
		{"pause", 0, []step{{at: s, now: s, pts: s}, {at: s + 20*ms, now: 100 * s, pts: s + 20*ms}}},
		{"freeze", 0, []step{{at: s, now: s, pts: s}, {at: 60 * s, now: 60 * s, pts: 60 * s}}},
		{"recorder started anew", 2 * s, []step{{at: 50 * s, now: 50 * s, pts: 50 * s}, {0, true, 0, 60 * s, 58 * s}, {at: s, now: 60 * s, pts: 59 * s}}},
		{"recorder started anew, faster than the wall clock", 0, []step{{at: 50 * s, now: 3 * s, pts: 3 * s}, {at: 59 * s, now: 3 * s, pts: 12 * s},
			{0, true, 0, 4 * s, 12*s + restartStep}, {at: s, now: 5 * s, pts: 13*s + restartStep}}},
		{"header before the first frame", 0, []step{{0, true, 5 * s, s, s}, {at: 6 * s, now: 2 * s, pts: 2 * s}}},
		{"clock jumps back", 0, []step{{at: 50 * s, now: s, pts: s}, {at: 0, now: 2 * s, pts: 2 * s}}},
		{"clock jumps ahead", 0, []step{{at: 0, now: s, pts: s}, {at: 1000 * s, now: 2 * s, pts: 2 * s}, {at: 1001 * s, now: 3 * s, pts: 3 * s}}},
	} {
		line := newTimeline([]*uploadTrack{{codec: media.Opus}, {codec: media.VP8}}, 0)
		for i, st := range tt.steps {
			if st.restart {
				line.restart()
			}
			if got := line.place(st.track, st.at, 0, st.now, tt.latency); got != st.pts {
				t.Errorf("%s: frame %d is placed at %v, want %v", tt.name, i, got, st.pts)
			}
		}
	}
}
