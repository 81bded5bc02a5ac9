package peer

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// crossing is a socket into which a test can put datagrams as if they came from
// anywhere, and which shows it those that leave.
type crossing struct {
	net.PacketConn
	came    chan parcel
	closed  chan struct{}
	reading sync.WaitGroup
	leaves  atomic.Pointer[func(datagram []byte, to net.Addr) bool] // false: it gets lost
	comes   atomic.Pointer[func(datagram []byte) bool]              // false: it gets lost
}

type parcel struct {
	datagram []byte
	from     net.Addr
}

func newCrossing(t testing.TB) *crossing {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.UDPConn).SetReadBuffer(4 << 20)
	c := &crossing{PacketConn: conn, came: make(chan parcel, 64), closed: make(chan struct{})}
	c.reading.Go(func() {
		for {
			b := make([]byte, 2048)
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			select {
			case c.came <- parcel{b[:n], from}:
			case <-c.closed:
				return
			}
		}
	})
	return c
}

func (c *crossing) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		select {
		case p := <-c.came:
			if comes := c.comes.Load(); comes == nil || (*comes)(p.datagram) {
				return copy(b, p.datagram), p.from, nil
			}
		case <-c.closed:
			return 0, nil, net.ErrClosed
		}
	}
}

func (c *crossing) WriteTo(b []byte, to net.Addr) (int, error) {
	if leaves := c.leaves.Load(); leaves != nil && !(*leaves)(b, to) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c *crossing) Close() error {
	close(c.closed)
	err := c.PacketConn.Close()
	c.reading.Wait()
	return err
}

// put is a datagram that seems to come from an address.
func (c *crossing) put(datagram []byte, from netip.AddrPort) {
	select {
	case c.came <- parcel{bytes.Clone(datagram), net.UDPAddrFromAddrPort(from)}:
	case <-c.closed:
	}
}

// tap lies before a mediaIntake: it can lose media, and counts it.
type tap struct {
	*mediaIntake
	took  atomic.Int64                               // packets
	loses atomic.Pointer[func(datagram []byte) bool] // of the client's media
}

func (p *tap) ReceiveRTP(k *transport.Keys, datagram []byte, from transport.Path) {
	if loses := p.loses.Load(); loses != nil && (*loses)(datagram) {
		return
	}
	p.took.Add(1)
	p.mediaIntake.ReceiveRTP(k, datagram, from)
}

// publishing is a publisher of one VP8 track.
type publishing struct {
	socket    *crossing
	port      *Port
	publisher *Publisher
	tap       *tap
	pub       *sfu.Publication
	track     *sfu.Track
	client    *peertest.Client
	local     *webrtc.TrackLocalStaticRTP
	answer    string
	ended     chan error
}

// publish offers to send, and does not connect before the test asks for it.
func publish(t testing.TB, o peertest.Options) *publishing {
	t.Helper()
	local, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "v", "s")
	if err != nil {
		t.Fatal(err)
	}
	return publishTracks(t, o, local)
}

// publishTracks is publish with several layers.
func publishTracks(t testing.TB, o peertest.Options, layers ...*webrtc.TrackLocalStaticRTP) *publishing {
	t.Helper()
	p := &publishing{socket: newCrossing(t), local: layers[0], ended: make(chan error, 1)}
	var err error
	if p.port, err = New(Config{Conn: p.socket}); err != nil {
		t.Fatal(err)
	}
	peertest.Serve(t, p.port)
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if p.pub, err = hub.Publish("s", sfu.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	p.client = peertest.NewAPI(t, o).NewClient(t)
	transceiver, err := p.client.PC.AddTransceiverFromTrack(layers[0], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers[1:] {
		if err := transceiver.Sender().AddEncoding(layer); err != nil {
			t.Fatal(err)
		}
	}
	p.readReports(t, transceiver.Sender())
	if p.publisher, p.answer, err = p.port.NewPublisher(t.Context(), p.client.Offer(t), p.pub); err != nil {
		t.Fatal(err)
	}
	p.track = trackOf(t, hub)
	p.tap = &tap{mediaIntake: p.publisher.intake}
	local := sdp.Credentials{Ufrag: peertest.Attribute(p.answer, "ice-ufrag"), Pwd: peertest.Attribute(p.answer, "ice-pwd")}
	p.publisher.client.Enter(local, p.publisher.client.Remote(), p.tap) // nothing has come yet
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ended <- p.pub.Run(ctx, p.publisher)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// secrets returns those of the publisher's handshake.
func (p *publishing) secrets() *transport.Secrets { return p.publisher.connection.known }

// readReports reads what the client is told, for its interceptors.
func (p *publishing) readReports(t testing.TB, sender *webrtc.RTPSender) {
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { p.client.Close(); reading.Wait() })
}

// trackOf returns the one track of the stream s.
func trackOf(t testing.TB, hub *sfu.Hub) *sfu.Track {
	t.Helper()
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tracks[0]
}

// connect answers the client.
func (p *publishing) connect(t testing.TB) {
	t.Helper()
	p.client.Answer(t, p.answer)
	p.client.AwaitConnected(t)
}

// write sends one packet, or loses it if the client is not connected.
func (p *publishing) write(t testing.TB, seq uint16) {
	t.Helper()
	h := mediaHeader(seq)
	h.Version = 2
	if err := p.local.WriteRTP(&rtp.Packet{Header: h, Payload: frame(int(seq))}); err != nil {
		t.Fatal(err)
	}
}

// begin waits until the first packet has come, and returns the number that follows.
func (p *publishing) begin(t testing.TB, seq uint16) uint16 {
	t.Helper()
	until(t, "a packet", func() bool {
		p.write(t, seq)
		seq++
		return p.tap.took.Load() > 0
	})
	return seq
}

// alive checks that the publisher goes on as before, and returns the next number.
func (p *publishing) alive(t testing.TB, seq uint16) uint16 {
	t.Helper()
	for range 20 {
		p.write(t, seq)
		seq++
	}
	until(t, "the newest packet", func() bool { return p.track.Packet(1<<32+uint64(seq-1)) != nil })
	select {
	case err := <-p.ended:
		t.Fatalf("the publisher ended with %v", err)
	default:
	}
	return seq
}

// forgotten checks that nothing of a publisher is left behind.
func (p *publishing) forgotten(t testing.TB) {
	t.Helper()
	if addresses, sessions := p.port.demux.Known(); addresses+sessions != 0 {
		t.Errorf("the socket remembers %d addresses and %d user names", addresses, sessions)
	}
}

// sentBy is an interceptor that writes down what a client really sends, for the first
// time.
type sentBy struct {
	interceptor.NoOp
	mu      sync.Mutex
	numbers []uint16
}

// NewInterceptor implements interceptor.Factory.
func (s *sentBy) NewInterceptor(string) (interceptor.Interceptor, error) { return s, nil }

// BindLocalStream implements interceptor.Interceptor.
func (s *sentBy) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		n, err := w.Write(h, payload, a)
		if err == nil && n > 0 {
			s.mu.Lock()
			if last := len(s.numbers) - 1; last < 0 || h.SequenceNumber == s.numbers[last]+1 {
				s.numbers = append(s.numbers, h.SequenceNumber)
			}
			s.mu.Unlock()
		}
		return n, err
	})
}

func (s *sentBy) all() []uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint16(nil), s.numbers...)
}

// watchAll collects the numbers of all packets of a track, as they come.
func (p *publishing) watchAll(t testing.TB) func() []uint64 {
	t.Helper()
	var mu sync.Mutex
	var numbers []uint64
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	cursor := p.track.Packets()
	reading.Go(func() {
		defer cursor.Close()
		batch := make([]*media.Packet, 64)
		for {
			n, _, err := cursor.Next(ctx, batch)
			if err != nil {
				return
			}
			mu.Lock()
			for _, packet := range batch[:n] {
				numbers = append(numbers, packet.Seq)
			}
			mu.Unlock()
		}
	})
	t.Cleanup(func() { cancel(); reading.Wait() })
	return func() []uint64 {
		mu.Lock()
		defer mu.Unlock()
		return append([]uint64(nil), numbers...)
	}
}
