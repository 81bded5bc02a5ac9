package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
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

	// set once
	demux    *demux
	offered  []fingerprint       // of the client's certificate
	onRTCP   func([]rtcp.Packet) // called by the socket's reader
	incoming chan []byte         // handshake records
	started  time.Time           // on its monotonic clock heard is

	to     atomic.Pointer[netip.AddrPort] // where to send; nil before the first check
	keys   atomic.Pointer[secured]        // nil before the handshake is through
	heard  atomic.Int64                   // when the client was last heard of, since started
	proved atomic.Bool                    // the client has sent something with its keys

	// guarded by mu
	mu     sync.Mutex
	agent  agent
	closed bool

	link link // owned by the goroutine that runs the session
}

// maxRecords is how many datagrams of a handshake may wait: a client's flight is
// up to 6 of them. What is lost, the client sends again.
const maxRecords = 16

func newTransport(l *life, d *demux, remote string, offered []fingerprint) *transport {
	return &transport{
		life: l, demux: d, offered: offered, incoming: make(chan []byte, maxRecords), started: time.Now(),
		agent: agent{now: pair{local: newCredentials(), remote: remote}},
	}
}

// open makes the client's checks come in. Until then nothing else touches t.
func (t *transport) open() { t.demux.add(t.agent.now.local.ufrag, t) }

// restart begins another ICE session, and returns our credentials for it.
func (t *transport) restart(remote string) (credentials, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return credentials{}, ErrLost
	}
	if old := t.agent.before.local.ufrag; old != "" {
		t.demux.forget(old)
	}
	next := pair{local: newCredentials(), remote: remote}
	t.agent.restart(next)
	t.demux.add(next.local.ufrag, t)
	return next.local, nil
}

// remote returns the client's user name fragment.
func (t *transport) remote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.agent.now.remote
}

// takeCheck takes in a connectivity check. Runs on the socket's reader.
func (t *transport) takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) {
	answer := t.check(m, datagram, from)
	if answer != nil {
		// What is lost is asked for again.
		_, _ = t.demux.WriteToUDPAddrPort(answer, from)
	}
}

func (t *transport) check(m *stun.Message, datagram []byte, from netip.AddrPort) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	o := t.agent.check(m, datagram, from)
	if !o.valid {
		return o.answer
	}
	t.hear()
	t.demux.bind(from, t)
	if o.lost.IsValid() {
		t.demux.unbind(o.lost, t)
	}
	if o.done != "" {
		t.demux.forget(o.done)
	}
	if to := t.to.Load(); to == nil || *to != t.agent.selected {
		selected := t.agent.selected
		t.to.Store(&selected)
	}
	return o.answer
}

// hear notes that the client is there and wants what it gets (RFC 7675): it has
// proved so with a password or a key.
func (t *transport) hear() { t.heard.Store(int64(time.Since(t.started))) }

// quiet returns for how long nothing was heard of the client.
func (t *transport) quiet() time.Duration {
	return time.Since(t.started) - time.Duration(t.heard.Load())
}

// Silent says that nothing has come from the client for some seconds, though it
// was connected.
func (t *transport) Silent() bool { return t.keys.Load() != nil && t.quiet() > disconnectedTimeout }

// takeRecords takes in a datagram of DTLS. Runs on the socket's reader.
func (t *transport) takeRecords(datagram []byte) {
	keys := t.keys.Load()
	s := sift(datagram, keys != nil)
	if len(s.handshake) > 0 {
		select {
		case t.incoming <- s.handshake:
		default: // it comes too fast; the client will send it again
		}
	}
	if keys == nil {
		return
	}
	for _, r := range s.alerts {
		if keys.alerts.ends(r) {
			t.end()
		}
	}
}

// takeReport takes in what may be SRTCP. Runs on the socket's reader.
func (t *transport) takeReport(datagram []byte, from netip.AddrPort) {
	keys := t.keys.Load()
	if keys == nil {
		return
	}
	packets, ok := keys.openRTCP(datagram)
	if !ok {
		return
	}
	if to := t.to.Load(); to != nil && *to == from {
		t.hear()
	}
	t.proved.Store(true)
	if len(packets) > 0 {
		t.onRTCP(packets)
	}
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
	if t.quiet() > disconnectedTimeout+failedTimeout {
		t.lose()
	}
}

// close tells the client that we are gone, and makes the socket forget it. Closing
// twice is fine.
func (t *transport) close(last []rtcp.Packet) {
	t.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	for _, p := range []pair{t.agent.now, t.agent.before} {
		t.demux.forget(p.local.ufrag)
	}
	for _, at := range t.agent.ways {
		t.demux.unbind(at, t)
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
