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
)

// transport is one viewer's way through the shared socket: ICE-lite, DTLS and
// SRTP. What comes is handled by the goroutine that reads the socket, which it
// must not hold up.
type transport struct {
	*life
	presence

	// set once
	offered  []fingerprint       // of the client's certificate
	onRTCP   func([]rtcp.Packet) // called by the socket's reader
	incoming chan []byte         // handshake records

	keys   atomic.Pointer[secured] // nil before the handshake is through
	proved atomic.Bool             // the client has sent something with its keys

	link link // owned by the goroutine that runs the session
}

// maxRecords is how many datagrams of a handshake may wait: a client's flight is
// up to 6 of them. What is lost, the client sends again.
const maxRecords = 16

func newTransport(l *life, offered []fingerprint) *transport {
	return &transport{life: l, offered: offered, incoming: make(chan []byte, maxRecords)}
}

// restart begins another ICE session, and returns our credentials for it.
func (t *transport) restart(remote string) (credentials, error) {
	local := newCredentials()
	return local, t.renew(pair{local: local, remote: remote})
}

// takeCheck implements endpoint: the checks of viewers are answered here.
func (t *transport) takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) []byte {
	if answer := t.check(m, datagram, from).answer; answer != nil {
		// What is lost is asked for again.
		_, _ = t.demux.WriteToUDPAddrPort(answer, from)
	}
	return nil
}

// Silent says that nothing has come from the client for some seconds, though it
// was connected.
func (t *transport) Silent() bool { return t.keys.Load() != nil && t.quiet() > disconnectedTimeout }

// takeRecords implements endpoint.
func (t *transport) takeRecords(datagram []byte) []byte {
	keys := t.keys.Load()
	s := sift(datagram, keys != nil)
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
	packets, ok := keys.openRTCP(datagram)
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
func (t *transport) connect(ctx context.Context, timeout time.Duration, options []dtls.ServerOption) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for limited.Err() == nil {
		var first []byte
		select {
		case first = <-t.incoming:
		case <-t.gone:
			return ErrNotConnected
		case <-limited.Done():
			continue
		}
		keys, err := t.link.handshake(limited, options, t, first)
		if errors.Is(err, errFingerprint) {
			return fmt.Errorf("%w: %v", ErrNotConnected, err)
		}
		if err != nil {
			continue // somebody may have interfered: the client tries again
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
		if datagram, err := keys.sealRTCP(nil, last); err == nil {
			_ = t.send(datagram)
		}
		if datagram, err := keys.alerts.closeNotify(); err == nil {
			_ = t.send(datagram)
		}
	}
}
