package peertest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// reportInterval is how often a client sends sender reports.
const reportInterval = 200 * time.Millisecond

// Outgoing is a track that a client sends.
type Outgoing struct {
	codec      media.Codec
	local      *webrtc.TrackLocalStaticRTP
	sender     *webrtc.RTPSender
	packetizer codec.Packetizer

	keyframe chan struct{} // has a value when a keyframe was asked for

	// Requests is how many PLI and FIR have come, Nacked how many packets were
	// asked for again, Feedback how many transport-wide reports came.
	Requests, Nacked, Feedback atomic.Int64
}

// Send adds a track to send to the client's offer, in which k is the first codec
// of its kind.
func (c *Client) Send(tb testing.TB, k media.Codec) *Outgoing {
	tb.Helper()
	local, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mimeOf(k)}, k.Kind().String(), "peertest")
	must(tb, err)
	transceiver, err := c.PC.AddTransceiverFromTrack(local, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	must(tb, err)
	must(tb, prefer(transceiver, mimeOf(k)))
	format, ok := codec.For(k)
	if !ok {
		tb.Fatalf("no format for %v", k)
	}
	o := &Outgoing{
		codec: k, local: local, sender: transceiver.Sender(), packetizer: format.NewPacketizer(1<<32 + 65500), // wraps soon
		keyframe: make(chan struct{}, 1),
	}
	var reading sync.WaitGroup
	reading.Go(o.readFeedback)
	tb.Cleanup(func() { c.Close(); reading.Wait() })
	return o
}

// prefer puts the codec in front of the others in the offer.
func prefer(t *webrtc.RTPTransceiver, mime string) error {
	codecs := slices.Clone(t.Sender().GetParameters().Codecs) // pion goes on using its own
	slices.SortStableFunc(codecs, func(a, b webrtc.RTPCodecParameters) int {
		switch {
		case a.MimeType == mime && b.MimeType != mime:
			return -1
		case a.MimeType != mime && b.MimeType == mime:
			return 1
		}
		return 0
	})
	return t.SetCodecPreferences(codecs)
}

// readFeedback counts what the server reports, until the connection ends.
func (o *Outgoing) readFeedback() {
	for {
		packets, _, err := o.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				o.Requests.Add(1)
				select {
				case o.keyframe <- struct{}{}:
				default:
				}
			case *rtcp.TransportLayerNack:
				for _, pair := range p.Nacks {
					o.Nacked.Add(int64(len(pair.PacketList())))
				}
			case *rtcp.TransportLayerCC:
				o.Feedback.Add(1)
			}
		}
	}
}

// Write sends a frame. An error means that the connection is gone, or not there
// yet; the frame is lost then, as on any network.
func (o *Outgoing) Write(f media.Frame) {
	o.packetizer.Packetize(&f, func(p media.Packet) {
		_ = o.local.WriteRTP(rtpPacket(p))
	})
}

// WantsKeyframe reports whether a keyframe was asked for since it was called last.
func (o *Outgoing) WantsKeyframe() bool {
	select {
	case <-o.keyframe:
		return true
	default:
		return false
	}
}

// Broadcast is synthetic video and sound that are sent as time goes by.
type Broadcast struct {
	Video, Audio *Outgoing // nil: none
	// KeyEvery is the number of video frames from one keyframe to the next, and
	// Deaf keeps keyframes from coming when they are asked for.
	KeyEvery int
	Deaf     bool
	// Size and KeySize are the sizes of inter frames and keyframes, in bytes.
	Size, KeySize int
	// OnFrame, if set, is told each frame before it is sent.
	OnFrame func(c media.Codec, f media.Frame)

	// VideoSent and AudioSent are how many frames were sent.
	VideoSent, AudioSent atomic.Int64
}

const (
	// FrameTime and SoundTime are the distances of frames: 30 pictures and 50
	// packets of sound a second.
	FrameTime = time.Second / 30
	SoundTime = 20 * time.Millisecond
)

// Run sends until ctx is done.
func (b *Broadcast) Run(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for {
		now := time.Since(start)
		for b.Video != nil && time.Duration(b.VideoSent.Load())*FrameTime <= now {
			b.sendVideo()
		}
		for b.Audio != nil && time.Duration(b.AudioSent.Load())*SoundTime <= now {
			b.sendAudio()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Start runs b until the returned function is called, or the test ends. The
// function waits until b has stopped.
func (b *Broadcast) Start(tb testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	tb.Cleanup(stop)
	return stop
}

func (b *Broadcast) sendVideo() {
	n := int(b.VideoSent.Load())
	key := n%b.KeyEvery == 0 || b.Video.WantsKeyframe() && !b.Deaf
	size := b.Size
	if key {
		size = b.KeySize
	}
	b.send(b.Video, media.Frame{PTS: time.Duration(n) * FrameTime, Sync: key, Data: sfutest.Frame(b.Video.codec, n, key, size)})
	b.VideoSent.Add(1)
}

func (b *Broadcast) sendAudio() {
	n := int(b.AudioSent.Load())
	b.send(b.Audio, media.Frame{PTS: time.Duration(n) * SoundTime, Sync: true, Data: sfutest.OpusFrame(n, 80)})
	b.AudioSent.Add(1)
}

func (b *Broadcast) send(o *Outgoing, f media.Frame) {
	if b.OnFrame != nil {
		b.OnFrame(o.codec, f)
	}
	o.Write(f)
}
