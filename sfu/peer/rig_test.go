package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
	"weir/sfu/sfutest"
)

const ms = time.Millisecond

const (
	rigSSRC, rigRTX       = 0x1111, 0x2222
	rigPayload, rigRepair = 96, 97
)

var rigAt = pathOf("192.0.2.1:1")

// rig is a mediaIntake whose handshake is over, without a network. What it is given its
// test may do by one goroutine only.
type rig struct {
	*mediaIntake
	demux  *transport.Demux
	at     *transport.Client
	client *srtp.Context // with the client's keys
	in     *receiver     // of the first section
	pub    *sfu.Publication
	track  *sfu.Track // that of in
	asks   chan asking
	plain  []byte // scratch space
	sealed []byte
}

// The header extensions of rigs.
const rigMID, rigRID, rigRepaired, rigNumber = 1, 2, 3, 5

// rigVideo is a section of VP8 whose SSRCs the offer names.
func rigVideo() section {
	return section{
		mid: "v", payload: rigPayload, repair: rigRepair, nack: true,
		declared: map[uint32]uint32{rigSSRC: 0, rigRTX: rigSSRC},
	}
}

// rigAudio is one of Opus, of which the offer names nothing.
func rigAudio() section { return section{mid: "a", payload: 111, repair: noType, nack: true} }

// nowhere is a socket that takes everything.
type nowhere struct{ net.PacketConn }

func (nowhere) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }

func (nowhere) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, net.ErrClosed
}

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigOf(t, rigVideo())
}

// newRigOf returns a rig with these sections, of VP8 and of Opus.
func newRigOf(t testing.TB, sections ...section) *rig {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{mediaIntake: &mediaIntake{}, asks: make(chan asking, maxAsking)}
	if r.pub, err = hub.Publish("s", sfu.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.pub.Close() })
	routes := &router{names: extensions{rigMID, rigRID, rigRepaired}}
	infos := make([]media.TrackInfo, len(sections))
	for i, s := range sections {
		infos[i] = media.TrackInfo{ID: s.mid, Codec: media.VP8}
		if s.payload == rigAudio().payload {
			infos[i].Codec = media.Opus
		}
	}
	writers, err := r.pub.AddTracks(sfu.Packets, infos...)
	if err != nil {
		t.Fatal(err)
	}
	shared := &incoming{pub: r.pub, asking: r.asks}
	for i, s := range sections {
		routes.receivers = append(routes.receivers, newReceiver(s, infos[i].Codec, writers[i], shared))
	}
	r.mediaIntake.router.Store(routes)
	r.in = routes.receivers[0]
	r.track = trackOf(t, hub)
	r.demux = transport.NewDemux(nowhere{})
	r.at = transport.NewClient(r.demux, transport.NewConnectionState(func() {}), &sdp.Offer{}, true)
	r.mediaIntake.client = r.at
	r.client = shake(t, r.at)
	r.at.Enter(sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag, r.mediaIntake)
	r.demux.Receive(controlling(), rigAt)
	return r
}

// pathOf is one over UDP, of which what is sent is lost.
func pathOf(address string) transport.Path {
	return transport.Path{Network: transport.UDP, Address: netip.MustParseAddrPort(address), Writer: nowhere{}}
}

// shake is a handshake: it returns what the client seals with.
func shake(t testing.TB, c *transport.Client) *srtp.Context {
	t.Helper()
	s := exchange(t, c)
	if err := c.Establish(); err != nil {
		t.Fatal(err)
	}
	return clientContext(t, s)
}

// exchange is that part of a handshake that yields the keys.
func exchange(t testing.TB, c *transport.Client) *transport.Secrets {
	t.Helper()
	s := c.NewSecrets()
	s.ServerHello(handshake.MessageServerHello{Extensions: []extension.Extension{
		&extension.UseSRTP{ProtectionProfiles: []extension.SRTPProtectionProfile{extension.SRTP_AEAD_AES_128_GCM}},
	}})
	if _, err := fmt.Fprintf(s, "CLIENT_RANDOM %x %x\n", make([]byte, 32), make([]byte, 48)); err != nil {
		t.Fatal(err)
	}
	return s
}

// clientContext returns what the client of a handshake seals with.
func clientContext(t testing.TB, s *transport.Secrets) *srtp.Context {
	t.Helper()
	c := srtp.Config{Profile: s.Profile()}
	if err := c.ExtractSessionKeysFromDTLS(s, true); err != nil {
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

// put has the mediaIntake take in a packet.
func (r *rig) put(t testing.TB, h rtp.Header, payload []byte) {
	t.Helper()
	r.at.ReceiveMedia(bytes.Clone(r.seal(t, h, payload)), rigAt)
}

// send is put for a packet of the stream.
func (r *rig) send(t testing.TB, seq uint16) {
	t.Helper()
	r.put(t, mediaHeader(seq), frame(int(seq)))
}

// again is put for a retransmission (RFC 4588).
func (r *rig) again(t testing.TB, number, seq uint16) {
	t.Helper()
	h := mediaHeader(number)
	h.SSRC, h.PayloadType, h.Timestamp = rigRTX, rigRepair, uint32(seq)*3000
	r.put(t, h, append(binary.BigEndian.AppendUint16(nil, seq), frame(int(seq))...))
}

// named returns the header with extensions: a MID, a RID, or whatever.
func named(h rtp.Header, names map[uint8]string) rtp.Header {
	h.Version = 2
	for id, name := range names {
		if err := h.SetExtension(id, []byte(name)); err != nil {
			panic(err)
		}
	}
	return h
}

// routes returns the table of routes.
func (r *rig) routes() []route { return r.router.Load().table }

// has says that a packet is in the track. turns is how often its number has wrapped.
func (r *rig) has(turns int, seq uint16) bool {
	return r.track.Packet(1<<32+uint64(turns)<<16+uint64(seq)) != nil
}

func (r *rig) counted() sfu.TrackStats { return r.pub.Info().Tracks[0] }
