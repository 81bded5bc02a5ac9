package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

const (
	// checkInterval is the time between the first checks of two candidates, and
	// checkRepeat that after which a check is sent again (RFC 8445 section 14.3
	// has 500 ms; a lost check would spoil the join times).
	checkInterval = 20 * time.Millisecond
	checkRepeat   = 100 * time.Millisecond
	// consentInterval is how often the server is asked whether it is still there
	// (RFC 7675 section 5.1), and told that we are.
	consentInterval = 2 * time.Second
	// hostPriority is that of a peer-reflexive candidate (RFC 8445 section 5.1.2.1:
	// 110<<24 + 65535<<8 + 255).
	hostPriority = 110<<24 + 65535<<8 + 255
)

// iceAgent is the controlling agent of one viewer. It offers one candidate,
// checks all of the server's, and nominates the first that answers.
type iceAgent struct {
	// set once
	localUfrag, localPwd   string
	remoteUfrag, remotePwd string
	transaction            [8]byte // how the ids of all our requests begin
	tiebreaker             uint64
	candidates             []netip.AddrPort

	selected  atomic.Int32  // candidate, from 1; 0: none yet
	nominated chan struct{} // closed when there is one
}

func newICEAgent() *iceAgent {
	a := &iceAgent{localUfrag: rand.Text()[:8], localPwd: rand.Text(), nominated: make(chan struct{})}
	random := rand.Text()
	copy(a.transaction[:], random)
	for _, c := range random[8:16] {
		a.tiebreaker = a.tiebreaker<<8 | uint64(c)
	}
	return a
}

// check sends a connectivity check to candidate i. It nominates at once, as
// browsers do towards ICE-lite agents: a server takes the first that works.
func (a *iceAgent) check(s *socket, i int) {
	id := [stun.TransactionIDSize]byte{8: byte(i)}
	copy(id[:], a.transaction[:])
	m, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingRequest,
		stun.NewUsername(a.remoteUfrag+":"+a.localUfrag), ice.AttrControlling(a.tiebreaker), ice.UseCandidate(),
		ice.PriorityAttr(hostPriority), stun.NewShortTermIntegrity(a.remotePwd), stun.Fingerprint)
	if err == nil { // an error would mean credentials longer than an attribute may be
		s.send(m.Raw, a.candidates[i])
	}
}

// connect checks all candidates until one answers.
func (a *iceAgent) connect(ctx context.Context, s *socket) error {
	for round := 0; ; round++ {
		for i := range a.candidates {
			a.check(s, i)
			pause := checkInterval
			if i == len(a.candidates)-1 {
				pause = checkRepeat
			}
			select {
			case <-a.nominated:
				return nil
			case <-ctx.Done():
				return fmt.Errorf("no answer from %v (ICE)", a.candidates)
			case <-time.After(pause):
			}
		}
	}
}

// receive takes in a STUN message. Only the reading goroutine calls it.
func (a *iceAgent) receive(s *socket, raw []byte) {
	m := &stun.Message{Raw: raw}
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		i := int(m.TransactionID[8])
		if !bytes.Equal(m.TransactionID[:8], a.transaction[:]) || i >= len(a.candidates) || a.selected.Load() != 0 ||
			stun.NewShortTermIntegrity(a.remotePwd).Check(m) != nil {
			return
		}
		a.selected.Store(int32(i + 1))
		close(a.nominated)
	case stun.BindingRequest:
		a.respond(s, m)
	}
}

// respond answers the check of a server that is a full ICE agent. Where it came
// from does not matter: we choose.
func (a *iceAgent) respond(s *socket, request *stun.Message) {
	integrity := stun.NewShortTermIntegrity(a.localPwd)
	if integrity.Check(request) != nil {
		return
	}
	to := a.remote()
	if !to.IsValid() {
		return // it will ask again
	}
	m, err := stun.Build(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: net.IP(to.Addr().AsSlice()), Port: int(to.Port())}, integrity, stun.Fingerprint)
	if err == nil {
		s.send(m.Raw, to)
	}
}

// remote is the server's address, as far as there is one yet.
func (a *iceAgent) remote() netip.AddrPort {
	if i := a.selected.Load(); i != 0 {
		return a.candidates[i-1]
	}
	return netip.AddrPort{}
}
