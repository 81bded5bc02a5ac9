package ws

import (
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm"
	"weir/sfu"
)

// event is a message to a viewer: see the package's documentation.
type event struct {
	Type      string `json:"type"`
	MIME      string `json:"mime,omitempty"`
	Recording string `json:"recording,omitempty"`
	Title     string `json:"title,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// tell sends an event.
func (v *viewer) tell(e event) error {
	if v.mute {
		return nil
	}
	if err := v.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return v.conn.WriteJSON(e)
}

// begin sends what precedes the media of a broadcast.
func (v *viewer) begin(t taken) error {
	if err := v.tell(event{Type: "init", MIME: t.mime}); err != nil {
		return err
	}
	return v.write(nil, t.init)
}

// send sends a unit.
func (v *viewer) send(u *webm.Unit, joins bool) error {
	v.place(u, joins)
	v.head = u.AppendHead(v.head[:0], v.framing, v.zero, joins)
	return v.write(v.head, u.Blocks)
}

// place finds a unit's place on the viewer's timeline. One that joins, which is a
// place to start, goes where the timeline ends, whatever was left out: a player
// would stop for ever at a hole.
func (v *viewer) place(u *webm.Unit, joins bool) {
	if joins {
		v.zero = u.Time - v.sent
	}
	v.sent = u.End - v.zero
}

// write sends one binary message made of two parts. The shared part is not
// copied, if it is larger than the socket's buffer.
func (v *viewer) write(head, shared []byte) error {
	if err := v.ping(); err != nil {
		return err
	}
	if err := v.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	w, err := v.conn.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := w.Write(shared); err != nil {
		return err
	}
	return w.Close()
}

// ping asks the client for a sign of life when it is time to.
func (v *viewer) ping() error {
	now := time.Now()
	if now.Sub(v.pinged) < pingInterval {
		return nil
	}
	v.pinged = now
	return v.conn.WriteControl(websocket.PingMessage, nil, now.Add(writeTimeout))
}

// closeWait is how long a close message may take that nobody waits for.
const closeWait = 100 * time.Millisecond

// close says why and closes the socket. It waits for the reading goroutine.
func (v *viewer) close(cause error) {
	code, text := websocket.CloseNormalClosure, ""
	if errors.Is(cause, sfu.ErrShutdown) {
		code, text = websocket.CloseServiceRestart, "the server is shutting down"
		_ = v.tell(event{Type: "error", Title: "Shutting down", Detail: "The server is about to stop. Try again in 5 s."})
	}
	if !errors.Is(cause, context.Canceled) {
		_ = v.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(closeWait))
	}
	v.conn.Close()
	<-v.read
}
