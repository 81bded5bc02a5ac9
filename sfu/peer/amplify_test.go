package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/sfu/udp"
)

// TestNobodyIsFlooded: what a server with half-open sessions sends to an address
// is never more than came from there, until the address has passed a check; and
// nothing at all if all that came was forged.
func TestNobodyIsFlooded(t *testing.T) {
	hello := clientHello(t)
	for _, tt := range []struct {
		kind    string
		passive bool // the client waits for the handshake
	}{{"publisher", false}, {"viewer", false}, {"publisher", true}, {"viewer", true}} {
		t.Run(fmt.Sprintf("%s, passive %v", tt.kind, tt.passive), func(t *testing.T) {
			edit := asItIs
			if tt.passive {
				edit = passive
			}
			s := newHalfOpen(t, tt.kind, edit)
			known := dial(t, s.addr)
			var all []*attack
			for _, a := range attacks(s.answer, hello) {
				a.from = dial(t, s.addr)
				for _, d := range a.datagrams {
					a.from.send(t, d)
				}
				// The socket has one reader: once this has its answer, the others were read.
				known.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { return d[0] == stunSuccess })
				all = append(all, a)
			}
			if n := s.port.connecting.Load(); n != 1 {
				t.Fatalf("%d sessions are connecting: there is no half-open one any more", n)
			}
			// That the message is one that would be worth forging shows its answer to an
			// address that has passed.
			if tt.passive {
				known.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { return d[0] == handshakeRecord })
			} else {
				known.ask(t, func() []byte { return hello }, func(d []byte) bool { return d[0] == handshakeRecord && len(d) > len(hello) })
			}
			s.end(t)
			for _, a := range all {
				a.from.drain(t)
				got, sent := a.from.got, a.from.sent
				t.Logf("%s: %d bytes came, %d were sent", a.name, sent, got)
				if got > sent || got > 0 && !a.genuine || a.answered && got == 0 {
					t.Errorf("%s: %d bytes came from there, %d were sent back", a.name, sent, got)
				}
			}
		})
	}
}

// stunSuccess is how the answer to a check begins (RFC 8489 section 5).
const stunSuccess = 1

// attack is what somebody sends from one address.
type attack struct {
	name      string
	genuine   bool // made with the session's password
	answered  bool // and to be answered
	datagrams [][]byte
	from      *somebody
}

// attacks are all that a server might answer, of those who know a session and of
// those who do not.
func attacks(answer string, hello []byte) []*attack {
	ufrag, pwd := peertest.Attribute(answer, "ice-ufrag"), peertest.Attribute(answer, "ice-pwd")
	name := ufrag + ":Yp5S"
	build := func(setters ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID}, setters...)...).Raw
	}
	require := stun.RawAttribute{Type: 0x7fff, Value: []byte{1, 2, 3, 4}} // of the range that has to be understood
	unknown := setterFunc(func(m *stun.Message) error { m.Add(require.Type, require.Value); return nil })
	integrity := stun.NewShortTermIntegrity(pwd)
	return []*attack{
		{name: "checks", genuine: true, answered: true, datagrams: repeat(20, func() []byte { return checkOf(answer) })},
		{name: "the smallest checks", genuine: true, datagrams: repeat(20, func() []byte {
			return build(stun.BindingRequest, stun.NewUsername(name), integrity)
		})},
		{name: "checks that want to be controlled", genuine: true, datagrams: repeat(20, func() []byte {
			return checkBy(name, pwd, ice.AttrControlled(7))
		})},
		{name: "checks with what nobody understands", genuine: true, datagrams: repeat(20, func() []byte { return checkBy(name, pwd, unknown) })},
		{name: "checks with another password", datagrams: repeat(20, func() []byte { return checkBy(name, "another password of this length") })},
		{name: "checks for nobody", datagrams: repeat(20, func() []byte { return checkBy("nobody:Yp5S", pwd) })},
		{name: "checks by nobody", datagrams: repeat(20, func() []byte { return checkBy(ufrag+":", "") })},
		{name: "checks without integrity", datagrams: repeat(20, func() []byte { return build(stun.BindingRequest, stun.NewUsername(name)) })},
		{name: "requests of a STUN client", datagrams: repeat(20, func() []byte { return build(stun.BindingRequest, stun.Fingerprint) })},
		{name: "requests with what nobody understands", datagrams: repeat(20, func() []byte { return build(stun.BindingRequest, unknown) })},
		{name: "requests of a TURN client", datagrams: repeat(20, func() []byte {
			return build(stun.MessageType{Method: stun.MethodAllocate, Class: stun.ClassRequest}, stun.NewUsername(name), integrity)
		})},
		{name: "answers", datagrams: repeat(20, func() []byte { return build(stun.BindingSuccess, integrity, stun.Fingerprint) })},
		{name: "DTLS", datagrams: repeat(50, func() []byte { return hello })},
		{name: "DTLS in pieces", datagrams: [][]byte{hello[:1], hello[:recordHeader], hello[:len(hello)/2], hello[len(hello)/2:]}},
		{name: "the hello of a server", datagrams: repeat(20, func() []byte { return aRecord(handshakeRecord, 0, make([]byte, 80)...) })},
		{name: "an alert", datagrams: [][]byte{aRecord(alertRecord, 0, 2, 40)}},
		{name: "garbage", datagrams: garbage()},
	}
}

type setterFunc func(*stun.Message) error

// AddTo implements stun.Setter.
func (f setterFunc) AddTo(m *stun.Message) error { return f(m) }

func repeat(n int, make func() []byte) (all [][]byte) {
	for range n {
		all = append(all, make())
	}
	return all
}

// garbage begins with every byte that tells protocols apart, in several sizes.
func garbage() (all [][]byte) {
	random := rand.NewChaCha8([32]byte{1})
	for first := range 256 {
		for _, size := range []int{1, 20, 100} {
			b := make([]byte, size)
			_, _ = random.Read(b) // never fails
			b[0] = byte(first)
			all = append(all, b)
		}
	}
	return append(all, bytes.Repeat([]byte{0}, 1400), nil)
}

// halfOpen is a server with one session that was begun.
type halfOpen struct {
	port   *Port
	addr   *net.UDPAddr
	answer string
	cancel context.CancelFunc
	ended  chan error
	stop   func() // stops the port
}

// edit changes the offer.
func newHalfOpen(t *testing.T, kind string, edit func(offer string) string) *halfOpen {
	t.Helper()
	conn, err := udp.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &halfOpen{ended: make(chan error, 1)}
	// Nobody connects: the session stays as it is for as long as the test takes.
	if s.port, err = New(Config{Conn: conn, ConnectTimeout: time.Hour}); err != nil {
		t.Fatal(err)
	}
	s.stop = peertest.Serve(t, s.port)
	s.addr = s.port.Addr().(*net.UDPAddr)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	t.Cleanup(cancel)
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pub.Close() })
	if kind == "publisher" {
		source, answer, err := s.port.NewPublisher(ctx, edit(session0+videoSection("0", "sendonly")), pub)
		if err != nil {
			t.Fatal(err)
		}
		s.answer = answer
		go func() { s.ended <- pub.Run(ctx, source) }()
		return s
	}
	if _, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "video", Codec: media.VP8}); err != nil {
		t.Fatal(err)
	}
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sink, answer, err := s.port.NewViewer(ctx, edit(session0+videoSection("0", "recvonly")), tracks)
	if err != nil {
		t.Fatal(err)
	}
	s.answer = answer
	go func() {
		defer sub.Close()
		s.ended <- sink.Run(ctx, sub)
	}()
	return s
}

// end ends the session: that is no reason either to send something to anybody.
func (s *halfOpen) end(t *testing.T) {
	t.Helper()
	s.cancel()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the session does not end")
	}
}

// somebody is a raw UDP socket that counts bytes.
type somebody struct {
	conn      *net.UDPConn
	sent, got int
}

func dial(t *testing.T, to *net.UDPAddr) *somebody {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &somebody{conn: conn}
}

func (s *somebody) send(t *testing.T, datagram []byte) {
	t.Helper()
	if _, err := s.conn.Write(datagram); err != nil {
		t.Fatal(err)
	}
	s.sent += len(datagram)
}

// ask asks until the answer comes, since datagrams get lost.
func (s *somebody) ask(t *testing.T, question func() []byte, isAnswer func(datagram []byte) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		s.send(t, question())
		for d := s.read(t, time.Second); len(d) > 0; d = s.read(t, time.Second) {
			if isAnswer(d) {
				return
			}
		}
	}
	t.Fatal("there is no answer")
}

// drain reads what is there.
func (s *somebody) drain(t *testing.T) {
	t.Helper()
	for len(s.read(t, time.Millisecond)) > 0 {
	}
}

// read returns the next datagram, or nil if none comes.
func (s *somebody) read(t *testing.T, most time.Duration) []byte {
	t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(most)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	n, err := s.conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	s.got += n
	return b[:n]
}
