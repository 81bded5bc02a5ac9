package rtp_test

import (
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

const ms = time.Millisecond

// broadcast is a publisher of sound and picture whose packets are taken in.
type broadcast struct{ video, audio *source }

func newBroadcast() *broadcast {
	var session rtp.SyncContext
	return &broadcast{video: newSource(media.VP8, &session), audio: newSource(media.Opus, &session)}
}

// source is one track of it.
type source struct {
	track  *track
	writer *rtptest.Writer
	z      codec.Packetizer
	// offsets make the publisher's counters wrap.
	seq  uint16
	time uint32
}

func newSource(c media.Codec, s *rtp.SyncContext) *source {
	format, _ := codec.For(c)
	t := &track{codec: c, bySeq: map[uint64]*media.Packet{}}
	return &source{track: t, writer: rtptest.NewWriter(c, t, s), z: format.NewPacketizer(0), seq: 65500, time: 1<<32 - 20000}
}

// packets returns the packets of f as a publisher sends them.
func (s *source) packets(f media.Frame, arrival time.Duration) (packets []rtp.Packet) {
	s.z.Packetize(&f, func(p media.Packet) {
		packets = append(packets, rtp.Packet{
			Seq: uint16(p.Seq) + s.seq, Time: uint32(p.Time) + s.time, Marker: p.Marker,
			Arrival: arrival, Payload: p.Payload,
		})
	})
	return packets
}

// track keeps all packets that are written to it.
type track struct {
	codec   media.Codec
	packets []*media.Packet
	bySeq   map[uint64]*media.Packet
	refused int
	clock   media.ClockStats
}

func (t *track) WritePacket(p media.Packet) {
	t.packets = append(t.packets, &p)
	t.bySeq[p.Seq] = &p
}

func (t *track) Tail() media.Tail            { return media.Tail{} }
func (t *track) Refuse()                     { t.refused++ }
func (t *track) SetClock(c media.ClockStats) { t.clock = c }

// sound is the n-th packet of a source of sound that begins with the given counters; a
// packet each 20 ms.
func sound(seq uint16, at uint32, n int) rtp.Packet {
	return rtp.Packet{
		Seq: seq + uint16(n), Time: at + uint32(n)*960,
		Arrival: time.Duration(n) * 20 * ms, Payload: sfutest.OpusFrame(n, 40),
	}
}

// numbersOf returns the numbers of the frames in packets of sound.
func numbersOf(t *testing.T, packets []*media.Packet) (numbers []int) {
	t.Helper()
	for _, p := range packets {
		n, intact := sfutest.OpusNumber(p.Payload)
		if !intact {
			t.Fatal("a packet is damaged")
		}
		numbers = append(numbers, n)
	}
	return numbers
}
