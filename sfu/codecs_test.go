package sfu

import (
	"fmt"
	"testing"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestCodecs: in each codec, whichever form the source writes, readers of packets
// and of frames who join in midstream get everything from a keyframe on, byte for
// byte, and the track knows its size.
func TestCodecs(t *testing.T) {
	for _, c := range []media.Codec{media.VP8, media.VP9, media.AV1, media.H264} {
		for _, form := range []Form{Packets, Frames} {
			t.Run(fmt.Sprintf("%v/%s", c, formName(form)), func(t *testing.T) {
				h := newHub(t, Config{})
				p, err := h.Publish("codecs", PublishOptions{Source: "test"})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				source := addSource(t, p, c, form)
				clip := sfutest.Clip{Codec: c, KeyEvery: 20, Size: 4000}
				for n := range 50 {
					source.write(clip.Video(n).Frame)
				}
				frames, all, packets := sfutest.NewCollector(c), sfutest.NewCollector(c), sfutest.NewCollector(c)
				newest, oldest, raw := source.track.Frames(), source.track.AllFrames(), source.track.Packets()
				for n := 50; n < 75; n++ {
					source.write(clip.Video(n).Frame)
				}
				if got := p.Info().Tracks[0]; got.Width != sfutest.Width || got.Height != sfutest.Height || got.Keyframes != 4 {
					t.Errorf("the track is %+v", got)
				}
				p.Close()
				frames.AddFrames(drain(t, newest), false)
				all.AddFrames(drain(t, oldest), false)
				packets.AddPackets(drain(t, raw), false)
				newest.Close()
				oldest.Close()
				raw.Close()
				// What a source of packets wrote before the first reader of frames came is
				// converted from the newest keyframe on.
				first := 40
				if form == Frames {
					first = 0
				}
				for name, got := range map[string]*sfutest.Collector{"frames": frames, "packets": packets} {
					if err := got.Complete(40, 74); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				if err := all.Complete(first, 74); err != nil {
					t.Errorf("all frames: %v", err)
				}
			})
		}
	}
}
