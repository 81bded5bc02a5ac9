package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// pictureCodecs are those of which a keyframe can be asked for.
var pictureCodecs = []media.Codec{media.VP8, media.VP9, media.AV1, media.H264}

// TestKeyframeOnItsWay: who opens a track before anything has come, by each way, wants
// a keyframe. The first packet is of one: the publisher is not asked, however long the
// rest takes.
func TestKeyframeOnItsWay(t *testing.T) {
	readers := map[string]func(t *testing.T, b *broadcast) func(){
		"recorder": func(_ *testing.T, b *broadcast) func() { return pulls(b.video.track.AllFrames()) },
		"feed":     func(_ *testing.T, b *broadcast) func() { return pulls(b.video.track.Frames()) },
		"relay":    func(_ *testing.T, b *broadcast) func() { return pulls(b.video.track.Packets()) },
		"viewer": func(t *testing.T, b *broadcast) func() {
			b.attach(t, writerFunc(discard))
			return func() {}
		},
		"asks all the time": func(_ *testing.T, b *broadcast) func() { return b.video.track.RequestKeyframe },
	}
	for name, open := range readers {
		for _, c := range pictureCodecs {
			synctest.Test(t, func(t *testing.T) {
				b := newBroadcastOf(t, c)
				defer b.Close()
				read := open(t, b)
				read()
				time.Sleep(5 * time.Second) // the publisher connects, and tries the way
				b.video.writer.WritePacket(RTP{Seq: b.video.seq - 1, Time: b.video.time, Arrival: b.Now()})
				read()
				time.Sleep(time.Second)
				for n := range 5 {
					f := media.Frame{PTS: b.Now(), Sync: n == 0, Data: sfutest.Frame(c, n, n == 0, 5000)}
					for _, p := range b.video.packets(f, 0) {
						p.Arrival = b.Now()
						b.video.writer.WritePacket(p)
						synctest.Wait()
						read()
						if n == 0 {
							time.Sleep(700 * ms) // a slow way
						}
					}
					time.Sleep(33 * ms)
				}
				if name != "asks all the time" && b.requested() > 0 {
					t.Errorf("%s, %v: a keyframe is asked for that nobody needs", name, c)
				}
				if name == "asks all the time" && b.requested() != 1 { // behind the keyframe
					t.Errorf("%v: it is not asked for when one is needed", c)
				}
			})
		}
	}
}

// pulls takes what is there.
func pulls[T media.Packet | media.Frame](c *Cursor[T]) func() {
	batch := make([]*T, 64)
	return func() { _, _, _ = c.Take(batch) }
}

// newBroadcastOf is newBroadcast with packets of video alone.
func newBroadcastOf(t *testing.T, c media.Codec) *broadcast {
	t.Helper()
	h := newHub(t, Config{})
	p, err := h.Publish("test", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := &broadcast{Publication: p, hub: h, video: addSource(t, p, c, Packets)}
	return b
}

// TestKeyframeSpoiled: one that was coming in is asked for once more when something of
// it is given up, or its sender cuts it off; and not for what is missing before it.
func TestKeyframeSpoiled(t *testing.T) {
	tests := []struct {
		name string
		do   func(b *broadcast, key, inter []RTP)
		want int
	}{
		{"whole", func(b *broadcast, key, inter []RTP) { write(b, key, inter) }, 0},
		{"a part is missing, and may come", func(b *broadcast, key, inter []RTP) {
			write(b, key[:2], key[3:], inter)
			b.video.track.RequestKeyframe()
		}, 0},
		{"a part is missing, and comes", func(b *broadcast, key, inter []RTP) {
			write(b, key[:2], key[3:], inter, key[2:3])
			b.video.writer.GiveUp() // of an earlier frame
		}, 0},
		{"a part is given up", func(b *broadcast, key, inter []RTP) {
			write(b, key[:2], key[3:], inter)
			b.video.writer.GiveUp()
		}, 1},
		{"its end is given up", func(b *broadcast, key, inter []RTP) {
			write(b, key[:4], inter)
			b.video.writer.GiveUp()
		}, 1},
		{"a part of the next frame is given up", func(b *broadcast, key, inter []RTP) {
			write(b, key, inter[:1], inter[2:])
			b.video.writer.GiveUp()
		}, 1},
		{"cut off", func(b *broadcast, key, inter []RTP) {
			for i := range inter {
				inter[i].Seq -= uint16(len(key) - 3)
			}
			write(b, key[:3], inter)
		}, 1},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcastOf(t, media.VP8)
			defer b.Close()
			frame := func(n int, key bool) []RTP {
				return b.video.packets(media.Frame{PTS: time.Duration(n) * 40 * ms, Sync: key, Data: sfutest.VP8Frame(n, key, 5000)}, b.Now())
			}
			write(b, frame(0, true), frame(1, false))
			frame(2, false) // is lost
			tt.do(b, frame(3, true), frame(4, false))
			if n := b.requested(); n != tt.want {
				t.Errorf("%s: %d requests, want %d", tt.name, n, tt.want)
			}
		})
	}
}

// write writes packets as they come.
func write(b *broadcast, runs ...[]RTP) {
	for _, run := range runs {
		for _, p := range run {
			b.video.writer.WritePacket(p)
		}
	}
}

// TestKeyframeOfTheNext: what was asked for while the publisher was away, or before it
// went, the first keyframe of the next one answers.
func TestKeyframeOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, Config{Grace: time.Minute})
		publish := func() *broadcast {
			p, err := h.Publish("test", PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			b := &broadcast{Publication: p, hub: h, video: addSource(t, p, media.VP8, Packets)}
			return b
		}
		clip := sfutest.Clip{}
		first := publish()
		first.video.write(clip.Video(1).Frame)
		track := first.video.track
		track.RequestKeyframe() // that it does not take
		first.leave(ErrLost)
		track.RequestKeyframe()
		time.Sleep(10 * time.Second)
		second := publish()
		time.Sleep(time.Second)
		if second.requested() != 0 {
			t.Error("the next publisher is asked before it sends")
		}
		second.video.write(clip.Video(0).Frame)
		time.Sleep(10 * time.Second)
		if second.requested() != 0 {
			t.Error("the next publisher is asked, though it began with a keyframe")
		}
		second.leave(nil)
	})
}

// TestKeyframeEvery: of a publisher of packets keyframes are asked for as the hub is
// told, whoever watches; uploads cannot be asked.
func TestKeyframeEvery(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{KeyframeInterval: 10 * time.Second}, form)
			defer b.Close()
			var keys []int
			for n, key := 0, true; n < 25*60; n++ {
				if key {
					keys = append(keys, n*40)
				}
				b.video.write(media.Frame{PTS: b.Now(), Sync: key, Data: sfutest.VP8Frame(n, key, 500)})
				time.Sleep(40 * ms)
				key = b.requested() > 0
			}
			want := 7
			if form == Frames {
				want = 1
			}
			if len(keys) != want {
				t.Errorf("%s: keyframes at %v ms", formName(form), keys)
			}
			for i := 1; i < len(keys); i++ {
				if keys[i]-keys[i-1] > 10_000 {
					t.Errorf("%s: keyframes at %v ms", formName(form), keys)
				}
			}
		})
	}
}

// TestSetsOfTheirOwn: H264 parameter sets that come under a time of their own, without
// a marker, are no picture that was cut off, though the sender sets markers.
func TestSetsOfTheirOwn(t *testing.T) {
	b := newBroadcastOf(t, media.H264)
	defer b.Close()
	cursor := b.video.track.AllFrames()
	defer cursor.Close()
	seq := uint16(0)
	put := func(at time.Duration, marker bool, payload []byte) {
		b.video.writer.WritePacket(RTP{Seq: seq, Time: uint32(media.H264.Ticks(at)), Marker: marker, Arrival: at, Payload: payload})
		seq++
	}
	for n := range 20 {
		at := time.Duration(n) * 40 * ms
		packets := b.video.packets(media.Frame{PTS: at, Sync: n%10 == 0, Data: sfutest.Frame(media.H264, n, n%10 == 0, 3000)}, at)
		if n%10 == 0 { // the sets are the first packet
			put(at+10*ms, false, packets[0].Payload)
			packets = packets[1:]
		}
		for _, p := range packets {
			put(at+20*ms, p.Marker, p.Payload)
		}
	}
	frames := make([]*media.Frame, 64)
	n, _, _ := cursor.Take(frames)
	if s := b.video.track.Stats(); n != 20 || s.Dropped != 0 || s.CutOff != 0 || !frames[10].Sync {
		t.Errorf("%d frames; %d dropped, %d cut off", n, s.Dropped, s.CutOff)
	}
}
