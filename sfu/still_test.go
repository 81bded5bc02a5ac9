package sfu

import (
	"bytes"
	"testing"

	"weir/sfu/sfutest"
)

// TestKeyframe: the newest keyframe is there when it is whole, whatever form its source
// writes, and nothing is converted for it.
func TestKeyframe(t *testing.T) {
	for _, native := range []Form{Packets, Frames} {
		b := newBroadcast(t, Config{}, native)
		track := b.video.track
		if f := track.Keyframe(); f != nil {
			t.Errorf("%s: there is %+v", formName(native), f)
		}
		clip := sfutest.Clip{KeyEvery: 3}
		for n := range 5 {
			b.video.write(clip.Video(n).Frame)
		}
		f := track.Keyframe()
		if f == nil || !bytes.Equal(f.Data, clip.Video(3).Frame.Data) || !f.Sync {
			t.Errorf("%s: it is %v", formName(native), f)
		}
		if packets, frames, _ := track.rings(); native == Packets && frames != nil || native == Frames && packets != nil {
			t.Errorf("%s: the other form is there", formName(native))
		}
	}
}

// TestKeyframeIncomplete: a keyframe of which a packet is missing is none, until that
// comes.
func TestKeyframeIncomplete(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	var late []RTP
	frame := sfutest.Clip{}.Video(0).Frame
	for i, p := range b.video.packets(frame, 0) {
		if i == 1 {
			late = append(late, p)
			continue
		}
		b.video.writer.WritePacket(p)
	}
	if f := b.video.track.Keyframe(); f != nil {
		t.Errorf("it is %d bytes", len(f.Data))
	}
	for _, p := range late {
		b.video.writer.WritePacket(p)
	}
	if f := b.video.track.Keyframe(); f == nil || !bytes.Equal(f.Data, frame.Data) {
		t.Error("it is not there")
	}
}
