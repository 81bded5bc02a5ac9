package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

const (
	// readBuffer is how many bytes of a message are read at a time.
	readBuffer = 32 << 10
	// pausedTimeout is idleTimeout for a paused publisher: a phone in a pocket does
	// not answer pings.
	pausedTimeout = 10 * time.Minute
	// byeTimeout is how long a client that said bye may leave the connection open.
	byeTimeout = 5 * time.Second
	// firstMedia is how long a name may be claimed before there is media.
	firstMedia = time.Minute
	// lingerTime and lingerBytes bound what is read after the end of a session, so
	// that a client which still sends receives the reason. Closing at once would reset
	// the connection and lose it (RFC 6455 section 7.1.1).
	lingerTime  = time.Second
	lingerBytes = 16 << 20
)

// upload is a publisher that sends WebM. It is the Source of its stream.
type upload struct {
	// set once
	conn  *websocket.Conn
	from  signaling.Forwarded // how the client reached the server
	limit int64               // bytes of a message
	log   *slog.Logger
	out   *eventWriter

	// owned by Run
	first  io.Reader // a binary message that has begun before Run, or nil
	pub    *sfu.Publication
	pace   *pacer
	reader *read.Reader
	intake *intake
	texts  *rate.Limiter
	bye    bool // the client is about to close on purpose
	gone   bool // the client has closed, or its connection is broken

	// guarded by mu
	mu       sync.Mutex
	paused   bool
	over     bool // reading is to end: nothing moves the deadline any more
	deadline time.Time

	// atomic
	taken atomic.Int64 // bytes of media
}

// Silent implements session.Connection. A WebSocket that is open is not: its end is
// noticed, and a publisher that has paused sends nothing.
func (u *upload) Silent() bool { return false }

// Counters implements session.Connection.
func (u *upload) Counters() session.Counters { return session.Counters{Bytes: uint64(u.taken.Load())} }

// serve runs the stream and, beside it, the writing of events to the client.
func (u *upload) serve(ctx context.Context, cancel context.CancelCauseFunc, pub *sfu.Publication) error {
	var writing sync.WaitGroup
	writing.Go(func() {
		// When the connection is broken, reading will end too, once all that came is
		// read. A client that only does not read is to be ended.
		if err := u.out.run(); isTimeout(err) {
			cancel(fmt.Errorf("%w: the client does not read", ErrLost))
		}
	})
	err := pub.Run(ctx, u)
	code, text, _ := closeFrameFor(err)
	u.out.setStatus(statusEnded)
	u.out.close(code, text)
	writing.Wait()
	if !u.gone && !errors.Is(err, ErrLost) {
		raw := u.conn.NetConn()
		_ = raw.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, raw, lingerBytes)
	}
	return err
}

// Run implements sfu.Source. All that came is in the hub when it returns.
func (u *upload) Run(ctx context.Context, pub *sfu.Publication) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	u.pub, u.pace = pub, newPacer(pub.Now, maxTracks)
	u.intake = &intake{
		pub: pub, pace: u.pace, out: u.out, log: u.log,
		send: func(track int, f pacedFrame) error { return u.pace.enqueue(ctx, track, f) },
	}
	u.reader = read.NewReader(u.intake, read.Config{FrameDuration: soundDuration})
	defer context.AfterFunc(ctx, u.interrupt)()
	defer time.AfterFunc(firstMedia, func() {
		if !pub.Info().Live {
			cancel(refuse(websocket.ClosePolicyViolation, "No media", "No frame came within %v.", firstMedia))
		}
	}).Stop()
	u.conn.SetPongHandler(func(string) error { u.extendDeadline(); return nil })
	var releasing sync.WaitGroup
	releasing.Go(u.pace.releaseAll)
	err := u.receive(ctx)
	u.intake.ended = true
	if _, refused := errors.AsType[*refusal](err); !refused {
		closed := errors.Join(u.reader.Close(), u.intake.finish())
		if err == nil && u.taken.Load() > 0 && closed != nil {
			err = refuseMedia(closed)
		}
	}
	if _, _, event := closeFrameFor(err); event != nil {
		u.out.send(*event)
	}
	u.pace.end()
	releasing.Wait()
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// interrupt ends a read that waits.
func (u *upload) interrupt() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	_ = u.conn.SetReadDeadline(time.Unix(1, 0))
}

// extendDeadline puts off the end of a connection without a sign of life.
func (u *upload) extendDeadline() {
	u.mu.Lock()
	defer u.mu.Unlock()
	now, timeout := time.Now(), idleTimeout
	switch {
	case u.bye:
		timeout = byeTimeout
	case u.paused:
		timeout = pausedTimeout
	}
	// Moving a deadline costs a system call's worth: not for every read.
	if at := now.Add(timeout); !u.over && at.Sub(u.deadline).Abs() > time.Second {
		u.deadline = at
		_ = u.conn.SetReadDeadline(at)
	}
}

// pause notes whether media is to be expected.
func (u *upload) pause(paused bool) {
	u.mu.Lock()
	u.paused = paused
	u.mu.Unlock()
	switch {
	case paused:
		u.out.setStatus(statusPaused)
	case u.pub.Info().Live:
		u.out.setStatus(statusLive)
	default:
		u.out.setStatus(statusConnecting)
	}
}

// receive reads messages until the client is gone or is to be gone.
func (u *upload) receive(ctx context.Context) error {
	buf := make([]byte, readBuffer)
	for {
		u.extendDeadline()
		kind, message, err := u.nextMessage()
		switch {
		case err != nil:
		case kind == websocket.BinaryMessage:
			err = u.readMedia(message, buf)
		default:
			err = u.readText(message)
		}
		if err == nil {
			continue
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if _, ok := errors.AsType[*refusal](err); ok || errors.Is(err, errStopped) {
			return err
		}
		u.gone = true
		return lostError(err, u.bye)
	}
}

// nextMessage waits for a message.
func (u *upload) nextMessage() (kind int, message io.Reader, err error) {
	if message = u.first; message != nil {
		u.first = nil
		return websocket.BinaryMessage, message, nil
	}
	return u.conn.NextReader()
}

// readMedia reads a binary message of any length. No more than buf is held of it.
func (u *upload) readMedia(message io.Reader, buf []byte) error {
	for length := int64(0); ; {
		n, err := message.Read(buf)
		if length += int64(n); length > u.limit {
			return refuse(websocket.CloseMessageTooBig, "Message too large", "A message may have %d bytes at most.", u.limit)
		}
		if n > 0 {
			taken := u.taken.Add(int64(n))
			if err := u.reader.Push(buf[:n]); err != nil {
				return refuseMedia(err)
			}
			u.out.setAccepted(taken)
			u.extendDeadline()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
