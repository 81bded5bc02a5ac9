package peer

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

const (
	rigSSRC, rigRTX       = 0x1111, 0x2222
	rigPayload, rigRepair = 96, 97
)

var rigAt = netip.MustParseAddrPort("192.0.2.1:1")

// rig is an ingress whose handshake is over, without a network, with one input that
// has no route yet. What it is given its test may do by one goroutine only.
type rig struct {
	*ingress
	client *srtp.Context // with the client's keys
	in     *input
	pub    *sfu.Publication
	track  *sfu.Track
	plain  []byte // scratch space
	sealed []byte
}

// nowhere is a socket that takes everything.
type nowhere struct{ net.PacketConn }

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

func newRig(t testing.TB) *rig {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{ingress: newIngress(dtlsServer)}
	if r.pub, err = hub.Publish("s", sfu.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.pub.Close() })
	w, err := r.pub.AddTrack(media.TrackInfo{ID: "video", Codec: media.VP8}, sfu.Packets)
	if err != nil {
		t.Fatal(err)
	}
	r.pub.Ready()
	r.track = trackOf(t, hub)
	r.client = shake(t, r.ingress)
	r.enter(newDemux(nowhere{}), r.ingress, pair{credentials{testUfrag, testPwd}, remoteUfrag})
	at := rigAt
	r.to.Store(&at)
	c := &Publisher{session: &session{ingress: r.ingress}, asking: make(chan asking, maxAsking)}
	r.in = newInput(remoteTrack{track: &webrtc.TrackRemote{}}, w, media.VP8, c, r.pub)
	r.in.payload, r.in.nacks = rigPayload, true
	r.in.ssrc.Store(rigSSRC)
	return r
}

// shake is a handshake: it returns what the client seals with.
func shake(t testing.TB, i *ingress) *srtp.Context {
	t.Helper()
	i.secrets.profile, i.secrets.serverRandom = srtp.ProtectionProfileAeadAes128Gcm, make([]byte, 32)
	if _, err := fmt.Fprintf(&i.secrets, "CLIENT_RANDOM %x %x\n", make([]byte, 32), make([]byte, 48)); err != nil {
		t.Fatal(err)
	}
	if err := i.established(); err != nil {
		t.Fatal(err)
	}
	return clientContext(t, i)
}

// clientContext returns what the client of an ingress seals with.
func clientContext(t testing.TB, i *ingress) *srtp.Context {
	t.Helper()
	c := srtp.Config{Profile: i.secrets.profile}
	if err := c.ExtractSessionKeysFromDTLS(&i.secrets, true); err != nil {
		t.Fatal(err)
	}
	client, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// seal returns a packet as the client sends it. The slice is good until the next call.
func (r *rig) seal(t testing.TB, h rtp.Header, payload []byte) []byte {
	t.Helper()
	h.Version = 2
	var err error
	n := h.MarshalSize()
	r.plain = append(r.plain[:0], make([]byte, n)...)
	if _, err = h.MarshalTo(r.plain); err != nil {
		t.Fatal(err)
	}
	r.plain = append(r.plain, payload...)
	if r.sealed, err = r.client.EncryptRTP(r.sealed[:0], r.plain, nil); err != nil {
		t.Fatal(err)
	}
	return r.sealed
}

// frame is a picture of one packet, with a number in it.
func frame(number int) []byte {
	return append([]byte{0x10}, sfutest.VP8Frame(number, true, 100)...)
}

func mediaHeader(seq uint16) rtp.Header {
	return rtp.Header{PayloadType: rigPayload, SSRC: rigSSRC, SequenceNumber: seq, Timestamp: uint32(seq) * 3000, Marker: true}
}

// send has the ingress take in one packet of the stream, and says whether it is left
// for pion.
func (r *rig) send(t testing.TB, seq uint16) bool {
	t.Helper()
	return r.takeMedia(r.seal(t, mediaHeader(seq), frame(int(seq))), rigAt) != nil
}

// begin is send for a first packet, which pion yields again: those that follow it go
// past pion.
func (r *rig) begin(t testing.TB, seq uint16) {
	t.Helper()
	if !r.send(t, seq) {
		t.Fatal("a first packet is not left for pion")
	}
	h := mediaHeader(seq)
	r.in.put(&h, frame(int(seq)), false)
	r.take(r.in, rigSSRC, seq)
}

// again is send for a retransmission (RFC 4588).
func (r *rig) again(t testing.TB, number, seq uint16) bool {
	t.Helper()
	h := mediaHeader(number)
	h.SSRC, h.PayloadType, h.Timestamp = rigRTX, rigRepair, uint32(seq)*3000
	return r.takeMedia(r.seal(t, h, append(binary.BigEndian.AppendUint16(nil, seq), frame(int(seq))...)), rigAt) != nil
}

// has says that a packet is in the track. turns is how often its number has wrapped.
func (r *rig) has(turns int, seq uint16) bool {
	return r.track.Packet(1<<32+uint64(turns)<<16+uint64(seq)) != nil
}

func (r *rig) counted() sfu.TrackStats { return r.pub.Info().Tracks[0] }
