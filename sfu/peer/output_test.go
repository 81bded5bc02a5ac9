package peer

import (
	"testing"

	"github.com/pion/rtp"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/forward"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// discard is where packets would be encrypted.
type discard struct{ packets int }

func (d *discard) WriteRTP(*rtp.Header, []byte) (int, error) { d.packets++; return 0, nil }
func (d *discard) Write([]byte) (int, error)                 { return 0, nil }

// TestOutputAllocatesNothing: from the shard to pion's SRTP a packet costs no
// allocation per viewer.
func TestOutputAllocatesNothing(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if _, err := pub.AddTrack(media.TrackInfo{ID: "video", Codec: media.VP8}, sfu.Packets); err != nil {
		t.Fatal(err)
	}
	pub.Ready()
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var to discard
	out := newOutput(tracks[0], make(chan struct{}, 1))
	out.stream, out.ssrc, out.forwarder = &to, 1, forward.New(forward.Config{SSRC: 1, PayloadType: 96})
	var batch []*media.Packet
	format, _ := codec.For(media.VP8)
	format.NewPacketizer(1<<32).Packetize(&media.Frame{Sync: true, Data: sfutest.VP8Frame(0, true, 20000)},
		func(p media.Packet) { batch = append(batch, &p) })
	out.write(batch, false)
	if n := testing.AllocsPerRun(100, func() { out.write(batch, false) }); n != 0 {
		t.Errorf("%v allocations for a batch of %d packets", n, len(batch))
	}
	if to.packets < 100*len(batch) {
		t.Errorf("%d packets were written, want at least %d", to.packets, 100*len(batch))
	}
}
