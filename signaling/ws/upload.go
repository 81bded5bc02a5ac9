package ws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm"
	"weir/sfu"
	"weir/signaling"
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
	// that a client which still sends gets to read why. Closing at once would reset
	// the connection and lose that (RFC 6455 section 7.1.1).
	lingerTime  = time.Second
	lingerBytes = 16 << 20
)

// upload is a publisher that sends WebM. It is the Source of its stream.
type upload struct {
	// set once
	conn  *websocket.Conn
	limit int64 // bytes of a message
	log   *slog.Logger
	out   *outbox

	// owned by Run
	pub    *sfu.Publication
	pace   *pacer
	reader *webm.Reader
	intake *intake
	taken  int64 // bytes of media
	texts  bucket
	bye    bool // the client is about to close on purpose
	gone   bool // the client has closed, or its connection is broken

	// guarded by mu
	mu       sync.Mutex
	paused   bool
	over     bool // reading is to end: nothing moves the deadline any more
	deadline time.Time
}

// servePublish is GET /ws/publish/{name}.
func (e *Endpoint) servePublish(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	name := r.PathValue("name")
	done, ok := e.begin(cancel)
	if !ok {
		e.refused(w, r, sfu.ErrShutdown)
		return
	}
	defer done()
	record := e.config.Record && r.URL.Query().Get("record") != "false"
	pub, err := e.config.Hub.Publish(name, sfu.PublishOptions{Source: "websocket", Record: record})
	if err != nil {
		e.refused(w, r, err)
		return
	}
	defer pub.Close()
	conn, err := e.upgrade(w, r)
	if err != nil {
		e.config.Log.Info("session refused", "stream", name, "path", r.URL.Path, "reason", err)
		return
	}
	defer conn.Close()
	id := rand.Text()
	log := e.config.Log.With("stream", name, "session", id)
	log.Info("publisher connected", "record", record)
	u := &upload{conn: conn, limit: e.config.MaxMessage, log: log, out: newOutbox(conn), texts: newBucket(time.Now())}
	u.out.say(sessionEvent{"session", id, name, "/watch/" + name})
	u.out.status(string(sfu.Connecting))
	err = u.serve(ctx, cancel, pub)
	i := pub.Info()
	attributes := []any{"reason", reason(err), "duration_ms", time.Since(i.StartedAt).Milliseconds(), "had_media", i.Live, "bytes", u.taken}
	if u.intake != nil {
		attributes = append(attributes, "damaged", u.intake.damaged, "hurried", u.pace.hurried)
	}
	log.Info("publisher gone", attributes...)
}

// refused answers a request that is not upgraded.
func (e *Endpoint) refused(w http.ResponseWriter, r *http.Request, err error) {
	status := signaling.WriteError(w, err)
	e.config.Log.Info("session refused", "stream", r.PathValue("name"), "path", r.URL.Path, "status", status, "reason", err)
}

// serve runs the stream and, beside it, what is told to the client.
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
	code, text, _ := farewell(err)
	u.out.status(string(sfu.Ended))
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
	u.pub, u.pace = pub, newPacer(pub.Now)
	u.intake = &intake{
		pub: pub, pace: u.pace, out: u.out, log: u.log,
		put: func(f pacedFrame) error { return u.pace.put(ctx, f) },
	}
	u.reader = webm.NewReader(u.intake, webm.ReaderConfig{FrameDuration: soundDuration})
	defer context.AfterFunc(ctx, u.interrupt)()
	defer time.AfterFunc(firstMedia, func() {
		if !pub.Info().Live {
			cancel(refuse(websocket.ClosePolicyViolation, "No media", "No frame came within %v.", firstMedia))
		}
	}).Stop()
	u.conn.SetPongHandler(func(string) error { u.alive(); return nil })
	var releasing sync.WaitGroup
	releasing.Go(u.pace.run)
	err := u.receive(ctx)
	if closed := u.reader.Close(); err == nil && u.taken > 0 && closed != nil {
		err = refuseMedia(closed)
	}
	if _, _, event := farewell(err); event != nil {
		u.out.say(*event)
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

// alive puts off the end of a connection without a sign of life.
func (u *upload) alive() {
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
		u.out.status("paused")
	case u.pub.Info().Live:
		u.out.status(string(sfu.Live))
	default:
		u.out.status(string(sfu.Connecting))
	}
}

// receive reads messages until the client is gone or is to be gone.
func (u *upload) receive(ctx context.Context) error {
	buf := make([]byte, readBuffer)
	for {
		u.alive()
		kind, message, err := u.conn.NextReader()
		switch {
		case err != nil:
		case kind == websocket.BinaryMessage:
			err = u.media(message, buf)
		default:
			err = u.text(message)
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
		return lost(err, u.bye)
	}
}

// media reads a binary message, which may be as long as it likes: no more than
// buf is held of it.
func (u *upload) media(message io.Reader, buf []byte) error {
	for length := int64(0); ; {
		n, err := message.Read(buf)
		if length += int64(n); length > u.limit {
			return refuse(websocket.CloseMessageTooBig, "Message too large", "A message may have %d bytes at most.", u.limit)
		}
		if n > 0 {
			u.taken += int64(n)
			if err := u.reader.Push(buf[:n]); err != nil {
				return refuseMedia(err)
			}
			u.out.accept(u.taken)
			u.alive()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// text reads a text message. One that is not understood is answered, and does no
// harm: clients may be newer than the server.
func (u *upload) text(message io.Reader) error {
	if !u.texts.take(time.Now()) {
		return refuse(websocket.ClosePolicyViolation, "Too many messages", "A client may send %d text messages a second.", textRate)
	}
	raw, err := io.ReadAll(io.LimitReader(message, maxText+1))
	if err != nil {
		return err
	}
	if len(raw) > maxText {
		return refuse(websocket.CloseMessageTooBig, "Message too large", "A text message may have %d bytes at most.", maxText)
	}
	var c command
	if err := json.Unmarshal(raw, &c); err != nil {
		u.out.say(errorEvent{"error", "Bad message", "A text message must be a JSON object with a type."})
		return nil
	}
	switch c.Type {
	case "hello":
		u.log.Debug("hello", "client", clip(c.ClientID), "machine_bytes", len(c.Machine))
	case "start":
	case "pause", "resume":
		u.pause(c.Type == "pause")
	case "stop":
		return errStopped
	case "bye":
		u.bye = true
	default:
		u.out.say(errorEvent{"error", "Unknown message", fmt.Sprintf("The type %q is not known; it was ignored.", clip(c.Type))})
	}
	return nil
}

// clip bounds what of a client's text gets into logs and answers.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
