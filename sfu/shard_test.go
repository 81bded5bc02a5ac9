package sfu

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// testViewer is a PacketWriter that notes what it got of the video, and can be
// made to break its promise not to block.
type testViewer struct {
	local  bool // on this machine
	mu     sync.Mutex
	gate   chan struct{} // if not nil WritePackets blocks until it is closed
	got    []*media.Packet
	lagged []int // len(got) when it was told that it lagged
	empty  int   // calls without packets
}

// WritePackets implements PacketWriter.
func (v *testViewer) WritePackets(t *Track, batch []*media.Packet, lagged bool) {
	v.mu.Lock()
	gate := v.gate
	v.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if t.Info().Kind() != media.Video {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if lagged {
		v.lagged = append(v.lagged, len(v.got))
	}
	if len(batch) == 0 {
		v.empty++
	}
	v.got = append(v.got, batch...)
}

// Local implements LocalWriter.
func (v *testViewer) Local() bool { return v.local }

// block has WritePackets block until the function that it returns is called.
func (v *testViewer) block() (release func()) {
	gate := make(chan struct{})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gate = gate
	return func() {
		v.mu.Lock()
		v.gate = nil
		v.mu.Unlock()
		close(gate)
	}
}

func (v *testViewer) packets() []*media.Packet {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.got)
}

func (v *testViewer) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.got)
}

func (v *testViewer) laps() []int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.lagged)
}

// attach attaches v to both tracks of b.
func (b *broadcast) attach(t testing.TB, v PacketWriter) *Attachment {
	t.Helper()
	sub, tracks := b.subscribe(t)
	a, err := sub.Attach(v, tracks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// live waits for the time at on the stream's clock.
func (b *broadcast) live(at time.Duration) { time.Sleep(at - b.Now()) }

// playLive plays at the clip's pace.
func (b *broadcast) playLive(clip sfutest.Clip, from, to time.Duration) {
	for at := from; at < to; at += sfutest.AudioInterval {
		b.live(at)
		b.play(clip, at, at+sfutest.AudioInterval)
	}
}

// wantRun checks that packets come in sequence, and begin with a keyframe.
func wantRun(t *testing.T, who string, packets []*media.Packet) {
	t.Helper()
	if len(packets) == 0 || !packets[0].Sync {
		t.Errorf("%s: %d packets came, and the first is no keyframe's", who, len(packets))
		return
	}
	for i, p := range packets[1:] {
		if p.Seq != packets[i].Seq+1 {
			t.Errorf("%s: Seq %d comes after %d", who, p.Seq, packets[i].Seq)
			return
		}
	}
}

// TestShardJoin: a joiner begins with the newest keyframe and gets everything
// from there on, while those who are live notice nothing.
func TestShardJoin(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{}, form)
			defer b.Close()
			clip := sfutest.Clip{KeyEvery: 50}
			early, joiner := &testViewer{}, &testViewer{local: true}
			b.attach(t, early)
			synctest.Wait()
			b.playLive(clip, 0, 3*time.Second) // frames 0 to 74
			b.requested()
			b.attach(t, joiner)
			b.playLive(clip, 3*time.Second, 4*time.Second)
			synctest.Wait()
			wantRun(t, "early", early.packets())
			wantRun(t, "joiner", joiner.packets())
			if got, want := early.count(), 100*3; got != want {
				t.Errorf("the early viewer has %d packets, want %d", got, want)
			}
			if got, want := joiner.count(), 50*3; got != want {
				t.Errorf("the joiner has %d packets, want %d", got, want)
			}
			if len(early.laps())+len(joiner.laps()) != 0 {
				t.Error("somebody was told that it lagged")
			}
			if b.requested() != 0 {
				t.Error("a keyframe was requested though there was one")
			}
		})
	}
}

// TestShardJoinWithoutKeyframe: without a keyframe to begin with, one is asked
// for, and the joiner gets what comes.
func TestShardJoinWithoutKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		v := &testViewer{}
		b.video.write(sfutest.Clip{}.Video(1).Frame)
		b.attach(t, v)
		synctest.Wait()
		if b.requested() != 1 {
			t.Error("no keyframe was requested")
		}
		b.playLive(sfutest.Clip{}, time.Second, 2*time.Second)
		synctest.Wait()
		wantRun(t, "viewer", v.packets())
	})
}

// TestShardCatchUpIsPaced: what lies between the keyframe and the present is sent as
// the viewer's pace allows, whether the publisher sends packets or frames, and
// meanwhile the live viewers get what is new without delay.
func TestShardCatchUpIsPaced(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		for _, alone := range []bool{false, true} {
			for _, local := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) { testCatchUp(t, form, alone, local) })
			}
		}
	}
}

func testCatchUp(t *testing.T, form Form, alone, local bool) {
	what := fmt.Sprintf("%s, alone %v, local %v", formName(form), alone, local)
	b := newBroadcast(t, Config{}, form)
	defer b.Close()
	const each, rate = 11, 25 * 11                    // packets of a picture, and of a second: 2.6 Mbit/s
	clip := sfutest.Clip{KeyEvery: 1000, Size: 12000} // of 1,100 bytes
	live, joiner := &testViewer{}, &testViewer{local: local}
	if !alone {
		b.attach(t, live)
		synctest.Wait()
	}
	const joined = 1600 * ms
	b.playLive(clip, 0, joined)
	synctest.Wait()
	behind := 40 * each
	b.attach(t, joiner)
	if synctest.Wait(); !local && joiner.count() > rate/10 || local && joiner.count() < 60 {
		t.Errorf("%s: a viewer has %d packets at once", what, joiner.count())
	}
	at, last := joined, joiner.count()
	for ; joiner.count() < behind; at += sfutest.VideoInterval {
		if at > joined+20*time.Second {
			t.Fatalf("%s: the viewer never gets to the live edge", what)
		}
		b.playLive(clip, at, at+sfutest.VideoInterval)
		behind += each
		synctest.Wait()
		got := joiner.count() - last
		last = joiner.count()
		if most := 2*each + 3; !local && (got > most || got < each && last < behind) {
			t.Errorf("%s: after %v a viewer has %d packets more, want %d to %d", what, at-joined, got, each, most)
		}
		if !alone && live.count() != behind {
			t.Errorf("%s: meanwhile a live viewer has %d packets, want %d", what, live.count(), behind)
		}
	}
	if took := at - joined; local && took > 100*ms || !local && (took < time.Second || took > 5*time.Second) {
		t.Errorf("%s: the viewer was live after %v", what, took)
	}
	wantRun(t, "joiner", joiner.packets())
	if !alone {
		wantRun(t, "live", live.packets())
	}
}

// TestShardLapped: when a viewer holds up its shard, against its promise, until
// the ring has lapped it, all viewers of that shard go on at the newest keyframe
// and are told so with the first packets behind the hole; the writer and other
// readers notice nothing.
func TestShardLapped(t *testing.T) {
	tests := []struct {
		name     string
		keyEvery int // of the frames that are written in the meantime
	}{
		{"with a keyframe in the ring", 50},
		{"without one", 100_000},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{}, Packets)
			defer b.Close()
			slow, other := &testViewer{}, &testViewer{}
			b.attach(t, slow)
			b.attach(t, other)
			b.playLive(sfutest.Clip{KeyEvery: 50}, 0, time.Second)
			synctest.Wait()
			before := other.count()
			release := slow.block()
			clip := sfutest.Clip{KeyEvery: tt.keyEvery}
			b.playLive(clip, time.Second, 1100*ms)
			synctest.Wait() // the shard is held up
			b.play(clip, 1100*ms, 20*time.Second)
			release()
			synctest.Wait()
			if asked := b.requested() > 0; asked != (tt.keyEvery > 1000) {
				t.Errorf("%s: a keyframe was requested: %v", tt.name, asked)
			}
			b.play(clip, 20*time.Second, 21*time.Second)
			b.play(sfutest.Clip{KeyEvery: 1}, 21*time.Second, 22*time.Second)
			synctest.Wait()
			for who, v := range map[string]*testViewer{"slow": slow, "other": other} {
				checkLap(t, tt.name+", "+who, v, before)
			}
		})
	}
}

// checkLap checks that v was told once that it lagged, at the hole in what it
// got.
func checkLap(t *testing.T, who string, v *testViewer, atLeast int) {
	t.Helper()
	packets, laps := v.packets(), v.laps()
	if len(laps) != 1 || laps[0] < atLeast || laps[0] >= len(packets) {
		t.Errorf("%s: told at %v of %d packets that it lagged, want once, at %d or later", who, laps, len(packets), atLeast)
		return
	}
	wantRun(t, who+" before the hole", packets[:laps[0]])
	after := packets[laps[0]:]
	if after[0].Seq == packets[laps[0]-1].Seq+1 {
		t.Errorf("%s: told that it lagged where no packet is missing", who)
	}
	for i, p := range after[1:] {
		if p.Seq != after[i].Seq+1 {
			t.Errorf("%s: a hole in what comes behind the hole", who)
			return
		}
	}
	if v.empty != 0 {
		t.Errorf("%s: %d calls without packets", who, v.empty)
	}
}

// TestShardLappedCatchingUp: the same for a viewer that was still catching up.
func TestShardLappedCatchingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		clip := sfutest.Clip{KeyEvery: 50, Size: 12000}
		b.play(clip, 0, 1800*ms)
		joiner := &testViewer{}
		b.attach(t, joiner)
		synctest.Wait()
		first := joiner.count()
		if first == 0 || first > 20 {
			t.Fatalf("%d packets came at once", first)
		}
		release := joiner.block()
		time.Sleep(20 * ms)
		synctest.Wait() // the shard is held up
		b.play(clip, 1800*ms, 30*time.Second)
		release()
		time.Sleep(3 * time.Second) // 2 s of the stream, at 1.3 times its rate
		synctest.Wait()
		checkLap(t, "joiner", joiner, first)
		packets := joiner.packets()
		if p := packets[joiner.laps()[0]]; !p.Sync {
			t.Error("behind the hole it does not begin with a keyframe, though there is one")
		}
		if last := packets[len(packets)-1]; last.Time != b.video.track.Edge() {
			t.Error("in the end it is not live")
		}
	})
}

// TestShardJoinAheadOfLane: a joiner of a shard that is behind gets nothing from
// before its keyframe, and those who are behind get everything.
func TestShardJoinAheadOfLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		clip := sfutest.Clip{KeyEvery: 60}
		slow, joiner := &testViewer{}, &testViewer{local: true}
		b.attach(t, slow)
		synctest.Wait()
		b.playLive(clip, 0, 100*ms)
		synctest.Wait()
		release := slow.block()
		b.playLive(clip, 100*ms, 200*ms)
		synctest.Wait()               // the shard is held up
		b.play(clip, 200*ms, 2800*ms) // frames to 69: several batches
		b.attach(t, joiner)
		release()
		b.playLive(clip, 2800*ms, 3200*ms)
		synctest.Wait()
		wantRun(t, "slow", slow.packets())
		wantRun(t, "joiner", joiner.packets())
		if slow.count() != 80*3 || joiner.count() != 20*3 {
			t.Errorf("%d and %d packets, want %d and %d", slow.count(), joiner.count(), 80*3, 20*3)
		}
	})
}
