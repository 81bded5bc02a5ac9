package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// wide has pictures of 11 packets, 2.6 Mbit/s.
func wide(keyEvery int) sfutest.Clip { return sfutest.Clip{KeyEvery: keyEvery, Size: 12000} }

const inPicture = 11

// TestJoinInLongGroup: who joins long after a keyframe is sent that one, and goes on
// with a new one, which is asked for.
func TestJoinInLongGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		b.playLive(wide(1000), 0, 4*time.Second)
		b.requested()
		joiner := &testViewer{}
		b.attach(t, joiner)
		b.playLive(wide(1000), 4*time.Second, 4280*ms)
		synctest.Wait()
		if got, asked := joiner.count(), b.requested(); got != inPicture || asked != 1 {
			t.Errorf("the joiner has %d packets, and %d requests were made; want %d and 1", got, asked, inPicture)
		}
		b.playLive(wide(107), 4280*ms, 6*time.Second) // picture 107 is a keyframe
		synctest.Wait()
		packets := joiner.packets()
		wantRun(t, "joiner, the first picture", packets[:inPicture])
		wantRun(t, "joiner, what follows", packets[inPicture:])
		if len(packets) != inPicture+(150-107)*inPicture {
			t.Errorf("the joiner has %d packets, want a picture and 43", len(packets))
		}
		if laps := joiner.laps(); len(laps) != 1 || laps[0] != inPicture {
			t.Errorf("it is told at %v that packets are missing", laps)
		}
	})
}

// TestJoinUnanswered: from a publisher that does not answer, a joiner gets all that it
// missed, and those who come when that is known do not wait.
func TestJoinUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		b.playLive(wide(1000), 0, 4*time.Second)
		for i, waits := range []bool{true, false} {
			at := time.Duration(4+2*i) * time.Second
			joiner := &testViewer{local: true}
			a := b.attach(t, joiner)
			b.playLive(wide(1000), at, at+400*ms)
			synctest.Wait()
			if got := joiner.count(); waits != (got == inPicture) {
				t.Errorf("joiner %d has %d packets after 400 ms; waits %v", i, got, waits)
			}
			b.playLive(wide(1000), at+400*ms, at+2*time.Second)
			synctest.Wait()
			wantRun(t, "joiner", joiner.packets())
			if got, want := joiner.count(), int(b.Now()/sfutest.VideoInterval)*inPicture; got < want-inPicture {
				t.Errorf("joiner %d has %d packets in the end, want %d", i, got, want)
			}
			a.Close()
		}
	})
}

// TestJoinUploadInLongGroup: an upload cannot be asked, and nobody waits.
func TestJoinUploadInLongGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Frames)
		defer b.Close()
		b.playLive(wide(1000), 0, 4*time.Second)
		joiner := &testViewer{local: true}
		b.attach(t, joiner)
		b.playLive(wide(1000), 4*time.Second, 4400*ms)
		synctest.Wait()
		wantRun(t, "joiner", joiner.packets())
		if got, want := joiner.count(), 110*inPicture; got != want {
			t.Errorf("the joiner has %d packets, want %d", got, want)
		}
	})
}

// TestJoinSkips: who is still behind when a keyframe comes goes on there, once the
// picture that it is at is whole.
func TestJoinSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		b.playLive(wide(50), 0, 3800*ms) // the newest keyframe is of 2 s
		joiner := &testViewer{}
		b.attach(t, joiner)
		b.playLive(wide(50), 3800*ms, 5*time.Second)
		synctest.Wait()
		packets, laps := joiner.packets(), joiner.laps()
		if len(laps) != 1 || !packets[laps[0]].Sync || !packets[laps[0]-1].Marker {
			t.Fatalf("it is told at %v that packets are missing", laps)
		}
		wantRun(t, "joiner, before the keyframe", packets[:laps[0]])
		wantRun(t, "joiner, behind it", packets[laps[0]:])
		if last := packets[len(packets)-1]; last.Time != b.video.track.Edge() {
			t.Error("it is not live")
		}
	})
}

// TestResentSlowsDown: a viewer that loses packets is sent fewer, and what it is sent
// again is part of them.
func TestResentSlowsDown(t *testing.T) {
	after := func(lost bool) (packets int) {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{}, Packets)
			defer b.Close()
			b.playLive(wide(1000), 0, 1900*ms)
			joiner := &testViewer{}
			a := b.attach(t, joiner)
			b.playLive(wide(1000), 1900*ms, 2*time.Second)
			if lost {
				a.Do(func() { a.Resent(b.video.track, 12_000) })
			}
			b.playLive(wide(1000), 2*time.Second, 3*time.Second)
			synctest.Wait()
			packets = joiner.count()
		})
		return packets
	}
	without, with := after(false), after(true)
	if with > without-30 || with < without/2 {
		t.Errorf("after losses a viewer has %d packets, without %d", with, without)
	}
}

// TestRate: the rate of a track, from its first picture on.
func TestRate(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		for _, keyEvery := range []int{10, 25, 1000} {
			synctest.Test(t, func(t *testing.T) {
				b := newBroadcast(t, Config{}, form)
				defer b.Close()
				const rate = 25 * (12000 + 11*56) // bytes a second, with a key picture of the same size
				for at := time.Duration(0); at < 6*time.Second; at += 200 * ms {
					b.play(wide(keyEvery), at, at+200*ms)
					if got := b.video.track.rate(); at >= youngest && (got < rate*9/10 || got > rate*12/10) {
						t.Errorf("%s, group of %d: after %v the rate is %d, want %d", formName(form), keyEvery, at+200*ms, got, rate)
					}
				}
			})
		}
	}
}

// TestRateOfNothing: without anything to tell from, nobody is kept waiting.
func TestRateOfNothing(t *testing.T) {
	r := newRing[media.Packet](64)
	look := func(p *media.Packet) sample { return sample{p.PTS, wire(p), p.Sync} }
	if got := rateOf(r, look); got != youngRate {
		t.Errorf("of nothing the rate is %d", got)
	}
	r.append(&media.Packet{Sync: true, Payload: make([]byte, 1000)}, true)
	if got := rateOf(r, look); got != youngRate {
		t.Errorf("of one packet the rate is %d", got)
	}
	// Times that go back are none to divide by.
	r.append(&media.Packet{PTS: -time.Hour, Payload: make([]byte, 1000)}, false)
	r.append(&media.Packet{PTS: time.Hour, Payload: make([]byte, 1000)}, false)
	if got := rateOf(r, look); got < youngRate {
		t.Errorf("with times that leap the rate is %d", got)
	}
}
