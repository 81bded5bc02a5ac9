package sfu

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// running returns the track's conversion, or nil while there is none.
func running(t *Track) *conversion {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.convert
}

// closer is a cursor of either form.
type closer interface{ Close() error }

// derived opens a cursor on the form that the track's source does not write.
func derived(t *Track) closer {
	if t.native == Packets {
		return t.Frames()
	}
	return t.Packets()
}

// direct opens a cursor on the other one.
func direct(t *Track) closer {
	if t.native == Packets {
		return t.Packets()
	}
	return t.Frames()
}

// TestConversionLife: a conversion runs while somebody reads what it makes, once
// for all of them.
func TestConversionLife(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		t.Run(formName(form), func(t *testing.T) {
			b := newBroadcast(t, Config{}, form)
			track := b.video.track
			b.play(sfutest.Clip{}, 0, time.Second)
			d := direct(track)
			defer d.Close()
			if running(track) != nil {
				t.Fatal("it runs though nobody wants what it makes")
			}
			for range 2 {
				first, second := derived(track), derived(track)
				conv := running(track)
				if conv == nil {
					t.Fatal("it does not run though it is wanted")
				}
				first.Close()
				first.Close()
				third := derived(track)
				if running(track) != conv {
					t.Fatal("it was started anew though it ran")
				}
				second.Close()
				third.Close()
				if running(track) != nil {
					t.Fatal("it runs on though nobody wants it any more")
				}
			}
		})
	}
}

// TestConversionKeepsNothing: what was derived is let go of with its last reader.
func TestConversionKeepsNothing(t *testing.T) {
	b := newBroadcast(t, Config{}, Frames)
	b.play(sfutest.Clip{}, 0, time.Second)
	c := b.video.track.Packets()
	p := take(t, c, 1)[0]
	if b.video.track.Packet(p.Seq) != p {
		t.Error("a packet that was read is not found by its number")
	}
	c.Close()
	if b.video.track.Packet(p.Seq) != nil || b.video.track.packets != nil {
		t.Error("packets are kept though nobody reads them")
	}
}

// TestPacketizingGoesOn: packets that are derived anew do not repeat sequence
// numbers, and have the same times.
func TestPacketizingGoesOn(t *testing.T) {
	b := newBroadcast(t, Config{}, Frames)
	b.play(sfutest.Clip{Length: time.Second}, 0, time.Second)
	read := func() []*media.Packet {
		c := b.video.track.Packets()
		defer c.Close()
		return take(t, c, 75)
	}
	first, second := read(), read()
	for i := range first {
		if second[i].Seq <= first[len(first)-1].Seq {
			t.Fatalf("Seq %d comes again", second[i].Seq)
		}
		if second[i].Time != first[i].Time || second[i].PTS != first[i].PTS {
			t.Fatalf("packet %d is at %d, %v; was at %d, %v", i, second[i].Time, second[i].PTS, first[i].Time, first[i].PTS)
		}
	}
}

// TestJoinInMidStream: whoever comes later begins with the newest keyframe, or
// with the oldest if it wants all, in either form, and without asking the
// publisher for a keyframe. Then it reads up to the end.
func TestJoinInMidStream(t *testing.T) {
	clip := sfutest.Clip{Length: 3 * time.Second, KeyEvery: 20}
	joiners := []struct {
		name  string
		first int // number of the first frame
		join  func(t *testing.T, track *Track, c *sfutest.Collector) func()
	}{
		{"frames", 40, func(t *testing.T, track *Track, c *sfutest.Collector) func() {
			cursor := track.Frames()
			return func() { c.AddFrames(drain(t, cursor), false); cursor.Close() }
		}},
		{"all frames", 0, func(t *testing.T, track *Track, c *sfutest.Collector) func() {
			cursor := track.AllFrames()
			return func() { c.AddFrames(drain(t, cursor), false); cursor.Close() }
		}},
		{"packets", 40, func(t *testing.T, track *Track, c *sfutest.Collector) func() {
			cursor := track.Packets()
			return func() { c.AddPackets(drain(t, cursor), false); cursor.Close() }
		}},
	}
	for _, form := range []Form{Packets, Frames} {
		for _, j := range joiners {
			t.Run(formName(form)+"/"+j.name, func(t *testing.T) {
				b := newBroadcast(t, Config{}, form)
				b.play(clip, 0, 2*time.Second) // 50 frames
				got := sfutest.NewCollector(media.VP8)
				finish := j.join(t, b.video.track, got)
				b.play(clip, 2*time.Second, 3*time.Second)
				if n := b.requested(); n != 0 {
					t.Errorf("the publisher was asked for %d keyframes", n)
				}
				b.Close()
				finish()
				if err := got.Complete(j.first, 74); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestJoinAfterTheEnd: what the rings still hold can be read after the end.
func TestJoinAfterTheEnd(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		b := newBroadcast(t, Config{}, form)
		b.play(sfutest.Clip{KeyEvery: 20}, 0, time.Second) // keyframes 0 and 20 of 25
		b.Close()
		for range 2 {
			frames, packets := sfutest.NewCollector(media.VP8), sfutest.NewCollector(media.VP8)
			f, p := b.video.track.Frames(), b.video.track.Packets()
			frames.AddFrames(drain(t, f), false)
			packets.AddPackets(drain(t, p), false)
			for _, c := range []*sfutest.Collector{frames, packets} {
				if err := c.Complete(20, 24); err != nil {
					t.Errorf("%s: %v", formName(form), err)
				}
			}
			f.Close()
			p.Close()
		}
	}
}

// TestLoss: a lost packet leaves a gap up to the next keyframe, which is asked
// for as soon as the loss is certain; readers of packets get what came.
func TestLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		frames := b.video.track.Frames()
		defer frames.Close()
		if b.requested() != 0 {
			t.Error("a keyframe is asked for before the first packet tells whether it begins one")
		}
		got := sfutest.NewCollector(media.VP8)
		batch := make([]*media.Frame, 60)
		clip := sfutest.Clip{KeyEvery: 75}
		for n := range 85 {
			time.Sleep(sfutest.VideoInterval)
			packets := b.video.packets(clip.Video(n).Frame, b.Now())
			if n == 30 {
				packets = packets[1:]
			}
			for _, p := range packets {
				b.video.writer.WritePacket(p)
			}
			synctest.Wait()
			count, lagged, err := frames.Take(batch)
			if err != nil {
				t.Fatal(err)
			}
			got.AddFrames(batch[:count], lagged)
			asked := b.requested()
			// Half a second behind frame 30 its packet is given up; a request each
			// second from there on.
			if (asked > 0) != (n == 43 || n == 68) {
				t.Errorf("at frame %d: %d requests", n, asked)
			}
		}
		if err := got.Err(); err != nil || len(got.Got()) != 40 {
			t.Errorf("%d frames came, want 40; %v", len(got.Got()), err)
		}
		for i, g := range got.Got() {
			want := i
			if i >= 30 {
				want += 45
			}
			if g.N != want || g.Gap != (want == 75) || g.Sync != (want%75 == 0) {
				t.Errorf("frame %d comes where %d was to come, gap %v, sync %v", g.N, want, g.Gap, g.Sync)
			}
		}
		if s := b.video.track.Stats(); s.Lost != 1 || s.Dropped != 45 {
			t.Errorf("%d packets lost, %d frames dropped; want 1, 45", s.Lost, s.Dropped)
		}
	})
}

// TestEndFlushes: what waits for a lost packet comes out at the end.
func TestEndFlushes(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	c := b.audio.track.Frames()
	defer c.Close()
	for n := range 10 {
		if n != 7 {
			b.audio.writer.WritePacket(sound(0, 0, n))
		}
	}
	b.Close()
	got := sfutest.NewCollector(media.Opus)
	got.AddFrames(drain(t, c), false)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	frames := got.Got()
	if len(frames) != 9 || frames[7].N != 8 || !frames[7].Gap || frames[8].N != 9 {
		t.Errorf("the frames are %+v", frames)
	}
	if lost := b.audio.track.Stats().Lost; lost != 1 {
		t.Errorf("%d packets lost, want 1", lost)
	}
}

// TestLossesAddUp: the counters do not start anew with each conversion.
func TestLossesAddUp(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	clip := sfutest.Clip{KeyEvery: 1}
	n := 0
	for round := range uint64(3) {
		frames := b.video.track.Frames()
		for i := range 4 {
			packets := b.video.packets(clip.Video(n).Frame, time.Duration(n)*600*ms)
			n++
			if i == 1 {
				packets = packets[1:]
			}
			for _, p := range packets {
				b.video.writer.WritePacket(p)
			}
		}
		take(t, frames, 3)
		frames.Close()
		if s := b.video.track.Stats(); s.Lost != round+1 {
			t.Errorf("round %d: %d packets lost", round, s.Lost)
		}
	}
}

// TestReorderedKeyframe: a keyframe whose packets came out of order is begun
// with, whether it came before the reader or after it.
func TestReorderedKeyframe(t *testing.T) {
	read := map[string]func(*testing.T, *Track) func() *sfutest.Collector{
		"packets": func(t *testing.T, track *Track) func() *sfutest.Collector {
			c, got := track.Packets(), sfutest.NewCollector(media.VP8)
			return func() *sfutest.Collector { got.AddPackets(drain(t, c), false); c.Close(); return got }
		},
		"frames": func(t *testing.T, track *Track) func() *sfutest.Collector {
			c, got := track.Frames(), sfutest.NewCollector(media.VP8)
			return func() *sfutest.Collector { got.AddFrames(drain(t, c), false); c.Close(); return got }
		},
		"all frames": func(t *testing.T, track *Track) func() *sfutest.Collector {
			c, got := track.AllFrames(), sfutest.NewCollector(media.VP8)
			return func() *sfutest.Collector { got.AddFrames(drain(t, c), false); c.Close(); return got }
		},
	}
	for name, open := range read {
		for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}} {
			for at := range 4 { // the reader comes before the packet at this place
				b := newBroadcast(t, Config{}, Packets)
				clip := sfutest.Clip{KeyEvery: 25, Size: 3000}
				key := b.video.packets(clip.Video(0).Frame, 0)
				var finish func() *sfutest.Collector
				for i, n := range order {
					if i == at {
						finish = open(t, b.video.track)
					}
					b.video.writer.WritePacket(key[n])
				}
				if at == len(order) {
					finish = open(t, b.video.track)
				}
				b.video.write(clip.Video(1).Frame)
				b.Close()
				if err := finish().Complete(0, 1); err != nil {
					t.Errorf("%s, packets in order %v, reader before the one at %d: %v", name, order, at, err)
				}
			}
		}
	}
}

// TestReadersComeAndGo: readers of both forms of both tracks come and go while
// the source writes, and each gets an unbroken stretch.
func TestReadersComeAndGo(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		b := newBroadcast(t, Config{}, form)
		var readers sync.WaitGroup
		done := make(chan struct{})
		for i := range 4 {
			readers.Go(func() {
				for !isClosed(done) {
					stretch(t, b, i)
				}
			})
		}
		for at := time.Duration(0); at < 20*time.Second; at += 100 * ms {
			b.play(sfutest.Clip{KeyEvery: 5, Size: 1500}, at, at+100*ms)
		}
		b.Close() // wakes those who wait
		close(done)
		readers.Wait()
		for _, s := range []*source{b.video, b.audio} {
			if running(s.track) != nil {
				t.Error("a conversion runs without readers")
			}
		}
	}
}

// stretch reads a few frames or packets of a track.
func stretch(t *testing.T, b *broadcast, kind int) {
	track, of := b.video.track, media.VP8
	if kind%2 == 0 {
		track, of = b.audio.track, media.Opus
	}
	got := sfutest.NewCollector(of)
	if kind < 2 {
		readSome(t, track.Packets(), got.AddPackets)
	} else {
		readSome(t, track.Frames(), got.AddFrames)
	}
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	first := 0
	for i, g := range got.Got() {
		if i == 0 {
			first = g.N
		}
		told := g.Gap || got.Lagged() > 0
		if g.N != first+i && !told {
			t.Errorf("frame %d comes where %d was to come, and nothing was said of a hole", g.N, first+i)
			return
		}
		first = g.N - i
	}
}

func readSome[T media.Packet | media.Frame](t *testing.T, c *Cursor[T], add func([]*T, bool)) {
	defer c.Close()
	batch := make([]*T, 16)
	for range 3 {
		n, lagged, err := c.Next(t.Context(), batch)
		if err != nil {
			return // the end
		}
		add(batch[:n], lagged)
	}
}
