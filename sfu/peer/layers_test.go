package peer

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// rigLayer is a layer as the client of a rig sends it.
type rigLayer struct {
	rid           string
	ssrc          uint32
	width, height uint16
	seq           uint16
	key           bool // the next frame is to be a keyframe
	mute          bool
}

// layeredRig is a rig of a picture in three sizes, of which only the packets tell what
// they are.
type layeredRig struct {
	*rig
	layers []*rigLayer
	number int // of the next frame
	cursor *sfu.Cursor[media.Frame]
	came   []*media.Frame // out of the track
}

func newLayeredRig(t testing.TB) *layeredRig {
	s := rigVideo()
	s.declared, s.rids = nil, []string{"q", "h", "f"}
	r := &layeredRig{rig: newRigOf(t, s), layers: []*rigLayer{
		{rid: "q", ssrc: 10, width: 320, height: 180, seq: 65534, key: true},
		{rid: "h", ssrc: 20, width: 640, height: 360, seq: 7, key: true},
		{rid: "f", ssrc: 30, width: 1280, height: 720, seq: 30000, key: true},
	}}
	r.cursor = r.track.AllFrames()
	t.Cleanup(func() { r.cursor.Close() })
	return r
}

// picture is a frame of one packet.
func (l *rigLayer) picture(number int) []byte {
	payload := append([]byte{0x10}, sfutest.VP8Frame(number, l.key, 100)...)
	if l.key { // RFC 6386 section 9.1
		binary.LittleEndian.PutUint16(payload[7:], l.width)
		binary.LittleEndian.PutUint16(payload[9:], l.height)
	}
	l.key = false
	return payload
}

// frame sends the next frame of all layers, and answers requests for keyframes.
func (r *layeredRig) frame(t testing.TB) {
	t.Helper()
	for _, l := range r.layers {
		if l.mute {
			continue
		}
		h := rtp.Header{PayloadType: rigPayload, SSRC: l.ssrc, SequenceNumber: l.seq, Timestamp: l.ssrc<<20 + uint32(r.number)*3600, Marker: true}
		r.put(t, named(h, map[uint8]string{rigMID: "v", rigRID: l.rid}), l.picture(r.number))
		l.seq++
	}
	r.number++
	for len(r.asks) > 0 {
		for _, p := range (<-r.asks).requests() {
			pli, ok := p.(*rtcp.PictureLossIndication)
			for _, l := range r.layers {
				l.key = l.key || ok && pli.MediaSSRC == l.ssrc
			}
		}
	}
	r.in.tend()
	batch := make([]*media.Frame, 64)
	n, _, _ := r.cursor.Take(batch)
	r.came = append(r.came, batch[:n]...)
}

// shows waits until the hub has a picture of a width.
func (r *layeredRig) shows(t testing.TB, width int) {
	t.Helper()
	until(t, "another layer", func() bool {
		r.frame(t)
		time.Sleep(5 * time.Millisecond) // a client has a pace
		return r.counted().Width == width
	})
}

// TestSimulcast: the largest layer that is sent gets to the hub, whichever that is, and
// what comes out of it are pictures in their order, with none missing.
func TestSimulcast(t *testing.T) {
	r := newLayeredRig(t)
	r.shows(t, 1280)
	r.layers[2].mute = true
	r.shows(t, 640)
	r.layers[1].mute = true
	r.shows(t, 320)
	r.layers[2].mute = false
	r.shows(t, 1280)
	if got := r.counted(); got.Lost+got.Late+got.Duplicates != 0 {
		t.Errorf("the track has %+v", got)
	}
	last := -1
	var at time.Duration
	for _, f := range r.came {
		n, intact := sfutest.VP8Number(f.Data)
		if !intact && !f.Sync { // sizes were changed in those
			t.Fatalf("frame %d is damaged", n)
		}
		if f.Gap || last >= 0 && (n < last || f.PTS <= at) {
			t.Errorf("frame %d at %v follows frame %d at %v: gap %v", n, f.PTS, last, at, f.Gap)
		}
		last, at = n, f.PTS
	}
	if len(r.came) < 20 {
		t.Errorf("%d frames", len(r.came))
	}
}

// TestSimulcastFeedback: every layer is reported on, and asked for what it lost; sender
// reports of the one that is passed on get to the hub.
func TestSimulcastFeedback(t *testing.T) {
	r := newLayeredRig(t)
	r.shows(t, 1280)
	r.layers[0].seq++
	r.layers[2].seq++
	for _, l := range r.layers {
		l.key = false
	}
	h := rtp.Header{PayloadType: rigPayload, Marker: true}
	asked := map[uint32]bool{}
	for _, l := range r.layers {
		h.SSRC, h.SequenceNumber, h.Timestamp = l.ssrc, l.seq, l.ssrc<<20+uint32(r.number)*3600
		r.put(t, named(h, map[uint8]string{rigMID: "v", rigRID: l.rid}), l.picture(r.number))
	}
	for len(r.asks) > 0 {
		for _, p := range (<-r.asks).requests() {
			if nack, ok := p.(*rtcp.TransportLayerNack); ok {
				asked[nack.MediaSSRC] = true
			}
		}
	}
	if !asked[10] || asked[20] || !asked[30] {
		t.Errorf("asked for packets of %v", asked)
	}
	told := map[uint32]uint32{}
	for _, p := range r.in.reports() {
		for _, report := range p.(*rtcp.ReceiverReport).Reports {
			told[report.SSRC] = report.TotalLost
		}
	}
	if len(told) != 3 || told[10] != 1 || told[20] != 0 || told[30] != 1 {
		t.Errorf("reported lost are %v", told)
	}
	for _, ssrc := range []uint32{10, 99, 30} {
		sealed, err := r.client.EncryptRTCP(nil, mustMarshal(t, &rtcp.SenderReport{SSRC: ssrc, NTPTime: 1 << 40, RTPTime: ssrc<<20 + uint32(r.number)*3600}), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.at.ReceiveMedia(sealed, rigAt)
		r.frame(t)
		if used := r.counted().Sync.Reports; (used == 1) != (ssrc == 30) {
			t.Errorf("after a report of %d, %d were used", ssrc, used)
		}
	}
}

func mustMarshal(t testing.TB, p rtcp.Packet) []byte {
	t.Helper()
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
