package peer

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// presence is what the socket knows of one client: the ICE sessions in which it
// proves to be somewhere, where that is, and when it was last heard of.
type presence struct {
	// set once
	demux   *demux
	owner   endpoint
	started time.Time // on its monotonic clock heard is

	to    atomic.Pointer[netip.AddrPort] // where to send; nil before the first check
	heard atomic.Int64                   // when the client was last heard of, since started

	// guarded by mu
	mu     sync.Mutex
	agent  agent
	closed bool
}

// enter makes the client's checks come to owner. Until then nothing else touches p.
func (p *presence) enter(d *demux, owner endpoint, first pair) {
	p.demux, p.owner, p.started = d, owner, time.Now()
	p.agent.now = first
	d.add(first.local.Ufrag, owner)
}

// renew begins another ICE session, with which the client restarts it.
func (p *presence) renew(next pair) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrLost
	}
	if old := p.agent.before.local.Ufrag; old != "" {
		p.demux.forget(old)
	}
	p.agent.restart(next)
	p.demux.add(next.local.Ufrag, p.owner)
	return nil
}

// remote returns the client's user name fragment.
func (p *presence) remote() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.agent.now.remote
}

// check takes in a connectivity check. Runs on the socket's reader.
func (p *presence) check(m *stun.Message, datagram []byte, from netip.AddrPort) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return outcome{}
	}
	o := p.agent.check(m, datagram, from)
	if !o.valid {
		return o
	}
	p.hear()
	p.demux.bind(from, p.owner)
	if o.lost.IsValid() {
		p.demux.unbind(o.lost, p.owner)
	}
	if o.done != "" {
		p.demux.forget(o.done)
	}
	p.aim()
	return o
}

// aim makes what is sent go where the agent says, with mu held.
func (p *presence) aim() {
	if to := p.to.Load(); to == nil || *to != p.agent.selected {
		selected := p.agent.selected
		p.to.Store(&selected)
	}
}

// follow goes where the client is, as what it has sealed shows. It returns false if
// it has never proved to be there.
func (p *presence) follow(from netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.agent.follow(from) {
		return false
	}
	p.aim()
	return true
}

// hear notes that the client is there and wants what it gets (RFC 7675): it has
// proved so with a password or a key.
func (p *presence) hear() { p.heard.Store(int64(time.Since(p.started))) }

// hearAt is hear for something sealed that came from an address, which a check has
// come from: the client sends from there now. What was there before is not taken
// twice, so nobody moves the client by repeating it.
func (p *presence) hearAt(from netip.AddrPort) {
	if to := p.to.Load(); to != nil && (*to == from || p.follow(from)) {
		p.hear()
	}
}

// quiet returns for how long nothing was heard of the client.
func (p *presence) quiet() time.Duration {
	return time.Since(p.started) - time.Duration(p.heard.Load())
}

// lost says that the client was silent for so long that it is taken for gone.
func (p *presence) lost() bool { return p.quiet() > disconnectedTimeout+failedTimeout }

// leave makes the socket forget the client. It returns false if it had already.
func (p *presence) leave() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.demux == nil {
		return false
	}
	p.closed = true
	for _, known := range []pair{p.agent.now, p.agent.before} {
		p.demux.forget(known.local.Ufrag)
	}
	for _, at := range p.agent.ways {
		p.demux.unbind(at, p.owner)
	}
	return true
}
