package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// transport is one viewer's way through the shared socket: ICE-lite, DTLS and
// SRTP. What comes is handled by the goroutine that reads the socket, which it
// must not hold up.
type transport struct {
	*life
	presence

	// set once
	role     sdp.Role            // ours
	offered  []sdp.Fingerprint   // of the client's certificate
	onRTCP   func([]rtcp.Packet) // called by the socket's reader
	incoming chan []byte         // handshake records
	found    chan struct{}       // gets a value when a check has shown where the client is

	keys   atomic.Pointer[secured] // nil before the handshake is through
	proved atomic.Bool             // the client has sent something with its keys

	link link // owned by the goroutine that runs the session
}

// maxRecords is how many datagrams of a handshake may wait: a client's flight is
// up to 6 of them. What is lost, the client sends again.
const maxRecords = 16

// helloPause is how long after the begin of a handshake that has failed we begin
// another one, as its client: not sooner than we would have repeated our hello (RFC
// 6347 section 4.2.4.1), so that nobody makes us send more by breaking it.
const helloPause = time.Second

func newTransport(l *life, role sdp.Role, offered []sdp.Fingerprint) *transport {
	return &transport{
		life: l, role: role, offered: offered,
		incoming: make(chan []byte, maxRecords), found: make(chan struct{}, 1),
	}
}

// restart begins another ICE session, and returns our credentials for it.
func (t *transport) restart(remote string) (sdp.Credentials, error) {
	local := sdp.NewCredentials()
	return local, t.renew(pair{local: local, remote: remote})
}

// takeCheck implements endpoint: the checks of viewers are answered here.
func (t *transport) takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) []byte {
	o := t.check(m, datagram, from)
	if o.answer != nil {
		// What is lost is asked for again.
		_, _ = t.demux.WriteToUDPAddrPort(o.answer, from)
	}
	if o.valid {
		select {
		case t.found <- struct{}{}:
		default: // it is known already
		}
	}
	return nil
}

// Silent says that nothing has come from the client for some seconds, though it
// was connected.
func (t *transport) Silent() bool { return t.keys.Load() != nil && t.quiet() > disconnectedTimeout }

// takeRecords implements endpoint.
func (t *transport) takeRecords(datagram []byte) []byte {
	keys := t.keys.Load()
	s := sift(datagram, t.role, keys != nil)
	if len(s.handshake) > 0 {
		select {
		case t.incoming <- s.handshake:
		default: // it comes too fast; the client will send it again
		}
	}
	if keys == nil {
		return nil
	}
	for _, r := range s.alerts {
		if keys.alerts.ends(r) {
			t.end()
		}
	}
	return nil
}

// takeMedia implements endpoint: of a viewer that is SRTCP.
func (t *transport) takeMedia(datagram []byte, from netip.AddrPort) []byte {
	keys := t.keys.Load()
	if keys == nil {
		return nil
	}
	packets, ok := keys.rtcp.open(datagram)
	if !ok {
		return nil
	}
	t.hearAt(from)
	t.proved.Store(true)
	if len(packets) > 0 {
		t.onRTCP(packets)
	}
	return nil
}

// send sends a datagram to the client.
func (t *transport) send(datagram []byte) error {
	to := t.to.Load()
	if to == nil {
		return errors.New("peer: no address of the client is known yet")
	}
	if _, err := t.demux.WriteToUDPAddrPort(datagram, *to); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	return nil
}

// connect waits until the client has completed ICE and DTLS, but not longer than
// timeout.
func (t *transport) connect(ctx context.Context, timeout time.Duration, options []dtls.Option) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var pause <-chan time.Time // before we say hello again
	for limited.Err() == nil {
		first, err := t.beginning(limited, pause)
		if err != nil {
			break
		}
		pause = time.After(helloPause)
		keys, err := t.link.handshake(limited, options, t, first)
		if errors.Is(err, sdp.ErrFingerprint) {
			return fmt.Errorf("%w: %v", ErrNotConnected, err)
		}
		if err != nil {
			continue // somebody may have interfered: the client tries again
		}
		if t.role == sdp.Client {
			t.link.drop() // the client has our last flight: its own was the answer
		}
		t.hear()
		t.keys.Store(keys)
		t.through()
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrNotConnected
}

// beginning waits until a handshake can begin: for the client's first records, or,
// if it is ours to begin, until we know where the client is, and until after pause,
// which is nil at the first time.
func (t *transport) beginning(ctx context.Context, pause <-chan time.Time) (first []byte, err error) {
	if t.role == sdp.Server {
		select {
		case first = <-t.incoming:
			return first, nil
		case <-t.gone:
		case <-ctx.Done():
		}
		return nil, ErrNotConnected
	}
	begin := pause
	for {
		if begin == nil && t.to.Load() != nil {
			return nil, nil
		}
		select {
		case <-t.found:
		case <-begin:
			begin = nil
		case <-t.incoming: // of a handshake that failed
		case <-t.gone:
			return nil, ErrNotConnected
		case <-ctx.Done():
			return nil, ErrNotConnected
		}
	}
}

// tend looks after the connection from time to time. Runs on the goroutine that
// runs the session.
func (t *transport) tend() {
	if t.proved.Load() {
		t.link.drop()
	}
	if t.lost() {
		t.lose()
	}
}

// close tells the client that we are gone, and makes the socket forget it. Closing
// twice is fine.
func (t *transport) close(last []rtcp.Packet) {
	t.end()
	if !t.leave() {
		return
	}
	if keys := t.keys.Load(); keys != nil {
		// It may be gone already: then nobody misses what cannot be sent.
		if datagram, err := keys.rtcp.seal(nil, last); err == nil {
			_ = t.send(datagram)
		}
		if datagram, err := keys.alerts.closeNotify(); err == nil {
			_ = t.send(datagram)
		}
	}
}
