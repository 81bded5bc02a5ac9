package sfu

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/sfutest"
)

// throttled runs f with a throttle and returns when it sent requests, in
// milliseconds from the start.
func throttled(t *testing.T, f func(k *keyframeThrottle)) (sent []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		k := &keyframeThrottle{send: func() { sent = append(sent, int(time.Since(start).Milliseconds())) }}
		f(k)
		k.close()
		time.Sleep(time.Minute)
	})
	return sent
}

func TestKeyframeThrottle(t *testing.T) {
	tests := []struct {
		name string
		do   func(k *keyframeThrottle)
		sent []int
	}{
		{"nobody asks", func(*keyframeThrottle) { time.Sleep(time.Minute) }, nil},
		{"at once, and answered", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(200 * ms)
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0}},
		{"repeated until answered", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(2500 * ms)
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"not for ever", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000}},
		{"many ask", func(k *keyframeThrottle) {
			for range 250 {
				k.request()
				time.Sleep(10 * ms)
			}
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"many ask, one after the other is answered", func(k *keyframeThrottle) {
			for range 250 {
				k.request()
				time.Sleep(10 * ms)
				k.satisfied()
			}
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000}},
		{"again within a second", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(100 * ms)
			k.satisfied()
			time.Sleep(100 * ms)
			k.request()
			time.Sleep(1000 * ms)
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0, 1000}},
		{"again after a while", func(k *keyframeThrottle) {
			k.request()
			k.satisfied()
			time.Sleep(5500 * ms)
			k.request()
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0, 5500}},
		{"anew after the last try", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(20 * time.Second)
			k.request()
			k.satisfied()
			time.Sleep(time.Minute)
		}, []int{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 20000}},
		{"closed in between", func(k *keyframeThrottle) {
			k.request()
			time.Sleep(1500 * ms)
			k.close()
			k.request()
			time.Sleep(time.Minute)
		}, []int{0, 1000}},
		{"closed from the start", func(k *keyframeThrottle) {
			k.close()
			k.request()
			time.Sleep(time.Minute)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if sent := throttled(t, tt.do); !slices.Equal(sent, tt.sent) {
				t.Errorf("sent after %v ms, want %v", sent, tt.sent)
			}
		})
	}
}

// TestKeyframeThrottleConcurrently: many ask and are answered at once; there is
// never more than one request a second.
func TestKeyframeThrottleConcurrently(t *testing.T) {
	sent := throttled(t, func(k *keyframeThrottle) {
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				for range 100 {
					k.request()
					time.Sleep(time.Duration(7+i) * ms)
					if i == 0 {
						k.satisfied()
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
		for range 100 {
			b.video.track.RequestKeyframe()
			time.Sleep(time.Second)
		}
		if n := b.requested(); n == 0 || n > maxTracks {
			t.Errorf("%d requests wait, want %s", n, fmt.Sprintf("1 to %d", maxTracks))
		}
	})
}
