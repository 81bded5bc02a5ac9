package peer

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// client is one client's way through the shared socket: ICE-lite, DTLS, SRTP and
// SRTCP, and whether anything is heard of it. Publishers and viewers have the same
// one; they differ in what they receive. What comes is handled by the goroutine that
// reads the socket, which it must not hold up.
type client struct {
	// set once
	demux    *demux
	role     sdp.Role          // ours
	offered  []sdp.Fingerprint // of the client's certificate
	receiver receiver
	sends    bool // the client sends media, rather than receiving some
	state    *connectionState
	incoming chan []byte   // handshake records
	found    chan struct{} // gets a value when a check has shown where the client is

	liveness liveness

	// atomic
	path        atomic.Pointer[path] // by which we send; nil before the first check
	keys        atomic.Pointer[keys] // nil before the client can have them
	established atomic.Bool          // the handshake is over
	proved      atomic.Bool          // the client has sent something with its keys

	// guarded by mu
	mu    sync.Mutex
	agent agent
	left  bool // the socket has forgotten the client
}

// receiver takes in what a client sends. Its methods run on the goroutine that reads
// the socket, which they must not hold up.
type receiver interface {
	// receiveRTP takes in a datagram that may be SRTP: k opens it.
	receiveRTP(k *keys, datagram []byte, from path)
	receiveRTCP(packets []rtcp.Packet)
}

// maxRecords is how many datagrams of a handshake may wait: a client's flight is
// up to 6 of them. What is lost, the client sends again.
const maxRecords = 16

// newClient returns a client that no datagram comes to before enter.
func newClient(d *demux, s *connectionState, o *sdp.Offer, sends bool) *client {
	return &client{
		demux: d, state: s, role: o.Role, offered: o.Fingerprints, sends: sends,
		incoming: make(chan []byte, maxRecords), found: make(chan struct{}, 1), liveness: newLiveness(),
	}
}

// enter makes what the client sends come to r. Until then nothing else touches c.
func (c *client) enter(first credentials, r receiver) {
	c.receiver, c.agent.now = r, first
	c.demux.add(first.local.Ufrag, c)
}

// restart begins another ICE session, and returns our credentials for it.
func (c *client) restart(remote string) (sdp.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return sdp.Credentials{}, ErrLost
	}
	next := credentials{local: sdp.NewCredentials(), remote: remote}
	if old := c.agent.before.local.Ufrag; old != "" {
		c.demux.forget(old)
	}
	c.agent.restart(next)
	c.demux.add(next.local.Ufrag, c)
	return next.local, nil
}

// remote returns the client's user name fragment.
func (c *client) remote() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agent.now.remote
}

// receiveCheck takes in a connectivity check. m is scratch space.
func (c *client) receiveCheck(m *stun.Message, datagram []byte, from path) {
	o := c.check(m, datagram, from)
	if o.answer != nil {
		_ = from.send(o.answer) // what is lost is asked for again
	}
	if o.valid {
		select {
		case c.found <- struct{}{}:
		default: // it is known already
		}
	}
}

func (c *client) check(m *stun.Message, datagram []byte, from path) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return outcome{}
	}
	o := c.agent.check(m, datagram, from)
	if !o.valid {
		return o
	}
	c.liveness.hear()
	c.demux.bind(from, c)
	if o.lost.valid() {
		c.demux.unbind(o.lost, c)
	}
	if o.done != "" {
		c.demux.forget(o.done)
	}
	c.aim()
	return o
}

// aim makes what is sent go where the agent says, with mu held.
func (c *client) aim() {
	if to := c.path.Load(); to == nil || *to != c.agent.selected {
		selected := c.agent.selected
		c.path.Store(&selected)
	}
}

// follow goes where the client is, as what it has sealed shows. It returns false if
// it has never proved to be there.
func (c *client) follow(from path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left || !c.agent.follow(from) {
		return false
	}
	c.aim()
	return true
}

// hear notes that something that the client has sealed came by a path that a check has
// come by: the client sends from there now. What was there before is not taken twice,
// so nobody moves the client by repeating it.
func (c *client) hear(from path) {
	if !c.proved.Load() {
		c.proved.Store(true)
	}
	if to := c.path.Load(); to != nil && (to.address == from.address && to.network == from.network || c.follow(from)) {
		c.liveness.hear()
	}
}

// receiveRecords takes in DTLS that came by a path that a check has come by. Of a
// datagram that finds no room the client will send the records again.
func (c *client) receiveRecords(datagram []byte) {
	established := c.established.Load()
	s := sift(datagram, c.role, established)
	if len(s.handshake) > 0 && !(established && c.proved.Load()) {
		select {
		case c.incoming <- s.handshake:
		default:
			c.demux.dropped.Add(1)
		}
	}
	if !established {
		return
	}
	for _, r := range s.alerts {
		if c.keys.Load().alerts.ends(r) {
			c.state.close()
		}
	}
}

// receiveMedia takes in SRTP and SRTCP that came by a path that a check has come by.
func (c *client) receiveMedia(datagram []byte, from path) {
	k := c.keys.Load()
	if k == nil || len(datagram) < 2 {
		return
	}
	if datagram[1] < firstRTCP || datagram[1] > lastRTCP {
		c.receiver.receiveRTP(k, datagram, from)
		return
	}
	packets, ok := k.rtcp.open(datagram)
	if !ok {
		return
	}
	c.hear(from)
	if len(packets) > 0 {
		c.receiver.receiveRTCP(packets)
	}
}

// send sends a datagram to the client.
func (c *client) send(datagram []byte) error {
	to := c.path.Load()
	if to == nil {
		return errors.New("peer: no address of the client is known yet")
	}
	return to.send(datagram)
}

// report sends RTCP to the client, unless it is not connected. What is lost is told
// again.
func (c *client) report(packets []rtcp.Packet) {
	if k := c.keys.Load(); k != nil && len(packets) > 0 {
		if datagram, err := k.rtcp.seal(nil, packets); err == nil {
			_ = c.send(datagram)
		}
	}
}

// establish says that the handshake is over.
func (c *client) establish() error {
	if c.keys.Load() == nil {
		return errors.New("peer: DTLS: the client takes none of our SRTP profiles")
	}
	c.liveness.hear()
	c.established.Store(true)
	c.state.connect()
	return nil
}

// silent reports whether nothing has come from the client for some seconds, though it
// was connected.
func (c *client) silent() bool {
	return c.established.Load() && c.liveness.quiet() > disconnectedTimeout
}

// tend looks after the connection from time to time.
func (c *client) tend() {
	if c.liveness.quiet() > disconnectedTimeout+failedTimeout {
		c.state.fail()
	}
}

// handshaken reports whether nothing of the handshake will be asked for again: the
// client has what we sent last, as what it sends with the keys shows, or as its own
// last flight does, which was the answer.
func (c *client) handshaken() bool {
	return c.established.Load() && (c.role == sdp.Client || c.proved.Load())
}

// close tells the client that we are gone, and makes the socket forget it. last is
// what it is told in RTCP. Closing twice is fine.
func (c *client) close(last []rtcp.Packet) {
	c.state.close()
	if !c.leave() || !c.established.Load() {
		return
	}
	// It may be gone already: then nobody misses what cannot be sent.
	c.report(last)
	if datagram, err := c.keys.Load().alerts.closeNotify(); err == nil {
		_ = c.send(datagram)
	}
}

// leave makes the socket forget the client. It returns false if it had already.
func (c *client) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return false
	}
	c.left = true
	for _, known := range []credentials{c.agent.now, c.agent.before} {
		c.demux.forget(known.local.Ufrag)
	}
	for _, at := range c.agent.paths {
		c.demux.unbind(at, c)
	}
	return true
}

// liveness is when a client was last heard of.
type liveness struct {
	started time.Time    // on its monotonic clock heard is; set once
	heard   atomic.Int64 // since started
}

func newLiveness() liveness { return liveness{started: time.Now()} }

// hear notes that the client is there and wants what it gets (RFC 7675): it has
// proved so with a password or a key.
func (l *liveness) hear() { l.heard.Store(int64(l.now())) }

// now returns the time since the client's begin.
func (l *liveness) now() time.Duration { return time.Since(l.started) }

// quiet returns for how long nothing was heard of the client.
func (l *liveness) quiet() time.Duration { return l.now() - time.Duration(l.heard.Load()) }
