package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/webrtc/v4"

	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// connection is the PeerConnection of a publisher: it checks what was negotiated, and
// shakes hands. It is given what it needs for that and nothing else. Its agent is told
// that the client is an ICE-lite one at a single address, once our own agent knows
// where the client is: so it takes that without a check, and each check of the client
// is verified once. Its socket is a pipe in memory, through which handshake records
// go. When they are done with, it is dropped.
type connection struct {
	pc    *webrtc.PeerConnection
	pipe  *transport.Pipe
	known *transport.Secrets // owned by the handshake
}

// newConnection returns a connection of a client that is not told where that is.
func (p *Port) newConnection(c *transport.Client) (*connection, error) {
	n := &connection{known: c.NewSecrets()}
	n.pipe = c.NewPipe(n.known)
	var err error
	if n.pc, err = p.publishers.newConnection(p.configuration, pipeMux{n.pipe}, n.known); err != nil {
		return nil, fmt.Errorf("peer: new connection: %w", err)
	}
	n.pc.SCTP().Transport().ICETransport().OnConnectionStateChange(func(state webrtc.ICETransportState) {
		if state == webrtc.ICETransportStateConnected {
			n.pipe.Open()
		}
	})
	n.pc.SCTP().Transport().OnStateChange(func(state webrtc.DTLSTransportState) {
		switch state {
		case webrtc.DTLSTransportStateConnected:
			if c.Establish() != nil {
				c.State().Fail() // it would be silent for ever
			}
		case webrtc.DTLSTransportStateFailed:
			c.State().Fail()
		}
	})
	return n, nil
}

// negotiate has the connection agree to an offer. It begins to wait for the client.
func (n *connection) negotiate(o *sdp.Offer) error {
	raw, err := o.ForConnection()
	if err != nil {
		return err
	}
	if err := n.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: raw}); err != nil {
		return fmt.Errorf("%w: %v", ErrOffer, err)
	}
	description, err := n.pc.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrOffer, err)
	}
	if err := checkAnswer(description); err != nil {
		return err
	}
	if err := n.pc.SetLocalDescription(description); err != nil {
		return fmt.Errorf("peer: apply the answer: %w", err)
	}
	return nil
}

// checkAnswer checks that no section of pion's answer is rejected: WHIP knows no
// partial success (RFC 9725 section 4.4).
func checkAnswer(answer webrtc.SessionDescription) error {
	d, err := answer.Unmarshal()
	if err != nil {
		return fmt.Errorf("peer: read own answer: %w", err)
	}
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Port.Value == 0 {
			return fmt.Errorf("%w: its %s section cannot be answered; check its codecs and their payload types", ErrUnsupported, m.MediaName.Media)
		}
	}
	return nil
}

// connect waits until the client has completed ICE and DTLS, but not longer than
// timeout.
func (n *connection) connect(ctx context.Context, c *transport.Client, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found := c.Found()
	for {
		select {
		case <-found:
			there := fmt.Sprintf("candidate:1 1 udp 1 %v %d typ host", transport.PipeThere.Addr(), transport.PipeThere.Port())
			if err := n.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: there}); err != nil {
				return fmt.Errorf("%w: %v", ErrNotConnected, err)
			}
			found = nil
		case <-c.State().Connected():
			return nil
		case <-c.State().Closed():
			return ErrNotConnected
		case <-limited.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return ErrNotConnected
		}
	}
}

// drop gives up the connection, without a word to the client. Dropping twice is fine.
func (n *connection) drop() error {
	_ = n.pipe.Close() // first, so that the connection cannot say goodbye
	if err := n.pc.Close(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
		return fmt.Errorf("peer: close: %w", err)
	}
	return nil
}

// pipeMux is an ice.UDPMux of one pipe.
type pipeMux struct{ pipe *transport.Pipe }

// GetConn implements ice.UDPMux.
func (m pipeMux) GetConn(string, net.Addr) (net.PacketConn, error) { return m.pipe, nil }

// RemoveConnByUfrag implements ice.UDPMux.
func (m pipeMux) RemoveConnByUfrag(string) {}

// GetListenAddresses implements ice.UDPMux.
func (m pipeMux) GetListenAddresses() []net.Addr { return []net.Addr{m.pipe.LocalAddr()} }

// Close implements ice.UDPMux.
func (m pipeMux) Close() error { return m.pipe.Close() }
