package peer

import (
	"sync"
	"sync/atomic"
)

// life is how far a session has come: connecting, connected, gone.
type life struct {
	connected chan struct{} // closed when ICE and DTLS are through
	gone      chan struct{} // closed when the connection failed or was closed

	connecting              func(n int64) int64 // counts the sessions that are connecting
	connectedOnce, goneOnce sync.Once
	settledOnce             sync.Once
	failed                  atomic.Bool // the connection broke, rather than being closed
}

// begin returns the life of a new session, or ErrBusy.
func (p *Port) begin() (*life, error) {
	l := &life{connected: make(chan struct{}), gone: make(chan struct{}), connecting: p.connecting.Add}
	if l.connecting(1) > p.maxConnecting {
		l.settled()
		return nil, ErrBusy
	}
	return l, nil
}

// settled says that the session is not connecting any more.
func (l *life) settled() { l.settledOnce.Do(func() { l.connecting(-1) }) }

// through says that the session is connected.
func (l *life) through() {
	l.connectedOnce.Do(func() { close(l.connected) })
	l.settled()
}

// end says that the connection is of no use any more.
func (l *life) end() {
	l.goneOnce.Do(func() { close(l.gone) })
	l.settled()
}

// lose is end for a connection that broke.
func (l *life) lose() {
	l.failed.Store(true)
	l.end()
}

// why says why the session is gone.
func (l *life) why() error {
	if l.failed.Load() {
		return ErrLost
	}
	return ErrClosed
}
