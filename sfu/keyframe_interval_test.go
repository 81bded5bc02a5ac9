package sfu

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestKeyframeInterval: a keyframe is asked for when the interval is over, from then on
// before it is, and not if there is one by then.
func TestKeyframeInterval(t *testing.T) {
	tests := []struct {
		name string
		do   func(k *keyframes)
		sent []int
	}{
		{"answered", func(k *keyframes) {
			answer(k)
			time.Sleep(10_350 * ms)
			for range 3 {
				answer(k)
				time.Sleep(9*time.Second + 100*ms)
			}
		}, []int{10_250, 19_350, 28_450, 37_550}},
		{"others' keyframes", func(k *keyframes) {
			for range 30 {
				answer(k)
				time.Sleep(8900 * ms)
			}
		}, nil},
		{"on its way when it is due", func(k *keyframes) {
			answer(k)
			time.Sleep(8900 * ms)
			k.begins(9, 0, false)
			time.Sleep(500 * ms)
			k.complete()
			time.Sleep(9 * time.Second)
		}, nil},
		{"asked for when it is due", func(k *keyframes) {
			answer(k)
			time.Sleep(8900 * ms)
			k.request()
			time.Sleep(500 * ms)
			answer(k)
			time.Sleep(8 * time.Second)
		}, []int{8900}},
		{"the first is none", func(k *keyframes) { k.other(); time.Sleep(10_500 * ms) }, []int{10_250}},
		{"never answered", func(k *keyframes) {
			answer(k)
			time.Sleep(5 * time.Minute)
		}, []int{10_250, 11_250, 12_250, 22_250, 23_250, 24_250, 34_250, 35_250, 36_250, 46_250, 47_250,
			49_250, 62_250, 70_250, 86_250, 127_250, 187_250, 247_250}},
		{"the publisher is away", func(k *keyframes) {
			answer(k)
			k.away()
			time.Sleep(time.Hour)
		}, nil},
		{"closed", func(k *keyframes) {
			answer(k)
			k.close()
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if sent, _ := asked(t, 10*time.Second, tt.do); !slices.Equal(sent, tt.sent) {
				t.Errorf("sent after %v ms, want %v", sent, tt.sent)
			}
		})
	}
}

// TestKeyframeIntervalStill: of a picture that stands still no keyframe is asked for
// until it moves.
func TestKeyframeIntervalStill(t *testing.T) {
	sent, _ := asked(t, 10*time.Second, func(k *keyframes) {
		var packets atomic.Uint64
		k.packets = packets.Load
		answer(k)
		time.Sleep(time.Minute + 500*ms)
		packets.Add(1)
		time.Sleep(time.Second)
		answer(k)
	})
	if !slices.Equal(sent, []int{61_250}) {
		t.Errorf("sent after %v ms", sent)
	}
}

// encoder is a sender of 25 pictures a second with keyframes of its own.
type encoder struct {
	every   int              // pictures from one keyframe to the next; 0: none of its own
	grid    bool             // at multiples of that, whatever else there was in between
	scenes  []int            // pictures that are keyframes beside
	pauses  [2]time.Duration // it has none of its own in between
	picture time.Duration    // from one to the next; default 40 ms
	jitter  time.Duration    // each comes up to so much later than it could
}

// play runs the encoder for d, and returns when it made keyframes. What it is asked
// for is the first picture 50 ms later. Viewers need keyframes at the times needed.
func (e encoder) play(k *keyframes, d time.Duration, needed []time.Duration) (keys []time.Duration) {
	var requests []time.Duration
	send := k.send
	k.send = func() {
		send()
		requests = append(requests, k.now()+50*ms)
	}
	for _, at := range needed {
		time.AfterFunc(at, k.request)
	}
	random := rand.New(rand.NewPCG(1, 2))
	picture := cmp.Or(e.picture, 40*ms)
	for n, last := 0, 0; ; n++ {
		made := time.Duration(n) * picture
		if made > d {
			return keys
		}
		late := time.Duration(0)
		if e.jitter > 0 {
			late = time.Duration(random.Int64N(int64(e.jitter)))
		}
		time.Sleep(made + late - k.now())

		k.mu.Lock()
		asked := len(requests) > 0 && requests[0] <= made
		if asked {
			requests = requests[1:]
		}
		k.mu.Unlock()
		own := e.every > 0 && (made < e.pauses[0] || made >= e.pauses[1]) && n-last >= e.every
		if !own && !asked && n > 0 && !slices.Contains(e.scenes, n) {
			continue
		}
		switch {
		case e.grid && own:
			last = n / e.every * e.every
		case !e.grid:
			last = n
		}
		keys = append(keys, made)
		k.begins(uint64(n), made, true)
	}
}

// TestKeyframesOfItsOwn: a sender that keeps the interval by itself is asked for
// nothing but what viewers need; any other one for what is missing, and is believed
// again when it has shown that it keeps the interval.
func TestKeyframesOfItsOwn(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name   string
		sender encoder
		needed []time.Duration
		d      time.Duration
		sent   []int
	}{
		{"250 pictures", encoder{every: 250}, nil, 5 * minute, nil},
		{"250 pictures, at fixed times", encoder{every: 250, grid: true}, nil, 5 * minute, nil},
		{"250 pictures, over a network that holds them up", encoder{every: 250, jitter: 230 * ms}, nil, 5 * minute, nil},
		{"300 pictures at 29.97/s", encoder{every: 300, picture: time.Second * 1001 / 30_000}, nil, 5 * minute, nil},
		{"9.5 s", encoder{every: 237}, nil, 5 * minute, nil},
		{"2 s", encoder{every: 50}, nil, 5 * minute, nil},
		{"250 pictures, and at new scenes", encoder{every: 250, scenes: []int{3, 70, 300, 545, 600, 849, 1100}}, nil, minute, nil},
		{"viewers need some", encoder{every: 250}, []time.Duration{3 * time.Second, 14 * time.Second, 23 * time.Second}, 5 * minute, []int{3000, 14_000, 23_000}},
		{"viewers need some, at fixed times", encoder{every: 250, grid: true}, []time.Duration{3 * time.Second, 19 * time.Second}, 5 * minute, []int{3000, 19_000}},
		{"12 s", encoder{every: 300}, nil, minute, []int{10_250, 19_320, 28_400, 37_480, 46_560, 55_640}},
		{"12 s, at fixed times", encoder{every: 300, grid: true}, nil, minute, []int{10_250, 21_000, 33_000, 45_000, 57_000}},
		{"none", encoder{}, nil, minute, []int{10_250, 19_320, 28_400, 37_480, 46_560, 55_640}},
		{"no more", encoder{every: 250, pauses: [2]time.Duration{35 * time.Second, time.Hour}}, nil, minute, []int{40_250, 49_320, 58_400}},
		{"2 s, and then no more", encoder{every: 50, pauses: [2]time.Duration{35 * time.Second, time.Hour}}, nil, minute, []int{44_250, 53_320}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var keys []time.Duration
			sent, _ := asked(t, 10*time.Second, func(k *keyframes) { keys = tt.sender.play(k, tt.d, tt.needed) })
			if !slices.Equal(sent, tt.sent) {
				t.Errorf("sent after %v ms, want %v", sent, tt.sent)
			}
			for i, at := range keys[1:] {
				if at-keys[i] > 10*time.Second+350*ms {
					t.Errorf("no keyframe from %v to %v", keys[i], at)
				}
			}
		})
	}
}

// TestKeyframesOfItsOwnAgain: a sender that had none of its own for a while is asked
// some more times ahead of time, then no more; one that never has any is given the
// time only now and then.
func TestKeyframesOfItsOwnAgain(t *testing.T) {
	for _, grid := range []bool{false, true} {
		sent, _ := asked(t, 10*time.Second, func(k *keyframes) {
			encoder{every: 250, grid: grid, pauses: [2]time.Duration{35 * time.Second, time.Minute}}.play(k, time.Hour, nil)
		})
		if len(sent) != trialEvery {
			t.Errorf("at fixed times %v: asked %d times, to the last after %v ms", grid, len(sent), sent[len(sent)-1])
		}
	}
	var keys []time.Duration
	asked(t, 10*time.Second, func(k *keyframes) { keys = encoder{}.play(k, time.Hour, nil) })
	longer := 0
	for i, at := range keys[1:] {
		if at-keys[i] > 10*time.Second {
			longer++
		}
	}
	if want := 1 + len(keys)/trialEvery; longer != want {
		t.Errorf("%d of %d keyframes came late, want %d", longer, len(keys), want)
	}
}

// TestKeyframesOfAnother: whoever publishes next may keep the interval by itself.
func TestKeyframesOfAnother(t *testing.T) {
	sent, _ := asked(t, 10*time.Second, func(k *keyframes) {
		answer(k)
		time.Sleep(11 * time.Second)
		answer(k)
		k.away()
		time.Sleep(time.Minute)
		for range 5 {
			answer(k)
			time.Sleep(10 * time.Second)
		}
	})
	if !slices.Equal(sent, []int{10_250}) {
		t.Errorf("sent after %v ms", sent)
	}
}
