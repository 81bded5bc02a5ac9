package sfu

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/sfutest"
)

// asked runs f with the owner of a track's requests, whose publisher's first packet
// is here, and returns when it sent requests, in milliseconds from the start, and how
// many of them it took back.
func asked(t *testing.T, every time.Duration, f func(k *keyframes)) (sent []int, tookBack int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		waiting := false
		k := &keyframes{
			every: every,
			now:   func() time.Duration { return time.Since(start) },
			send: func() {
				sent = append(sent, int(time.Since(start).Milliseconds()))
				waiting = true
			},
			takeBack: func() {
				if waiting {
					tookBack++
				}
				waiting = false
			},
			packets: func() uint64 { return uint64(time.Since(start)) }, // they never cease
		}
		f(k)
		k.close()
		time.Sleep(time.Hour)
	})
	return sent, tookBack
}

// seconds are n times in milliseconds, a second apart.
func seconds(from, n int) (at []int) {
	for i := range n {
		at = append(at, from+1000*i)
	}
	return at
}

// answer has a keyframe come at once.
func answer(k *keyframes) {
	k.begins(0, 0, true)
}

func TestKeyframes(t *testing.T) {
	tests := []struct {
		name string
		do   func(k *keyframes)
		sent []int
	}{
		{"nobody asks", func(k *keyframes) { k.other(); time.Sleep(time.Minute) }, nil},
		{"at once, and answered", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(200 * ms)
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0}},
		{"repeated until answered", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(2500 * ms)
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"not for ever", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(time.Hour)
		}, seconds(0, 10)},
		{"many ask", func(k *keyframes) {
			k.other()
			for range 250 {
				k.request()
				time.Sleep(10 * ms)
			}
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"many ask, one after the other is answered", func(k *keyframes) {
			k.other()
			for range 250 {
				k.request()
				time.Sleep(10 * ms)
				answer(k)
			}
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"many ask one that cannot answer", func(k *keyframes) {
			k.other()
			for range 10 * 60 {
				k.request()
				time.Sleep(time.Second)
			}
		}, append(seconds(0, 11), 12_000, 16_000, 24_000, 40_000, 72_000, 132_000, 192_000, 252_000, 312_000, 372_000, 432_000, 492_000, 552_000)},
		{"again within a second", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(100 * ms)
			answer(k)
			time.Sleep(100 * ms)
			k.request()
			time.Sleep(1000 * ms)
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0, 1000}},
		{"again after a while", func(k *keyframes) {
			k.other()
			k.request()
			answer(k)
			time.Sleep(5500 * ms)
			k.request()
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0, 5500}},
		{"anew after the last try", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(20 * time.Second)
			k.request()
			answer(k)
			time.Sleep(time.Minute)
		}, append(seconds(0, 10), 20_000)},

		{"before the first packet, which is of a keyframe", func(k *keyframes) {
			k.request()
			time.Sleep(5 * time.Second)
			k.begins(7, 0, false)
			k.request()
			k.complete()
			time.Sleep(time.Minute)
		}, nil},
		{"before the first packet, which is of none", func(k *keyframes) {
			k.request()
			time.Sleep(5 * time.Second)
			k.other()
			time.Sleep(100 * ms)
			answer(k)
			time.Sleep(time.Minute)
		}, []int{5000}},
		{"while one is coming in", func(k *keyframes) {
			k.begins(7, 0, false)
			for range 15 { // it takes its time
				k.request()
				time.Sleep(200 * ms)
				k.moved.Store(int64(k.now()))
			}
			k.complete()
			time.Sleep(time.Minute)
		}, nil},
		{"while one was coming in, and comes no more", func(k *keyframes) {
			k.begins(7, 0, false)
			time.Sleep(900 * ms)
			k.request()
			time.Sleep(200 * ms)
			k.request()
			answer(k)
		}, []int{1100}},
		{"one is spoiled", func(k *keyframes) {
			k.begins(7, 0, false)
			k.request()
			time.Sleep(50 * ms)
			k.spoiled()
			answer(k)
		}, []int{50}},
		{"one is spoiled when it was asked for", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(50 * ms)
			k.begins(7, 0, false)
			k.spoiled()
			time.Sleep(time.Second)
			answer(k)
			time.Sleep(time.Minute)
		}, []int{0, 1000}},
		{"waits for its second, and one comes", func(k *keyframes) {
			k.other()
			k.request()
			answer(k)
			time.Sleep(500 * ms)
			k.request()
			k.begins(8, 0, false)
			k.complete()
			time.Sleep(time.Minute)
		}, []int{0}},
		{"a reader that is behind the newest", func(k *keyframes) {
			k.begins(7, 3*time.Second, true)
			k.requestAfter(2 * time.Second)
			k.requestBehind(6)
			time.Sleep(time.Minute)
		}, nil},
		{"a reader that is past it", func(k *keyframes) {
			k.begins(7, 3*time.Second, true)
			k.requestAfter(3 * time.Second)
			answer(k)
			k.begins(8, 4*time.Second, false)
			time.Sleep(2 * time.Second)
			k.requestBehind(8) // and found it spoiled
			answer(k)
		}, []int{0, 2000}},
		{"another publisher", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(500 * ms)
			k.away()
			k.request()
			time.Sleep(time.Minute)
			k.begins(9, 0, false)
			k.complete()
			time.Sleep(time.Minute)
		}, []int{0}},
		{"another publisher without a keyframe", func(k *keyframes) {
			answer(k)
			k.away()
			time.Sleep(time.Minute)
			k.other()
			answer(k)
		}, []int{60_000}},
		{"closed in between", func(k *keyframes) {
			k.other()
			k.request()
			time.Sleep(1500 * ms)
			k.close()
			k.request()
			time.Sleep(time.Minute)
		}, []int{0, 1000}},
		{"closed from the start", func(k *keyframes) {
			k.close()
			k.other()
			k.request()
			answer(k)
			time.Sleep(time.Minute)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if sent, _ := asked(t, 0, tt.do); !slices.Equal(sent, tt.sent) {
				t.Errorf("sent after %v ms, want %v", sent, tt.sent)
			}
		})
	}
}

// TestKeyframeInterval: a keyframe is asked for before the interval is over, and not
// if there is one by then.
func TestKeyframeInterval(t *testing.T) {
	tests := []struct {
		name string
		do   func(k *keyframes)
		sent []int
	}{
		{"answered", func(k *keyframes) {
			answer(k)
			for range 3 {
				time.Sleep(9*time.Second + 100*ms)
				answer(k)
			}
		}, []int{9000, 18_100, 27_200}},
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
			time.Sleep(8 * time.Second)
		}, nil},
		{"asked for when it is due", func(k *keyframes) {
			answer(k)
			time.Sleep(8900 * ms)
			k.request()
			time.Sleep(500 * ms)
			answer(k)
			time.Sleep(8 * time.Second)
		}, []int{8900}},
		{"the first is none", func(k *keyframes) { k.other(); time.Sleep(9500 * ms) }, []int{9000}},
		{"never answered", func(k *keyframes) {
			answer(k)
			time.Sleep(5 * time.Minute)
		}, []int{9000, 10_000, 11_000, 21_000, 22_000, 23_000, 33_000, 34_000, 35_000, 45_000, 46_000,
			48_000, 61_000, 69_000, 85_000, 126_000, 186_000, 246_000}},
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
	if !slices.Equal(sent, []int{61_000}) {
		t.Errorf("sent after %v ms", sent)
	}
}

// TestKeyframesConcurrently: many ask and are answered at once; there is never more
// than one request a second.
func TestKeyframesConcurrently(t *testing.T) {
	sent, _ := asked(t, 0, func(k *keyframes) {
		k.other()
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				for range 100 {
					k.request()
					time.Sleep(time.Duration(7+i) * ms)
					if i == 0 {
						answer(k)
					}
				}
			})
		}
		asking.Wait()
	})
	if len(sent) < 2 || sent[0] != 0 {
		t.Errorf("sent after %v ms", sent)
	}
	for i := range len(sent) - 1 {
		if sent[i+1]-sent[i] < 1000 {
			t.Errorf("sent after %v ms: two within a second", sent)
		}
	}
}

// TestKeyframeTakenBack: what the source has not taken when a keyframe comes in, it is
// not told any more; requests for other tracks stay.
func TestKeyframeTakenBack(t *testing.T) {
	r := requests{ids: make(chan string, maxTracks)}
	for range 2 {
		for _, id := range []string{"a", "b", "c"} {
			r.add(id)
		}
	}
	r.takeBack("b")
	r.takeBack("d")
	close(r.ids)
	var left []string
	for id := range r.ids {
		left = append(left, id)
	}
	if !slices.Equal(left, []string{"a", "c"}) {
		t.Errorf("left: %v", left)
	}
	_, tookBack := asked(t, 0, func(k *keyframes) {
		k.other()
		k.request()
		answer(k)
	})
	if tookBack != 1 {
		t.Errorf("%d taken back", tookBack)
	}
}

// TestKeyframeRequests: requests of all kinds reach the publisher as one, and
// only for the picture; a keyframe answers them, in either form.
func TestKeyframeRequests(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{}, form)
			defer b.Close()
			clip := sfutest.Clip{}
			got := func(want int, when string) {
				t.Helper()
				synctest.Wait()
				if n := b.requested(); n != want {
					t.Errorf("%s, %s: %d requests, want %d", formName(form), when, n, want)
				}
			}
			b.audio.track.RequestKeyframe()
			got(0, "for sound")
			b.video.track.RequestKeyframe()
			got(0, "before the first frame")
			b.video.write(clip.Video(1).Frame)
			f, p := b.video.track.Frames(), b.video.track.Packets()
			defer f.Close()
			defer p.Close()
			b.attach(t, writerFunc(discard))
			got(1, "several want one")
			time.Sleep(1100 * ms)
			got(1, "a second later")
			b.video.write(clip.Video(1).Frame)
			time.Sleep(time.Second)
			got(1, "after a frame that is none")
			b.video.write(clip.Video(0).Frame)
			time.Sleep(10 * time.Second)
			got(0, "after a keyframe")
		})
	}
}

// TestKeyframeRequestsUnread: a source that does not read them holds up nobody.
func TestKeyframeRequestsUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		b.video.write(sfutest.Clip{}.Video(1).Frame)
		for range 100 {
			b.video.track.RequestKeyframe()
			time.Sleep(time.Second)
		}
		if n := b.requested(); n == 0 || n > maxTracks {
			t.Errorf("%d requests wait, want %s", n, fmt.Sprintf("1 to %d", maxTracks))
		}
	})
}

// TestKeyframesAnswers: who can be asked is expected to answer until several requests
// were not, and again when another publisher comes, or one request was.
func TestKeyframesAnswers(t *testing.T) {
	asked(t, 0, func(k *keyframes) {
		expect := func(when string, want bool) {
			t.Helper()
			if k.answers() != want {
				t.Errorf("%s: answers %v", when, !want)
			}
		}
		expect("before the first packet", false)
		k.other()
		expect("never asked", true)
		k.request()
		expect("asked once", true)
		time.Sleep(5 * time.Second)
		expect("asked five times", false)
		answer(k)
		expect("a keyframe came long after", false)
		time.Sleep(10 * time.Second)
		k.request()
		time.Sleep(200 * ms)
		answer(k)
		expect("answered", true)
		k.native = Frames
		expect("an upload", false)
	})
}
