package transport

import (
	"slices"

	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// maxPaths is how many paths of one client are known at a time: those of its
// interfaces, as NATs show them. A new one takes the place of the oldest.
const maxPaths = 8

// agent is an ICE-lite agent (RFC 8445 section 2.5) with one component: it answers
// checks, and sends where the client's checks come from. It only computes.
type agent struct {
	now    credentials // the newest ICE session
	before credentials // the one that a restart has replaced, until a check of the new one comes; or zero

	paths     []Path // that a valid check came by, the one with the newest last
	selected  Path   // by which we send; not valid before the first check
	nominated bool   // the client has chosen selected
}

// credentials are those of both sides in one ICE session. Of the client's password an
// agent that sends no checks has no use.
type credentials struct {
	local  sdp.Credentials
	remote string // user name fragment
}

// restart begins another ICE session (RFC 8445 section 9). Checks of the one
// before are still answered, for the client goes on with it until it has our
// answer, and consent must not run out meanwhile.
func (a *agent) restart(next credentials) {
	a.before, a.now = a.now, next
}

// outcome is what a check has changed.
type outcome struct {
	answer []byte // to be sent back; nil: nothing
	valid  bool   // it was the client's
	lost   Path   // one that is not known any more, if valid
	done   string // a user name fragment that is of no use any more
}

// check takes in a connectivity check. m is scratch space.
func (a *agent) check(m *stun.Message, datagram []byte, from Path) outcome {
	local, remote, ok := usernameOf(datagram)
	if !ok {
		return outcome{}
	}
	is := func(p credentials) bool {
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
	o := outcome{answer: b.answer(from.Address, session.local.Pwd)}
	if b.controlled || o.answer == nil {
		return o
	}
	o.valid = true
	if renewed && a.before.local.Ufrag != "" {
		o.done, a.before = a.before.local.Ufrag, credentials{}
	}
	o.lost = a.know(from)
	// Until the client has chosen, the first path that works is taken: it may begin
	// with DTLS before its choice comes through.
	if b.useCandidate || !a.nominated && !a.selected.Valid() {
		a.selected, a.nominated = from, a.nominated || b.useCandidate
	}
	return o
}

// follow takes the path that the client sends its media by, if checks have come by it
// since they last came by the one that it has chosen: a browser that did not notice
// that a NAT gave it another address shows it by nothing else, for not all of them
// choose more than once. Packets that were under way when the client chose another path
// do not lead back. It returns false if no check has ever come by this one.
func (a *agent) follow(from Path) bool {
	at := slices.Index(a.paths, from)
	if at > slices.Index(a.paths, a.selected) {
		a.selected = from
	}
	return at >= 0
}

// know makes a path the newest of those known, and returns the one that it displaces.
func (a *agent) know(from Path) (lost Path) {
	if at := slices.Index(a.paths, from); at >= 0 {
		a.paths = append(slices.Delete(a.paths, at, at+1), from)
		return lost
	}
	if len(a.paths) == maxPaths {
		i := 0
		if a.paths[i] == a.selected {
			i = 1
		}
		lost = a.paths[i]
		a.paths = slices.Delete(a.paths, i, i+1)
	}
	a.paths = append(a.paths, from)
	return lost
}
