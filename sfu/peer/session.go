package peer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"weir/sfu/peer/sdp"
)

// session is a publisher's PeerConnection, which answered one offer.
type session struct {
	// set once
	*life
	pc             *webrtc.PeerConnection
	port           *Port
	connectTimeout time.Duration
	ingress        *ingress

	negotiating sync.Mutex // held while a description is being applied

	// guarded by mu
	mu    sync.Mutex
	offer *sdp.Offer      // the newest one
	local sdp.Credentials // with which it was answered
}

func (p *Port) newSession(a api, role sdp.Role) (*session, error) {
	l, err := p.begin()
	if err != nil {
		return nil, err
	}
	s := &session{life: l, port: p, connectTimeout: p.connectTimeout, ingress: newIngress(role)}
	if s.pc, err = a.newConnection(p.configuration, redirectingMux{p.mux, &s.ingress.presence}, &s.ingress.secrets); err != nil {
		s.settled()
		return nil, fmt.Errorf("peer: new connection: %w", err)
	}
	s.pc.SCTP().Transport().OnStateChange(func(state webrtc.DTLSTransportState) {
		if state != webrtc.DTLSTransportStateConnected {
			return
		}
		if err := s.ingress.established(); err != nil {
			s.lose() // it would be silent for ever
		}
	})
	s.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			s.through()
		case webrtc.PeerConnectionStateFailed:
			s.lose()
		case webrtc.PeerConnectionStateClosed: // by the client: a DTLS alert says so
			s.end()
		}
	})
	return s, nil
}

// Silent says that nothing has come from the client for some seconds, though it
// was connected.
func (s *session) Silent() bool {
	return s.ingress.through.Load() && s.ingress.quiet() > disconnectedTimeout
}

// tend looks after the connection from time to time.
func (s *session) tend() {
	if s.ingress.lost() {
		s.lose()
	}
}

// answer applies o and returns the answer, with all candidates in it.
func (s *session) answer(ctx context.Context, o *sdp.Offer) (string, error) {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	raw, err := o.ForConnection()
	if err != nil {
		return "", err
	}
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: raw}); err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	description, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	if err := checkAnswer(description); err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(description); err != nil {
		return "", fmt.Errorf("peer: apply the answer: %w", err)
	}
	select { // host candidates of one known port: this takes no time
	case <-gathered:
	case <-s.gone:
		return "", ErrLost
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	local, err := s.localCredentials()
	if err != nil {
		return "", err
	}
	if err := s.admit(o, local); err != nil {
		return "", err
	}
	return s.port.answerer.Answer(o, local, nil)
}

// admit makes the socket let through what belongs to the session that was
// negotiated.
func (s *session) admit(o *sdp.Offer, local sdp.Credentials) error {
	next := pair{local: local, remote: o.Credentials.Ufrag}
	s.mu.Lock()
	s.offer, s.local = o, next.local
	s.mu.Unlock()
	s.ingress.arrivals.negotiated(o.Extensions().TransportCC)
	if s.ingress.demux == nil {
		s.ingress.enter(s.port.demux, s.ingress, next)
		return nil
	}
	return s.ingress.renew(next)
}

// localCredentials returns the ICE credentials that pion has chosen.
func (s *session) localCredentials() (sdp.Credentials, error) {
	c, err := s.pc.SCTP().Transport().ICETransport().GetLocalParameters()
	if err != nil {
		return sdp.Credentials{}, fmt.Errorf("peer: own credentials: %w", err)
	}
	return sdp.Credentials{Ufrag: c.UsernameFragment, Pwd: c.Password}, nil
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

// await waits until the session is connected.
func (s *session) await(ctx context.Context) error {
	timeout := time.NewTimer(s.connectTimeout)
	defer timeout.Stop()
	select {
	case <-s.connected:
		return nil
	case <-s.gone:
		return ErrNotConnected
	case <-timeout.C:
		return ErrNotConnected
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the connection, telling the client. Closing twice is fine.
func (s *session) Close() error {
	s.end()
	s.ingress.leave()
	if err := s.pc.Close(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
		return fmt.Errorf("peer: close: %w", err)
	}
	return nil
}

// Trickle checks a trickled fragment of SDP (RFC 8840). Its candidates are not
// used: an ICE-lite agent waits to be called.
func (s *session) Trickle(f sdp.Fragment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.CheckSession(s.offer.Credentials.Ufrag)
}

// Restart answers an ICE restart: the fragment brings the client's new
// credentials, the returned one the server's. If it fails, the session goes on
// as it was.
func (s *session) Restart(ctx context.Context, f sdp.Fragment) (sdp.Fragment, error) {
	remote, err := f.Restart()
	if err != nil {
		return sdp.Fragment{}, err
	}
	select {
	case <-s.gone:
		return sdp.Fragment{}, ErrLost
	default:
	}
	s.mu.Lock()
	o := s.offer
	s.mu.Unlock()
	next := o.Restarted(remote)
	// Half a restart would be none: it is not left to whether the client waits.
	if _, err := s.answer(context.WithoutCancel(ctx), next); err != nil {
		return sdp.Fragment{}, err
	}
	s.mu.Lock()
	local := s.local
	s.mu.Unlock()
	return s.port.answerer.Restart(next.Media[0].Codec.Kind(), next.Media[0].MID, local), nil
}
