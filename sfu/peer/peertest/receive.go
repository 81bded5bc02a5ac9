package peertest

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Incoming gets what a client receives of one track. The functions are called by
// one goroutine; any may be nil.
type Incoming struct {
	OnPacket func(p *rtp.Packet)
	OnFrame  func(f media.Frame)
	// OnReport is called by a goroutine of its own.
	OnReport func(sr *rtcp.SenderReport)
}

// holeWindow is how long a client waits for a lost packet: longer than a browser does,
// since on a busy machine a repair takes its time.
const holeWindow = 2 * time.Second

// Receive adds a section for each track to the client's offer. Whatever their
// codec, the section offers all codecs of that kind that the client knows.
func (c *Client) Receive(tb testing.TB, tracks map[media.Codec]Incoming) {
	tb.Helper()
	for _, m := range mimes { // in one order: so are the offer's sections
		if _, ok := tracks[m.codec]; !ok {
			continue
		}
		_, err := c.PC.AddTransceiverFromKind(kindOf(m.codec), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(tb, err)
	}
	var (
		mu      sync.Mutex // pion may call OnTrack while, and after, it is closed
		closed  bool
		reading sync.WaitGroup
	)
	tb.Cleanup(func() {
		c.Close()
		mu.Lock()
		closed = true
		mu.Unlock()
		reading.Wait()
	})
	c.PC.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		k, ok := codecOf(t.Codec().MimeType)
		if !ok {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if closed {
			return
		}
		in := tracks[k]
		reading.Go(func() { in.readPackets(t, k) })
		reading.Go(func() { in.readReports(r) })
	})
}

// readPackets reads until the connection ends.
func (in Incoming) readPackets(t *webrtc.TrackRemote, k media.Codec) {
	format, _ := codec.For(k)
	depacketizer := format.NewDepacketizer(codec.Config{Window: holeWindow})
	var seq media.Unwrapper[uint16]
	var stamp media.Unwrapper[uint32]
	start := time.Now()
	emit := func(f media.Frame) {
		if in.OnFrame != nil {
			in.OnFrame(f)
		}
	}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if in.OnPacket != nil {
			in.OnPacket(p)
		}
		now := time.Since(start)
		at := stamp.Unwrap(p.Timestamp)
		depacketizer.Depacketize(&media.Packet{
			Seq: seq.Unwrap(p.SequenceNumber), Time: at, PTS: k.Duration(int64(at)), Arrival: now,
			Marker: p.Marker, Payload: p.Payload,
		}, emit)
	}
}

// readReports reads until the connection ends.
func (in Incoming) readReports(r *webrtc.RTPReceiver) {
	for {
		packets, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok && in.OnReport != nil {
				in.OnReport(sr)
			}
		}
	}
}

// rtpPacket gives p a header; the payload type and the SSRC are the track's.
func rtpPacket(p media.Packet) *rtp.Packet {
	return &rtp.Packet{
		Header: rtp.Header{
			Version: 2, Marker: p.Marker, SequenceNumber: uint16(p.Seq), Timestamp: uint32(p.Time),
		},
		Payload: p.Payload,
	}
}
