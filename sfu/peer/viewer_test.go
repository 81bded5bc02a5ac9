package peer

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// watched is a viewer of a stream that never ends.
type watched struct {
	socket *crossing
	port   *Port
	viewer *Viewer
	client *peertest.Client
	frames atomic.Int64 // that have come, intact
	ended  chan error
}

// aStream publishes video, without a publisher, until the test ends.
func aStream(t testing.TB) *sfu.Hub {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "video", Codec: media.VP8})
	if err != nil {
		t.Fatal(err)
	}
	writer := writers[0]
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		format, _ := codec.For(media.VP8)
		packetizer := format.NewPacketizer(1 << 32)
		in, seq := rtptest.NewWriter(media.VP8, writer, nil), uint16(0)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			f := media.Frame{Sync: i%10 == 0, PTS: time.Duration(i) * 33 * time.Millisecond, Data: sfutest.VP8Frame(i, i%10 == 0, 3000)}
			packetizer.Packetize(&f, func(p media.Packet) {
				in.WritePacket(rtptest.Packet{Seq: seq, Time: uint32(p.Time), Marker: p.Marker, Arrival: pub.Now(), Payload: p.Payload})
				seq++
			})
		}
	}()
	t.Cleanup(func() { close(stop); <-done; pub.Close() })
	return hub
}

// watch connects a viewer. edit changes its offer.
func watch(t testing.TB, edit func(offer string) string) *watched {
	t.Helper()
	hub := aStream(t)
	w := &watched{socket: newCrossing(t), ended: make(chan error, 1)}
	var err error
	if w.port, err = New(Config{Conn: w.socket}); err != nil {
		t.Fatal(err)
	}
	peertest.Serve(t, w.port)
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.client = peertest.NewAPI(t, peertest.Options{}).NewClient(t)
	w.client.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {OnFrame: func(f media.Frame) {
		if _, intact := sfutest.VP8Number(f.Data); intact {
			w.frames.Add(1)
		}
	}}})
	var answer string
	if w.viewer, answer, err = w.port.NewViewer(t.Context(), edit(w.client.Offer(t)), tracks); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer sub.Close()
		w.ended <- w.viewer.Run(ctx, sub)
	}()
	t.Cleanup(func() { cancel(); <-done })
	w.client.Answer(t, answer)
	return w
}

func asItIs(offer string) string { return offer }

// passive makes an offer one of a client that is the DTLS server.
func passive(offer string) string {
	return strings.ReplaceAll(offer, "a=setup:actpass", "a=setup:passive")
}

// more waits until further frames have come.
func (w *watched) more(t testing.TB) {
	t.Helper()
	want := w.frames.Load() + 20
	until(t, "frames", func() bool { return w.frames.Load() >= want })
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func (w *watched) end(t testing.TB) error {
	t.Helper()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the viewer does not end")
		return nil
	}
}

// TestForged: what others send in a viewer's name does not disturb it, and is not
// answered.
func TestForged(t *testing.T) {
	for _, edit := range []func(string) string{asItIs, passive} {
		forgeAt(t, watch(t, edit))
	}
}

func forgeAt(t *testing.T, w *watched) {
	t.Helper()
	w.more(t)
	at := *w.viewer.client.Path()
	check := controlling()
	for range 50 {
		for _, forged := range [][]byte{
			aRecord(alertRecord, 0, 2, 40), aRecord(alertRecord, 0, 1, 0), aRecord(alertRecord, 1, 2, 40), aRecord(alertRecord, 1, bytes.Repeat([]byte{1}, 40)...),
			aRecord(handshakeRecord, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), aRecord(handshakeRecord, 1, bytes.Repeat([]byte{1}, 60)...),
			aServerHello(t, 1, 0), aRecord(handshakeRecord, 0, make([]byte, 12)...), aRecord(changeCipherSpec, 0, 1), {22}, bytes.Repeat([]byte{20}, 100),
			append([]byte{0x80, 200}, make([]byte, 60)...), {0x80}, append([]byte{0x81, 206, 0, 2}, make([]byte, 60)...),
		} {
			for _, from := range []netip.AddrPort{at.Address, netip.MustParseAddrPort("192.0.2.99:9")} {
				w.socket.put(forged, from)
			}
		}
		w.socket.put(check, at.Address)
	}
	w.more(t)
	w.client.Close()
	if err := w.end(t); !errors.Is(err, ErrClosed) {
		t.Errorf("the viewer ended with %v", err)
	}
	if addresses, sessions := w.port.demux.Known(); addresses+sessions != 0 {
		t.Errorf("the socket remembers %d addresses and %d sessions", addresses, sessions)
	}
}

// TestCloseAfterHandshake: a client that leaves when nothing is left of the
// handshake is gone at once.
func TestCloseAfterHandshake(t *testing.T) {
	w := watch(t, asItIs)
	until(t, "a report of the client", w.viewer.client.Proved)
	time.Sleep(reportInterval + 100*time.Millisecond) // the next tick gives the handshake up
	w.more(t)
	start := time.Now()
	w.client.Close()
	if err := w.end(t); !errors.Is(err, ErrClosed) || time.Since(start) > transport.DisconnectedTimeout {
		t.Errorf("after %v the viewer ended with %v", time.Since(start), err)
	}
}

// TestFallsSilent: a client of which nothing is heard any more is silent at first,
// and lost in the end.
func TestFallsSilent(t *testing.T) {
	w := watch(t, asItIs)
	w.more(t)
	if w.viewer.Silent() {
		t.Error("the viewer is silent")
	}
	nothing := func([]byte) bool { return false }
	w.socket.comes.Store(&nothing)
	w.viewer.client.Heard(transport.DisconnectedTimeout)
	if !w.viewer.Silent() {
		t.Error("the viewer is not silent")
	}
	w.viewer.client.Heard(transport.DisconnectedTimeout + transport.FailedTimeout)
	if err := w.end(t); !errors.Is(err, ErrLost) {
		t.Errorf("the viewer ended with %v", err)
	}
}

// TestOtherCertificate: a client with another certificate than its offer has gets
// nothing.
func TestOtherCertificate(t *testing.T) {
	w := watch(t, func(offer string) string {
		start := strings.Index(offer, "a=fingerprint:sha-256 ")
		end := start + strings.Index(offer[start:], "\r\n")
		return offer[:start] + "a=fingerprint:" + sdp.FingerprintOf([]byte("other")).String() + offer[end:]
	})
	start := time.Now()
	if err := w.end(t); !errors.Is(err, ErrNotConnected) || time.Since(start) > defaultConnectTimeout/2 {
		t.Errorf("after %v the viewer ended with %v", time.Since(start), err)
	}
	if n := w.frames.Load(); n != 0 {
		t.Errorf("%d frames came", n)
	}
}
