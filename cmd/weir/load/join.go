package load

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// joinTimeout is how long a viewer may take until it is connected.
	joinTimeout = 15 * time.Second
	// liveTimeout is how long a stream that was just published may take to be
	// live, asked for every liveRetry.
	liveTimeout = 5 * time.Second
	liveRetry   = 100 * time.Millisecond
)

// joiner is what viewers need to join.
type joiner struct {
	fleet    *fleet
	client   *http.Client
	endpoint string // with {name}
	token    string // with {name}
	identity identity
	local    netip.Addr

	reading sync.WaitGroup
}

// join makes the session of a viewer and returns when media can flow. On an error
// the viewer is to be closed all the same.
func (j *joiner) join(ctx context.Context, v *viewer) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	j.fleet.joining.Add(1)
	defer j.fleet.joining.Add(-1)
	raw, err := j.ask(ctx, v)
	if err != nil {
		return err
	}
	a, err := parseAnswer(raw)
	if err != nil {
		return err
	}
	v.ice.remoteUfrag, v.ice.remotePwd, v.ice.candidates = a.ufrag, a.pwd, a.candidates
	v.kinds = a.kinds
	if err := j.fleet.add(v); err != nil {
		return err
	}
	if err := v.ice.connect(ctx, v.socket); err != nil {
		return err
	}
	conn, err := handshake(ctx, v, j.identity, a)
	if err != nil {
		return err
	}
	k, err := newKeys(conn, !a.active)
	if err == nil {
		err = j.fleet.do(func() { v.setKeys(k) })
	}
	if err != nil {
		_ = conn.Close()
		return err
	}
	v.close = func() { _ = conn.Close() } // the server may have been faster
	j.fleet.connected.Add(1)
	j.reading.Go(func() {
		// Nothing comes but the end.
		for b := make([]byte, 1500); ; {
			if _, err := conn.Read(b); err != nil {
				v.ended.Store(true)
				j.fleet.connected.Add(-1)
				return
			}
		}
	})
	return nil
}

// ask posts the offer, until the stream is live.
func (j *joiner) ask(ctx context.Context, v *viewer) (sdp string, err error) {
	named := strings.NewReplacer("{name}", v.stream.name)
	offer := makeOffer(v, j.local, j.identity.fingerprint)
	for deadline := time.Now().Add(liveTimeout); ; {
		v.started = time.Now().UnixNano()
		v.session, sdp, err = post(ctx, j.client, named.Replace(j.endpoint), named.Replace(j.token), offer)
		if !notLive(err) || time.Now().After(deadline) {
			return sdp, err
		}
		select {
		case <-time.After(liveRetry):
		case <-ctx.Done():
			return "", err
		}
	}
}

// leave ends a viewer's session. The fleet has stopped, or does not know the
// viewer any more.
func (v *viewer) leave(ctx context.Context) error {
	var err error
	if v.session != nil {
		err = v.session.end(ctx)
	}
	if v.close != nil {
		v.close()
	}
	_ = v.records.Close() // never fails
	v.socket.close()
	return err
}
