package peer

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const numberExtension = 5

func numbered(t *testing.T, number uint16) *rtp.Header {
	t.Helper()
	h := &rtp.Header{Version: 2, SSRC: 9}
	if err := h.SetExtension(numberExtension, binary.BigEndian.AppendUint16(nil, number)); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestArrivals: the feedback tells of each number whether it came, and when.
func TestArrivals(t *testing.T) {
	a := &arrivals{}
	a.packet(numbered(t, 1), 0) // before it is negotiated
	a.negotiated(0)
	a.packet(numbered(t, 1), 0)
	if got := a.feedback(); got != nil {
		t.Errorf("%v is told to a client that knows nothing of it", got)
	}
	a.negotiated(numberExtension)
	a.negotiated(numberExtension) // an ICE restart forgets nothing
	for i, number := range []uint16{65534, 65535, 2, 1} {
		a.packet(numbered(t, number), time.Second+time.Duration(i)*10*ms)
	}
	a.packet(&rtp.Header{}, 2*time.Second)
	a.packet(&rtp.Header{Extension: true, ExtensionProfile: rtp.ExtensionProfileOneByte}, 2*time.Second)
	packets := a.feedback()
	if len(packets) != 1 || a.feedback() != nil {
		t.Fatalf("%d reports, and then more", len(packets))
	}
	report := packets[0].(*rtcp.TransportLayerCC)
	var came []time.Duration // 0: not at all
	at := time.Duration(report.ReferenceTime) * 64 * ms
	deltas := report.RecvDeltas
	for _, chunk := range report.PacketChunks {
		var symbols []uint16
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				symbols = append(symbols, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			symbols = c.SymbolList
		}
		for _, symbol := range symbols {
			if len(came) == int(report.PacketStatusCount) {
				break
			}
			if symbol == rtcp.TypeTCCPacketNotReceived {
				came = append(came, 0)
				continue
			}
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
			came = append(came, at)
		}
	}
	want := []time.Duration{1000 * ms, 1010 * ms, 0, 1030 * ms, 1020 * ms}
	if report.BaseSequenceNumber != 65534 || len(came) != len(want) {
		t.Fatalf("from %d on %v is told", report.BaseSequenceNumber, came)
	}
	for i := range want {
		if d := came[i] - want[i]; d < -250*time.Microsecond || d > 250*time.Microsecond {
			t.Errorf("packet %d came at %v, want %v", i, came[i], want[i])
		}
	}
}
