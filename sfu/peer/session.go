package peer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// session is what publishers and viewers have in common: one PeerConnection that
// answered one offer.
type session struct {
	// set once
	pc        *webrtc.PeerConnection
	connected chan struct{} // closed when ICE and DTLS are through
	gone      chan struct{} // closed when the connection failed or was closed

	connectedOnce, goneOnce sync.Once

	// guarded by mu
	mu    sync.Mutex
	offer *offer // the newest one
}

func newSession(api *webrtc.API, c webrtc.Configuration) (*session, error) {
	pc, err := api.NewPeerConnection(c)
	if err != nil {
		return nil, fmt.Errorf("peer: new connection: %w", err)
	}
	s := &session{pc: pc, connected: make(chan struct{}), gone: make(chan struct{})}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			s.connectedOnce.Do(func() { close(s.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			s.goneOnce.Do(func() { close(s.gone) })
		}
	})
	return s, nil
}

// answer applies o and returns the answer, with all candidates in it.
func (s *session) answer(ctx context.Context, o *offer) (string, error) {
	raw, err := o.String()
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: raw}); err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	description, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(description); err != nil {
		return "", fmt.Errorf("peer: apply the answer: %w", err)
	}
	select { // host candidates of one known port: this takes no time
	case <-gathered:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	s.mu.Lock()
	s.offer = o
	s.mu.Unlock()
	return s.pc.LocalDescription().SDP, nil
}

// await waits until the session is connected.
func (s *session) await(ctx context.Context) error {
	timeout := time.NewTimer(connectTimeout)
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
	s.goneOnce.Do(func() { close(s.gone) })
	if err := s.pc.Close(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
		return fmt.Errorf("peer: close: %w", err)
	}
	return nil
}

// Trickle checks a trickled fragment of SDP (RFC 8840). Its candidates are not
// used: an ICE-lite agent waits to be called.
func (s *session) Trickle(f Fragment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.restarts(s.offer.credentials()) {
		return fmt.Errorf("%w: the fragment's ICE credentials are not those of the session", ErrOffer)
	}
	return nil
}

// Restart answers an ICE restart: the fragment brings the client's new
// credentials, the returned one the server's. If it fails, the session goes on
// as it was.
func (s *session) Restart(ctx context.Context, f Fragment) (Fragment, error) {
	if f.ufrag == "" || f.pwd == "" {
		return Fragment{}, fmt.Errorf("%w: an ICE restart needs a=ice-ufrag and a=ice-pwd", ErrOffer)
	}
	s.mu.Lock()
	raw, err := s.offer.String()
	s.mu.Unlock()
	if err != nil {
		return Fragment{}, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	next := &offer{}
	if err := next.description.UnmarshalString(raw); err != nil {
		return Fragment{}, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	next.setCredentials(credentials{f.ufrag, f.pwd})
	local, err := s.answer(ctx, next)
	if err != nil {
		return Fragment{}, err
	}
	return answerFragment(local)
}
