package load

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// broadcast is the synthetic media of one publisher: what looks like VP8 and Opus to a
// reader of headers, and is noise otherwise.
type broadcast struct {
	c    Config
	p    *publisher
	data []byte // noise, as much as a keyframe needs

	videoCut, audioCut codec.Packetizer
}

func newBroadcast(c Config, p *publisher) *broadcast {
	_, key := c.frameSizes()
	b := &broadcast{c: c, p: p, data: make([]byte, max(key, maxOpus))}
	for i := range b.data {
		b.data[i] = byte(rand.Uint32())
	}
	p.socket.tellLeaving(func() {
		now := time.Now()
		for kind := range p.left {
			p.left[kind].leave(now)
		}
	})
	vp8, _ := codec.For(media.VP8) // both are always there
	opus, _ := codec.For(media.Opus)
	b.videoCut, b.audioCut = vp8.NewPacketizer(uint64(rand.Uint32N(1<<15))), opus.NewPacketizer(uint64(rand.Uint32N(1<<15)))
	return b
}

// sendFrames sends until ctx is done. The first frame comes after a delay, so that
// several streams do not send at the same instants.
func (b *broadcast) sendFrames(ctx context.Context, delay time.Duration) {
	start := time.Now().Add(delay)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	frameTime := b.c.frameTime()
	sinceKey := b.c.keyEvery() // so the first frame is one
	for frame, sound := 0, 0; ; {
		nextFrame, nextSound := time.Duration(frame)*frameTime, time.Duration(sound)*soundTime
		if b.p.audio == nil {
			nextSound = nextFrame + 1
		}
		timer.Reset(time.Until(start.Add(min(nextFrame, nextSound))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if nextSound < nextFrame {
			b.sendSound(nextSound)
			sound++
			continue
		}
		key := sinceKey >= b.c.keyEvery() || b.p.wanted.Swap(false) && b.c.AnswerPLI
		if key {
			sinceKey = 0
			b.p.wanted.Store(false)
		}
		sinceKey++
		b.sendFrame(nextFrame, key)
		frame++
	}
}

// sendFrame sends a picture of 640 x 360, or the keyframe that was given.
func (b *broadcast) sendFrame(at time.Duration, key bool) {
	inter, large := b.c.frameSizes()
	data, real := b.data[:inter], key && b.c.Keyframe != nil
	switch {
	case real:
		data = b.c.Keyframe
		b.p.sent.keyframes.Add(1)
	case key:
		data = b.data[:large]
		// Inverse key frame bit 0, version 0, shown; start code, width, height (RFC
		// 6386 section 9.1).
		copy(data, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 640 & 0xff, 640 >> 8, 360 & 0xff, 360 >> 8})
		b.p.sent.keyframes.Add(1)
	default:
		data[0] = 0x11
	}
	b.p.sent.frames.Add(1)
	b.p.socket.cork()
	defer b.p.socket.uncork()
	b.videoCut.Packetize(&media.Frame{PTS: at, Sync: key, Data: data}, func(p media.Packet) {
		_, size, _ := codec.ParseVP8Descriptor(p.Payload)
		number := b.p.sent.video.Add(1) - 1
		if !real { // it is to be decoded
			putStamp(p.Payload[size:], uint32(number))
		}
		b.send(b.p.video, p)
		b.p.left[media.Video].ready.Store(uint32(number + 1))
	})
}

// sendSound sends 20 ms of sound.
func (b *broadcast) sendSound(at time.Duration) {
	data := append([]byte(nil), b.data[:b.c.opusSize()]...) // packets are part of it
	data[0] = 15<<3 | 1<<2                                  // TOC: hybrid fullband 20 ms, stereo, one frame (RFC 6716 section 3.1)
	number := uint32(b.p.sent.audio.Add(1) - 1)
	putStamp(data, number)
	b.p.socket.cork()
	defer b.p.socket.uncork()
	b.audioCut.Packetize(&media.Frame{PTS: at, Sync: true, Data: data}, func(p media.Packet) { b.send(b.p.audio, p) })
	b.p.left[media.Audio].ready.Store(number + 1)
}

// send sends a packet. An error means that the connection is lost; the report
// tells that.
func (b *broadcast) send(track *webrtc.TrackLocalStaticRTP, p media.Packet) {
	_ = track.WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: p.Marker, SequenceNumber: uint16(p.Seq), Timestamp: uint32(p.Time)},
		Payload: p.Payload,
	})
}
