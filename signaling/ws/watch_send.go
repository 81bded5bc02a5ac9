package ws

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/signaling/session"
)

// event is a message to a viewer: see the package's documentation.
type event struct {
	Type      string `json:"type"`
	MIME      string `json:"mime,omitempty"`
	Recording string `json:"recording,omitempty"`
	Status    int    `json:"status,omitempty"` // of an error, as HTTP would have it
	Title     string `json:"title,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// sendEvent sends an event.
func (v *viewer) sendEvent(e event) error {
	if v.mute {
		return nil
	}
	if err := v.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	v.armed = time.Time{} // the deadline is another one now
	return v.conn.WriteJSON(e)
}

// sendHeader sends what precedes the media of a broadcast.
func (v *viewer) sendHeader(t taken) error {
	if err := v.sendEvent(event{Type: "init", MIME: t.mime}); err != nil {
		return err
	}
	v.frame = append(v.frame[:0], noFrameHead[:]...)
	return v.writeMessage(t.init)
}

// sendUnit sends a unit.
func (v *viewer) sendUnit(u *unit, joins bool) error {
	v.placeUnit(u, joins)
	v.frame = u.appendHead(append(v.frame[:0], noFrameHead[:]...), v.wishes.framing, v.zero, joins)
	return v.writeMessage(u.Blocks)
}

// placeUnit finds a unit's place on the viewer's timeline. One that joins, which is a
// place to start, goes where the timeline ends, whatever was left out: a player
// would stop for ever at a hole.
func (v *viewer) placeUnit(u *unit, joins bool) {
	if joins {
		v.zero = u.Time - v.sent
	}
	v.sent = u.End - v.zero
}

// writeMessage sends one binary message: what lies in v.frame behind the room for the
// frame's head, and a part that is shared by all viewers. It goes past the
// WebSocket's own writer, which makes two frames of a message, with a call to the
// kernel for each, and allocates.
func (v *viewer) writeMessage(shared []byte) error {
	now := time.Now()
	if err := v.pingAt(now); err != nil {
		return err
	}
	if now.Sub(v.armed) > writeTimeout/10 { // one for each message would cost more
		if err := v.conn.NetConn().SetWriteDeadline(now.Add(writeTimeout)); err != nil {
			return err
		}
		v.armed = now
	}
	if v.over.Load() {
		return errGone // its deadline may have been overwritten just now
	}
	start := putFrameHead(v.frame, len(v.frame)-frameHead+len(shared))
	v.parts = [2][]byte{v.frame[start:], shared}
	v.buffers = v.parts[:]
	n, err := v.buffers.WriteTo(v.conn.NetConn())
	v.bytes.Add(uint64(n))
	v.parts = [2][]byte{} // a waiting viewer holds no unit
	v.broken = err != nil
	return err
}

// frameHead is the length of the longest head of a frame that a server sends.
const frameHead = 10

// noFrameHead is the room for it.
var noFrameHead [frameHead]byte

// putFrameHead puts the head of a frame that is one whole binary message (RFC 6455
// section 5.2) at the end of b's first frameHead bytes, and returns where it starts.
func putFrameHead(b []byte, length int) (start int) {
	const final, binaryMessage = 0x80, 2
	switch {
	case length < 126:
		start = frameHead - 2
		b[start+1] = byte(length)
	case length < 1<<16:
		start = frameHead - 4
		b[start+1] = 126
		binary.BigEndian.PutUint16(b[start+2:], uint16(length))
	default:
		start = 0
		b[start+1] = 127
		binary.BigEndian.PutUint64(b[start+2:], uint64(length))
	}
	b[start] = final | binaryMessage
	return start
}

// ping asks the client for a sign of life when it is time to, and answers if it
// has asked for one.
func (v *viewer) ping() error { return v.pingAt(time.Now()) }

func (v *viewer) pingAt(now time.Time) error {
	select {
	case data := <-v.asked:
		if err := v.control(websocket.PongMessage, data, now); err != nil {
			return err
		}
	default:
	}
	if now.Sub(v.pinged) < pingInterval {
		return nil
	}
	v.pinged = now
	v.due.Reset(pingInterval)
	return v.control(websocket.PingMessage, "", now)
}

func (v *viewer) control(kind int, data string, now time.Time) error {
	v.armed = time.Time{} // the deadline is another one then
	return v.conn.WriteControl(kind, []byte(data), now.Add(writeTimeout))
}

// closeWait is how long a close message may take that no caller waits for.
const closeWait = 100 * time.Millisecond

// close says why and closes the socket. It waits for the reading goroutine.
func (v *viewer) close(cause error) {
	defer func() {
		v.conn.Close()
		<-v.read
	}()
	if v.broken {
		return // the client is in the midst of a message
	}
	code, text := websocket.CloseNormalClosure, ""
	if errors.Is(cause, sfu.ErrShutdown) {
		code, text = websocket.CloseServiceRestart, "the server is shutting down"
		_ = v.sendEvent(event{Type: "error", Status: http.StatusServiceUnavailable, Title: "Shutting down", Detail: "The server is about to stop. Try again in 5 s."})
	}
	if errors.Is(cause, session.ErrKicked) {
		code, text = websocket.ClosePolicyViolation, kickedTitle+": "+kickedDetail
		_ = v.sendEvent(event{Type: "error", Status: http.StatusForbidden, Title: kickedTitle, Detail: kickedDetail})
	}
	if refused, ok := errors.AsType[*refusal](cause); ok {
		code, text = refused.code, refused.title
		_ = v.sendEvent(event{Type: "error", Status: http.StatusUnprocessableEntity, Title: refused.title, Detail: refused.detail})
	}
	if !errors.Is(cause, context.Canceled) {
		_ = v.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(closeWait))
	}
}
