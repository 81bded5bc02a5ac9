package sfutest

import (
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

func TestClip(t *testing.T) {
	clip := Clip{Length: 2 * time.Second, KeyEvery: 10}
	last := time.Duration(-1)
	counts := map[media.Codec]int{}
	for _, s := range clip.Samples() {
		if s.Frame.PTS < last || s.Frame.PTS >= clip.Length {
			t.Fatalf("%v frame %d is at %v, after %v", s.Codec, s.N, s.Frame.PTS, last)
		}
		if s.N != counts[s.Codec] {
			t.Fatalf("%v frame %d comes where %d is next", s.Codec, s.N, counts[s.Codec])
		}
		if s.Codec == media.VP8 && s.Frame.Sync != (s.N%10 == 0) {
			t.Errorf("frame %d: sync is %v", s.N, s.Frame.Sync)
		}
		last = s.Frame.PTS
		counts[s.Codec]++
	}
	for _, c := range []media.Codec{media.VP8, media.Opus} {
		if counts[c] != clip.Count(c) {
			t.Errorf("%d frames of %v, and Count says %d", counts[c], c, clip.Count(c))
		}
	}
	if n := clip.Count(media.VP8); n != 50 {
		t.Errorf("2 s hold %d pictures, want 50", n)
	}
}

func TestCollectorSeesWhatIsWrong(t *testing.T) {
	clip := Clip{Length: time.Second}
	frame := func(n int) *media.Frame {
		f := clip.Video(n).Frame
		return &f
	}
	damaged := frame(3)
	damaged.Data[100]++
	early := frame(3)
	early.PTS = 0
	tests := []struct {
		name        string
		frames      []*media.Frame
		ok          bool // nothing wrong with what came
		first, last int  // numbers that are complete, if last > 0
	}{
		{"all", []*media.Frame{frame(1), frame(2), frame(3)}, true, 1, 3},
		{"missing", []*media.Frame{frame(1), frame(3)}, true, 0, 0},
		{"twice", []*media.Frame{frame(2), frame(2)}, false, 0, 0},
		{"out of order", []*media.Frame{frame(2), frame(1)}, false, 0, 0},
		{"damaged", []*media.Frame{frame(2), damaged}, false, 0, 0},
		{"time steps back", []*media.Frame{frame(2), early}, false, 0, 0},
		{"none", nil, true, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCollector(media.VP8)
			c.AddFrames(tt.frames, false)
			if err := c.Err(); (err == nil) != tt.ok {
				t.Errorf("Err() = %v", err)
			}
			if err := c.Complete(1, 3); (err == nil) != (tt.last > 0) {
				t.Errorf("Complete() = %v", err)
			}
		})
	}
}

func TestCollectorPutsPacketsTogether(t *testing.T) {
	clip := Clip{Length: time.Second}
	for _, of := range []media.Codec{media.VP8, media.Opus} {
		format, _ := codec.For(of)
		packetizer, c := format.NewPacketizer(1<<32), NewCollector(of)
		for _, s := range clip.Samples() {
			if s.Codec == of {
				packetizer.Packetize(&s.Frame, func(p media.Packet) { c.AddPackets([]*media.Packet{&p}, false) })
			}
		}
		if err := c.Complete(0, clip.Count(of)-1); err != nil {
			t.Error(err)
		}
		if c.Lagged() != 0 {
			t.Error("lagged without being told")
		}
		c.AddPackets(nil, true)
		if c.Lagged() != 1 {
			t.Error("not lagged though told")
		}
	}
}
