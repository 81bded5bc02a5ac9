package peer

import (
	"net/netip"
	"slices"

	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// maxWays is how many addresses of one client are known at a time: those of its
// interfaces, as NATs show them. The oldest gives way to a new one.
const maxWays = 8

// agent is an ICE-lite agent (RFC 8445 section 2.5) with one component: it answers
// checks, and sends where the client's checks come from. It only computes.
type agent struct {
	now    pair // the newest ICE session
	before pair // the one that a restart has replaced, until a check of the new one comes; or zero

	ways      []netip.AddrPort // that a valid check came from, the one with the newest last
	selected  netip.AddrPort   // where we send; invalid before the first check
	nominated bool             // the client has chosen selected
}

// pair is the credentials of both sides in one ICE session. Of the client's
// password an agent that sends no checks has no use.
type pair struct {
	local  sdp.Credentials
	remote string // user name fragment
}

// restart begins another ICE session (RFC 8445 section 9). Checks of the one
// before are still answered, for the client goes on with it until it has our
// answer, and consent must not run out meanwhile.
func (a *agent) restart(next pair) {
	a.before, a.now = a.now, next
}

// outcome is what a check has changed.
type outcome struct {
	answer []byte         // to be sent back; nil: nothing
	valid  bool           // it was the client's
	former bool           // it was of the ICE session before, if valid
	lost   netip.AddrPort // an address that is not known any more, if valid
	done   string         // a user name fragment that is of no use any more
}

// check takes in a connectivity check. m is scratch space.
func (a *agent) check(m *stun.Message, datagram []byte, from netip.AddrPort) outcome {
	local, remote, ok := usernameOf(datagram)
	if !ok {
		return outcome{}
	}
	is := func(p pair) bool {
		return p.local.Ufrag != "" && string(local) == p.local.Ufrag && string(remote) == p.remote
	}
	session, renewed := a.now, is(a.now)
	if !renewed {
		if !is(a.before) {
			return outcome{}
		}
		session = a.before
	}
	b, err := readBinding(m, datagram, session.local.Pwd)
	if err != nil {
		return outcome{}
	}
	o := outcome{answer: b.answer(from, session.local.Pwd)}
	if b.controlled || o.answer == nil {
		return o
	}
	o.valid, o.former = true, !renewed
	if renewed && a.before.local.Ufrag != "" {
		o.done, a.before = a.before.local.Ufrag, pair{}
	}
	o.lost = a.know(from)
	// Until the client has chosen, the first way that works is taken: it may begin
	// with DTLS before its choice comes through.
	if b.useCandidate || !a.nominated && !a.selected.IsValid() {
		a.selected, a.nominated = from, a.nominated || b.useCandidate
	}
	return o
}

// follow takes the way that the client sends its media by, if checks have come that
// way since they last came by the one that it has chosen: a browser that did not
// notice that a NAT gave it another address says so by nothing else, for not all of
// them choose more than once. What was still under way when the client chose another
// way does not lead back. It returns false if no check has ever come from there.
func (a *agent) follow(from netip.AddrPort) bool {
	at := slices.Index(a.ways, from)
	if at > slices.Index(a.ways, a.selected) {
		a.selected = from
	}
	return at >= 0
}

// know makes an address the newest of the ways, and returns the one that it displaces.
func (a *agent) know(from netip.AddrPort) (lost netip.AddrPort) {
	if at := slices.Index(a.ways, from); at >= 0 {
		a.ways = append(slices.Delete(a.ways, at, at+1), from)
		return lost
	}
	if len(a.ways) == maxWays {
		i := 0
		if a.ways[i] == a.selected {
			i = 1
		}
		lost = a.ways[i]
		a.ways = slices.Delete(a.ways, i, i+1)
	}
	a.ways = append(a.ways, from)
	return lost
}
