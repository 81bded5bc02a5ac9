package transport

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// Client is one client's path through the shared socket: ICE-lite, DTLS, SRTP and
// SRTCP, and whether anything is heard of it. Publishers and viewers have the same one;
// they differ in what they receive. Datagrams are handled by the goroutine that reads
// the socket, which that must not hold up.
type Client struct {
	// set once
	demux    *Demux
	role     sdp.Role          // ours
	offered  []sdp.Fingerprint // of the client's certificate
	receiver Receiver
	sends    bool // the client sends media, rather than receiving some
	state    *ConnectionState
	incoming chan []byte   // handshake records
	found    chan struct{} // gets a value when a check has shown where the client is

	liveness liveness

	early early // owned by the socket's reader

	// atomic
	path        atomic.Pointer[Path] // by which we send; nil before the first check
	keys        atomic.Pointer[Keys] // nil before the client can have them
	established atomic.Bool          // the handshake is over
	proved      atomic.Bool          // the client has sent something with its keys

	// guarded by mu
	mu    sync.Mutex
	agent agent
	left  bool // the socket has forgotten the client
}

// Receiver takes in what a client sends. Its methods run on the goroutine that reads
// the socket, which they must not hold up.
type Receiver interface {
	// ReceiveRTP takes in a datagram that may be SRTP: k opens it. The datagram is good
	// until the method returns.
	ReceiveRTP(k *Keys, datagram []byte, from Path)
	// ReceiveRTCP takes in what the client has reported.
	ReceiveRTCP(packets []rtcp.Packet)
}

// A client that falls silent counts as disconnected after 5 s, which heals by
// itself, and as lost 10 s later. Chromium sends consent checks (RFC 7675) about
// every 2.5 s and Firefox every 5 to 6 s, and after a change of its address
// nothing else comes through: two of them may be lost.
const (
	DisconnectedTimeout = 5 * time.Second
	FailedTimeout       = 10 * time.Second
)

// maxRecords is how many datagrams of a handshake may wait: a client's flight is up to
// 6 of them. The client sends lost ones again.
const maxRecords = 16

// NewClient returns the client of an offer, to which no datagram comes before Enter.
// sends reports whether it sends media, rather than receiving some.
func NewClient(d *Demux, s *ConnectionState, o *sdp.Offer, sends bool) *Client {
	return &Client{
		demux: d, state: s, role: o.Role, offered: o.Fingerprints, sends: sends,
		incoming: make(chan []byte, maxRecords), found: make(chan struct{}, 1), liveness: newLiveness(),
	}
}

// Enter begins the first ICE session, with our credentials and the client's user name
// fragment, and makes what the client sends come to r. Until then nothing else touches
// c.
func (c *Client) Enter(local sdp.Credentials, remote string, r Receiver) {
	c.receiver, c.agent.now = r, credentials{local, remote}
	c.demux.add(local.Ufrag, c)
}

// Restart begins another ICE session, for which the client has another user name
// fragment, and returns our credentials for it. The error is ErrClosed.
func (c *Client) Restart(remote string) (sdp.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return sdp.Credentials{}, ErrClosed
	}
	next := credentials{local: sdp.NewCredentials(), remote: remote}
	if old := c.agent.before.local.Ufrag; old != "" {
		c.demux.forget(old)
	}
	c.agent.restart(next)
	c.demux.add(next.local.Ufrag, c)
	return next.local, nil
}

// Remote returns the client's user name fragment.
func (c *Client) Remote() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agent.now.remote
}

// State returns how far the client has come.
func (c *Client) State() *ConnectionState { return c.state }

// Path returns by what is sent to the client, or nil before its first check.
func (c *Client) Path() *Path { return c.path.Load() }

// Keys returns the client's keys, or nil if there are none yet.
func (c *Client) Keys() *Keys { return c.keys.Load() }

// Found returns what gets a value when a check has shown where the client is.
func (c *Client) Found() <-chan struct{} { return c.found }

// FlushLater has f flushed when all is read that there was. f notes itself that it
// waits for that, since it may come again. Runs on the socket's reader.
func (c *Client) FlushLater(f Flusher) { c.demux.fresh = append(c.demux.fresh, f) }

// Established reports whether the handshake is over.
func (c *Client) Established() bool { return c.established.Load() }

// Proved reports whether something has come that the client has sealed.
func (c *Client) Proved() bool { return c.proved.Load() }

// Now returns the time since the client was made.
func (c *Client) Now() time.Duration { return c.liveness.now() }

// Quiet returns for how long nothing was heard of the client.
func (c *Client) Quiet() time.Duration { return c.liveness.quiet() }

// Heard notes that the client was heard of so long ago.
func (c *Client) Heard(ago time.Duration) { c.liveness.heardAgo(ago) }

// receiveCheck takes in a connectivity check. m is scratch space.
func (c *Client) receiveCheck(m *stun.Message, datagram []byte, from Path) {
	o := c.check(m, datagram, from)
	if o.answer != nil {
		_ = from.Send(o.answer) // what is lost is asked for again
	}
	if o.valid {
		select {
		case c.found <- struct{}{}:
		default: // it is known already
		}
	}
}

func (c *Client) check(m *stun.Message, datagram []byte, from Path) outcome {
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
	if o.lost.Valid() {
		c.demux.unbind(o.lost, c)
	}
	if o.done != "" {
		c.demux.forget(o.done)
	}
	c.aim()
	return o
}

// aim makes what is sent go where the agent says, with mu held.
func (c *Client) aim() {
	if to := c.path.Load(); to == nil || *to != c.agent.selected {
		selected := c.agent.selected
		c.path.Store(&selected)
	}
}

// follow goes where the client is, as what it has sealed shows. It returns false if
// it has never proved to be there.
func (c *Client) follow(from Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left || !c.agent.follow(from) {
		return false
	}
	c.aim()
	return true
}

// Hear notes that something that the client has sealed came by a path that a check has
// come by: the client sends from there now. No packet is taken twice, so no attacker
// moves the client by repeating one.
func (c *Client) Hear(from Path) {
	if !c.proved.Load() {
		c.proved.Store(true)
	}
	if to := c.path.Load(); to != nil && (to.Address == from.Address && to.Network == from.Network || c.follow(from)) {
		c.liveness.hear()
	}
}

// receiveRecords takes in DTLS that came by a path that a check has come by. Of a
// datagram that finds no room the client will send the records again.
func (c *Client) receiveRecords(datagram []byte) {
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
			c.state.Close()
		}
	}
}

// ReceiveMedia takes in SRTP and SRTCP that came by a path that a check has come by. What
// comes before the handshake is over is taken in with the first datagram after that.
func (c *Client) ReceiveMedia(datagram []byte, from Path) {
	k := c.keys.Load()
	if k == nil || len(datagram) < 2 {
		return
	}
	if !c.established.Load() {
		c.early.hold(datagram, from)
		return
	}
	if c.early.size > 0 {
		for _, d := range c.early.release() {
			c.openMedia(k, d.content, d.from)
		}
	}
	c.openMedia(k, datagram, from)
}

// openMedia hands to the receiver what the keys open.
func (c *Client) openMedia(k *Keys, datagram []byte, from Path) {
	if datagram[1] < firstRTCP || datagram[1] > lastRTCP {
		c.receiver.ReceiveRTP(k, datagram, from)
		return
	}
	packets, ok := k.rtcp.open(datagram)
	if !ok {
		return
	}
	c.Hear(from)
	if len(packets) > 0 {
		c.receiver.ReceiveRTCP(packets)
	}
}

// send sends a datagram to the client.
func (c *Client) send(datagram []byte) error {
	to := c.path.Load()
	if to == nil {
		return errors.New("transport: no address of the client is known yet")
	}
	return to.Send(datagram)
}

// Report sends RTCP to the client, unless it is not connected. Lost reports are
// repeated by later ones.
func (c *Client) Report(packets []rtcp.Packet) {
	if k := c.keys.Load(); k != nil && len(packets) > 0 {
		if datagram, err := k.rtcp.seal(nil, packets); err == nil {
			_ = c.send(datagram)
		}
	}
}

// Establish notes that the handshake is over: the client is connected. The error means
// that there are no keys.
func (c *Client) Establish() error {
	if c.keys.Load() == nil {
		return errors.New("transport: DTLS: the client takes none of our SRTP profiles")
	}
	c.liveness.hear()
	c.established.Store(true)
	c.state.connect()
	return nil
}

// Silent reports whether nothing has come from the client for some seconds, though it
// was connected.
func (c *Client) Silent() bool {
	return c.established.Load() && c.liveness.quiet() > DisconnectedTimeout
}

// Tend looks after the connection from time to time.
func (c *Client) Tend() {
	if c.liveness.quiet() > DisconnectedTimeout+FailedTimeout {
		c.state.Fail()
	}
}

// Handshaken reports whether nothing of the handshake will be asked for again: the
// client has what we sent last, as what it sends with the keys shows, or as its own
// last flight does, which was the answer.
func (c *Client) Handshaken() bool {
	return c.established.Load() && (c.role == sdp.Client || c.proved.Load())
}

// Close tells the client that we are gone, and makes the socket forget it. last is
// what it is told in RTCP. Closing twice is fine.
func (c *Client) Close(last []rtcp.Packet) {
	c.state.Close()
	if !c.leave() || !c.established.Load() {
		return
	}
	// It may be gone already: then what cannot be sent is not missed.
	c.Report(last)
	if datagram, err := c.keys.Load().alerts.closeNotify(); err == nil {
		_ = c.send(datagram)
	}
}

// leave makes the socket forget the client. It returns false if it had already.
func (c *Client) leave() bool {
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

// heardAgo notes that the client was heard of so long ago.
func (l *liveness) heardAgo(d time.Duration) { l.heard.Store(int64(l.now() - d)) }

func newLiveness() liveness { return liveness{started: time.Now()} }

// hear notes that the client is there and wants what it gets (RFC 7675): it has
// proved so with a password or a key.
func (l *liveness) hear() { l.heard.Store(int64(l.now())) }

// now returns the time since the client was made.
func (l *liveness) now() time.Duration { return time.Since(l.started) }

// quiet returns for how long nothing was heard of the client.
func (l *liveness) quiet() time.Duration { return l.now() - time.Duration(l.heard.Load()) }
