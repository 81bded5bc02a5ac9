package ws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

const (
	// helloWait is how long a viewer's hello is waited for.
	helloWait = 250 * time.Millisecond
	// liveWait is how often it is looked whether a broadcast has begun.
	liveWait = 250 * time.Millisecond
	// maxWatchText is the largest message that a viewer may send, in bytes.
	maxWatchText = 4 << 10
	// sendBuffer is how much the kernel is to hold for a viewer, in bytes. What
	// lies there cannot be cut any more, and Linux would let it grow to 4 MiB.
	sendBuffer = 256 << 10
	// viewerBuffer is the size of the buffer for what a viewer says: there may be
	// many of them.
	viewerBuffer = 512
)

// serveWatch is GET /ws/watch/{name}.
func (e *Endpoint) serveWatch(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	e.watch(w, r, i, "websocket", false)
}

// watch makes a viewer of a request of a client that speaks wire, one that gets no
// events if mute.
func (e *Endpoint) watch(w http.ResponseWriter, r *http.Request, i signaling.Intent, wire string, mute bool) {
	if err := sfu.ValidName(i.Name); err != nil {
		signaling.WriteError(w, err)
		return
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	v := e.newViewer(i.Name)
	v.mute, v.from = mute, i.From
	s, err := e.config.Sessions.Begin(session.AboutOf(i, session.WebSocket, wire), v, nil, cancel)
	if err != nil {
		signaling.WriteError(w, err)
		return
	}
	defer s.Close()
	if v.conn, err = e.upgradeViewer(w, r); err != nil {
		return
	}
	v.serve(ctx, cancel, i.Remote, v.watchName)
}

// upgradeViewer is upgrade for a client that says next to nothing, and to which
// only media goes, past the WebSocket's buffer.
func (e *Endpoint) upgradeViewer(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	u := e.upgrader
	u.ReadBufferSize, u.WriteBufferPool = viewerBuffer, &e.feeds.buffers
	return u.Upgrade(hijacker{w}, r, nil)
}

// newViewer returns a viewer whose connection is to be set.
func (e *Endpoint) newViewer(name string) *viewer {
	return &viewer{
		endpoint: e, name: name,
		hello: make(chan wishes, 1), asked: make(chan string, 1), read: make(chan struct{}),
	}
}

// serve has run feed the viewer, and closes the socket when that returns.
func (v *viewer) serve(ctx context.Context, cancel context.CancelCauseFunc, remote string, run func(context.Context) error) {
	log := v.endpoint.config.Log.With("stream", v.name, "remote", remote)
	log.Info("feed started")
	if tcp, ok := v.conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a wish
	}
	// A write that blocks ends with the session: the deadline has passed.
	unblocked := make(chan struct{})
	unblock := context.AfterFunc(ctx, func() {
		defer close(unblocked)
		v.over.Store(true)
		_ = v.conn.NetConn().SetWriteDeadline(time.Now())
	})
	v.pinged, v.due = time.Now(), time.NewTimer(pingInterval)
	defer v.due.Stop()
	go v.readAll(cancel)
	cause := run(ctx)
	if !unblock() {
		<-unblocked                // or it could take the goodbye's time
		cause = context.Cause(ctx) // and is why a message could not be sent
	}
	v.close(cause)
	log.Info("feed ended", "reason", cause, "cuts", v.cuts)
}

// viewer is one WebSocket that is being fed. One goroutine writes, one reads.
type viewer struct {
	// set once
	endpoint *Endpoint
	name     string
	conn     *websocket.Conn
	from     signaling.Forwarded // how the client reached the server
	mute     bool                // old clients take no text: they get media only
	hello    chan wishes         // gets what the client asks for
	asked    chan string         // gets what the client's newest ping says
	read     chan struct{}       // closed when nothing is read any more

	// owned by the writing goroutine
	wishes  wishes
	asks    bool // the publisher answers requests for a keyframe
	pinged  time.Time
	due     *time.Timer   // fires when it is time to ping
	armed   time.Time     // when the deadline of writing was set
	broken  bool          // a message was sent in part
	frame   []byte        // the heads of a frame and of a Cluster, used again and again
	parts   [2][]byte     // of a message
	buffers net.Buffers   // the same, while they are being written
	sent    time.Duration // how far the viewer's timeline goes
	zero    time.Duration // its time zero, on the stream's clock
	cuts    int

	// atomic
	over  atomic.Bool   // the session has ended
	bytes atomic.Uint64 // of media that were sent
}

// Silent implements session.Connection. No client takes a viewer's place.
func (v *viewer) Silent() bool { return false }

// Counters implements session.Connection.
func (v *viewer) Counters() session.Counters { return session.Counters{Bytes: v.bytes.Load()} }

// errGone means that the client has closed the socket.
var errGone = errors.New("ws: viewer has gone")

// readAll reads until the client has gone: its hello, and otherwise only signs
// of life.
func (v *viewer) readAll(cancel context.CancelCauseFunc) {
	defer close(v.read)
	defer cancel(errGone)
	v.conn.SetReadLimit(maxWatchText)
	alive := func(string) error { return v.conn.SetReadDeadline(time.Now().Add(idleTimeout)) }
	v.conn.SetPongHandler(alive)
	// The other goroutine answers: this one writes nothing, but the reason why it
	// ends a session whose client breaks the protocol.
	v.conn.SetCloseHandler(func(int, string) error { return nil })
	v.conn.SetPingHandler(func(data string) error {
		select {
		case <-v.asked: // only the newest one needs an answer (RFC 6455 section 5.5.3)
		default:
		}
		v.asked <- data
		return alive("")
	})
	_ = alive("")
	for {
		kind, data, err := v.conn.ReadMessage()
		if err != nil {
			return
		}
		w, ok := readHello(data)
		if kind != websocket.TextMessage || !ok {
			continue // what later versions may say
		}
		select {
		case v.hello <- w:
		default: // it has been said already
		}
	}
}

// watchName feeds the viewer until ctx is done or a message could not be sent, and
// returns why.
func (v *viewer) watchName(ctx context.Context) error {
	late := time.NewTimer(helloWait)
	defer late.Stop()
	select {
	case v.wishes = <-v.hello:
	case <-late.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	poll := time.NewTicker(liveWait)
	defer poll.Stop()
	for told := false; ; {
		f, sub, err := v.endpoint.feeds.join(v.endpoint.config.Hub, v.name, v.wishes.durations)
		switch {
		case err == nil:
			told = true // its end is told, too

			// A MediaRecorder cannot be asked.
			v.asks = sub.Stream().Source == "webrtc"
			err = v.follow(ctx, f)
			v.endpoint.feeds.leave(f, sub)
		case !told:
			told = true
			err = v.sendEvent(event{Type: "waiting"})
		default:
			err = v.ping()
		}
		if err != nil && !errors.Is(err, sfu.ErrNotLive) {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// follow sends one broadcast, from the newest keyframe to its end.
func (v *viewer) follow(ctx context.Context, f *feed) error {
	// Old clients cannot be told that other tracks follow.
	at := position{picture: v.mute, takes: v.wishes.takes, asks: v.asks}
	var begun, away, paused bool
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t := f.ring.next(&at)
		if t.begins && !(begun && v.mute) { // and for them all headers are the same
			begun, paused = true, false
			v.sent = 0
			if err := v.sendHeader(t); err != nil {
				return err
			}
		}
		if t.request {
			f.requestKeyframe(t.newest)
		}
		if begun && t.paused != paused {
			paused = t.paused
			if err := v.sendPaused(paused); err != nil {
				return err
			}
		}
		var err error
		switch {
		case t.some:
			err = v.sendUnit(&t.unit, t.joins)
		case t.refused != 0:
			return refuse(websocket.CloseUnsupportedData, "Unsupported codec",
				"The stream has %v, which this player does not take over a WebSocket. Watch it over WebRTC.", t.refused)
		case t.ended:
			return v.sendEvent(v.ended(f.key.stream))
		case t.away && !away:
			away = true // not before: there may have been units left
			err = v.sendEvent(event{Type: "waiting"})
		default:
			err = v.wait(ctx, t.changed)
		}
		if err != nil {
			return err
		}
		away = away && t.away
		v.cuts = at.cuts
	}
}

// sendPaused tells that the picture stands still, or that it goes on.
func (v *viewer) sendPaused(paused bool) error {
	e := event{Type: "resumed"}
	if paused {
		e.Type = "paused"
	}
	return v.sendEvent(e)
}

// wait waits for something new, and pings meanwhile.
func (v *viewer) wait(ctx context.Context, changed <-chan struct{}) error {
	if err := v.ping(); err != nil {
		return err
	}
	select {
	case <-changed:
	case <-v.due.C:
	case data := <-v.asked:
		return v.control(websocket.PongMessage, data, time.Now())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// ended is the event that tells the end of a broadcast.
func (v *viewer) ended(id string) event {
	e := event{Type: "ended"}
	if find := v.endpoint.config.Recording; find != nil {
		if url, ok := find(id); ok {
			e.Recording = v.from.Prefix + url
		}
	}
	return e
}
