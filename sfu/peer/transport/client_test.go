package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// answering is a socket that keeps what is sent.
type answering struct {
	net.PacketConn
	sent [][]byte
}

func (a *answering) WriteTo(b []byte, _ net.Addr) (int, error) {
	a.sent = append(a.sent, bytes.Clone(b))
	return len(b), nil
}

// TestChecks: those of the client are answered, as are those of the ICE session before
// a restart, and of clients that leave the choice to us.
func TestChecks(t *testing.T) {
	socket := &answering{}
	c := newTestClient(socket, true)
	c.Enter(sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag, nil)
	from := Path{UDP, pathOf("192.0.2.1:1").Address, c.demux.conn}
	renewed := ""
	for _, tt := range []struct {
		name     string
		datagram func() []byte
		found    bool
		answer   stun.MessageType // zero: none
	}{
		{"check", func() []byte { return controlling() }, true, stun.BindingSuccess},
		{"nomination", func() []byte { return controlling(ice.UseCandidate()) }, true, stun.BindingSuccess},
		{"wrong password", func() []byte { return checkBy(testUfrag+":"+remoteUfrag, "wrong") }, false, stun.MessageType{}},
		{"controlled", func() []byte { return checkBy(testUfrag+":"+remoteUfrag, testPwd, ice.AttrControlled(1)) }, false, stun.BindingError},
		{"response", func() []byte { return stun.MustBuild(stun.TransactionID, stun.BindingSuccess).Raw }, false, stun.MessageType{}},
		{"request without a name", func() []byte { return stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw }, false, stun.MessageType{}},
		{"restart", nil, false, stun.MessageType{}},
		{"former session", func() []byte { return controlling() }, true, stun.BindingSuccess},
		{"new session", func() []byte {
			return checkBy(renewed+":"+remoteUfrag, c.agent.now.local.Pwd, ice.AttrControlling(1))
		}, true, stun.BindingSuccess},
		{"former session, too late", func() []byte { return controlling() }, false, stun.MessageType{}},
	} {
		socket.sent = nil
		if tt.datagram == nil {
			local, err := c.Restart(remoteUfrag)
			if err != nil {
				t.Fatal(err)
			}
			renewed = local.Ufrag
			continue
		}
		c.demux.Receive(tt.datagram(), from)
		select {
		case <-c.found:
			if !tt.found {
				t.Errorf("%s: it shows where the client is", tt.name)
			}
		default:
			if tt.found {
				t.Errorf("%s: it does not show where the client is", tt.name)
			}
		}
		var answer stun.MessageType
		for _, sent := range socket.sent {
			m := &stun.Message{Raw: sent}
			if err := m.Decode(); err != nil {
				t.Fatal(err)
			}
			answer = m.Type
		}
		if answer != tt.answer {
			t.Errorf("%s: answered by %v", tt.name, answer)
		}
	}
	if addresses, sessions := c.demux.Known(); addresses != 1 || sessions != 1 {
		t.Errorf("the socket remembers %d addresses and %d sessions", addresses, sessions)
	}
	left := c.leave()
	if addresses, sessions := c.demux.Known(); !left || addresses+sessions != 0 {
		t.Errorf("afterwards the socket remembers %d addresses and %d sessions", addresses, sessions)
	}
}

// TestRecordsInHandshake: that the keys are there does not mean that the client knows
// it: until the handshake is over its plain records have a meaning.
func TestRecordsInHandshake(t *testing.T) {
	c := newTestClient(nowhere{}, true)
	last := append(aRecord(handshakeRecord, 0, 1), aRecord(handshakeRecord, 1, 2)...)
	exchange(t, c)
	c.receiveRecords(last)
	if got := <-c.incoming; c.keys.Load() == nil || !bytes.Equal(got, last) {
		t.Error("the client's last flight is dropped, or there are no keys for what follows it")
	}
	if err := c.Establish(); err != nil {
		t.Fatal(err)
	}
	c.receiveRecords(last)
	if got := <-c.incoming; !bytes.Equal(got, last[14:]) {
		t.Errorf("of the client's last flight %x is left", got)
	}
	if newTestClient(nowhere{}, true).Establish() == nil {
		t.Error("a session without a profile is established")
	}
}

// counting notes the last byte of what it receives.
type counting struct{ got []byte }

func (c *counting) ReceiveRTP(_ *Keys, datagram []byte, _ Path) {
	c.got = append(c.got, datagram[len(datagram)-1])
}

func (c *counting) ReceiveRTCP([]rtcp.Packet) {}

// TestEarlyMedia: media count only when the handshake is over, since before it is not
// known whose the keys are; but of what has come by then nothing is missing, up to a
// bound.
func TestEarlyMedia(t *testing.T) {
	c, r := newTestClient(nowhere{}, true), &counting{}
	c.Enter(sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag, r)
	from := pathOf("192.0.2.1:1")
	datagram := make([]byte, 1200)
	datagram[0] = firstRTP
	send := func(n byte) {
		datagram[len(datagram)-1] = n
		c.ReceiveMedia(datagram, from)
	}
	send(0)
	exchange(t, c)
	for n := range byte(200) {
		send(1 + n)
	}
	if len(r.got) > 0 || c.early.size > maxEarly {
		t.Errorf("%d packets are taken in by keys that may be anybody's, and %d bytes wait", len(r.got), c.early.size)
	}
	if err := c.Establish(); err != nil {
		t.Fatal(err)
	}
	send(250)
	send(251)
	want := []byte{}
	for n := range maxEarly / len(datagram) {
		want = append(want, byte(1+n))
	}
	if want = append(want, 250, 251); !bytes.Equal(r.got, want) || c.early.size != 0 {
		t.Errorf("%v was taken in, want %v", r.got, want)
	}
}

// TestRecordsAreBounded: who floods a session with records does not hold up the reader:
// what finds no room is dropped, and counted. When the client has shown its keys,
// nothing waits any more.
func TestRecordsAreBounded(t *testing.T) {
	c := newTestClient(nowhere{}, true)
	exchange(t, c)
	hello := aRecord(handshakeRecord, 0, 1)
	for range maxRecords + 7 {
		c.receiveRecords(hello)
	}
	if got := c.demux.dropped.Load(); got != 7 || len(c.incoming) != maxRecords {
		t.Errorf("%d records wait, %d were dropped", len(c.incoming), got)
	}
	if err := c.Establish(); err != nil {
		t.Fatal(err)
	}
	c.Hear(pathOf("192.0.2.1:1"))
	for range 3 {
		c.receiveRecords(aRecord(handshakeRecord, 1, 1))
	}
	if got := c.demux.dropped.Load(); got != 7 {
		t.Errorf("%d records were dropped", got)
	}
}

// TestPipe: what may be read is what the client says of the handshake, not before there
// is somebody who knows the client; and what is written is that alone.
func TestPipe(t *testing.T) {
	socket := &answering{}
	c := newTestClient(socket, true)
	p := c.NewPipe(nil)
	read := func() ([]byte, error) {
		if err := p.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, from, err := p.ReadFrom(b)
		if err == nil && from.String() != PipeThere.String() {
			t.Errorf("it comes from %v", from)
		}
		return b[:n], err
	}
	hello := aRecord(handshakeRecord, 0, 1)
	from := Path{UDP, pathOf("192.0.2.1:1").Address, c.demux.conn}
	c.demux.bind(from, c)
	for first := range 256 { // whatever comes
		c.demux.Receive([]byte{byte(first), 0, 0, 0}, from)
	}
	c.demux.Receive(hello, from)
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%x is read before it is asked for: %v", got, err)
	}
	p.Open()
	p.Open()
	if got, err := read(); err != nil || !bytes.Equal(got, hello) {
		t.Errorf("%x is read: %v", got, err)
	}
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%x is read as well: %v", got, err)
	}
	if _, err := p.WriteTo(hello, nil); err == nil {
		t.Error("something is sent to a client of which nobody knows where it is")
	}
	c.path.Store(&from)
	for first := range 256 {
		if n, err := p.WriteTo([]byte{byte(first), 0}, nil); err != nil || n != 2 {
			t.Errorf("writing: %d, %v", n, err)
		}
	}
	if len(socket.sent) != 1+lastDTLS-firstDTLS {
		t.Errorf("%d datagrams were sent", len(socket.sent))
	}
	p.Close()
	if _, err := read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading afterwards: %v", err)
	}
	if _, err := p.WriteTo(hello, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing afterwards: %v", err)
	}
}

// exchange is that part of a handshake that yields the keys.
func exchange(t testing.TB, c *Client) *Secrets {
	t.Helper()
	s := c.NewSecrets()
	s.profile, s.serverRandom = srtp.ProtectionProfileAeadAes128Gcm, make([]byte, 32)
	if _, err := fmt.Fprintf(s, "CLIENT_RANDOM %x %x\n", make([]byte, 32), make([]byte, 48)); err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzReceive: whatever comes, what is left for the handshake is nothing but DTLS, and
// no more than came.
func FuzzReceive(f *testing.F) {
	f.Add(aRecord(handshakeRecord, 0, 1), false)
	f.Add(aRecord(alertRecord, 1, 1, 2, 3), true)
	f.Add(controlling(), true)
	f.Add([]byte{0x80, 200, 0, 0}, true)
	f.Fuzz(func(t *testing.T, datagram []byte, established bool) {
		c := newTestClient(nowhere{}, false)
		exchange(t, c)
		if established {
			if err := c.Establish(); err != nil {
				t.Fatal(err)
			}
		}
		from := pathOf("192.0.2.1:1")
		c.Enter(sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag, deaf{})
		c.demux.bind(from, c)
		c.demux.Receive(bytes.Clone(datagram), from)
		for len(c.incoming) > 0 {
			if rest := <-c.incoming; len(rest) > len(datagram) || rest[0] < firstDTLS || rest[0] > lastDTLS {
				t.Fatalf("of %x %x is left for the handshake", datagram, rest)
			}
		}
	})
}

// deaf is a receiver of nothing.
type deaf struct{}

func (deaf) ReceiveRTP(*Keys, []byte, Path)    {}
func (deaf) ReceiveRTCP(packets []rtcp.Packet) {}
