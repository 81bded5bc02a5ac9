package ws

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// acceptedInterval is the least time between two "accepted" events.
	acceptedInterval = 250 * time.Millisecond
	// maxEvents is how many events may wait for a client.
	maxEvents = 32
	// textRate is how many text messages a second a client may send, textBurst how
	// many at once.
	textRate  = 200
	textBurst = 100
)

// command is a text message of an uploading client.
type command struct {
	Type     string          `json:"type"`
	ClientID string          `json:"client_id"`
	Machine  json.RawMessage `json:"machine"`
}

// text reads a text message. One that is not understood is answered, and does no
// harm: clients may be newer than the server.
func (u *upload) text(message io.Reader) error {
	if !u.texts.Allow() {
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

// Events to an uploading client. See doc.go for when they are sent.
type (
	sessionEvent struct {
		Type  string `json:"type"`
		ID    string `json:"id"`
		Name  string `json:"name"`
		Watch string `json:"watch"`
	}
	acceptedEvent struct {
		Type  string `json:"type"`
		Bytes int64  `json:"bytes"`
	}
	statusEvent struct {
		Type  string `json:"type"`
		State string `json:"state"`
	}
	errorEvent struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
)

// outbox sends events to an uploading client, and pings. One goroutine, run,
// writes, so that a client that does not read holds up nobody: it is given up
// after writeTimeout.
type outbox struct {
	conn *websocket.Conn
	wake chan struct{} // capacity 1
	mute bool          // old clients take no text: only pings and the Close frame are sent

	// guarded by mu
	mu       sync.Mutex
	events   []any
	accepted int64  // bytes taken in
	state    string // last status
	closing  bool
	code     int // of the Close frame
	reason   string
}

func newOutbox(conn *websocket.Conn) *outbox {
	return &outbox{conn: conn, wake: make(chan struct{}, 1)}
}

// newMuteOutbox returns an outbox for a client that knows no events.
func newMuteOutbox(conn *websocket.Conn) *outbox {
	o := newOutbox(conn)
	o.mute = true
	return o
}

// say queues an event. When too many wait, it is left out: a client that reads
// is never that far behind.
func (o *outbox) say(event any) {
	o.mu.Lock()
	if len(o.events) < maxEvents {
		o.events = append(o.events, event)
	}
	o.mu.Unlock()
	wake(o.wake)
}

// The states that a publisher is told, as they are on the wire.
const (
	statusConnecting = "connecting" // no media have come yet
	statusLive       = "live"
	statusPaused     = "paused"
	statusEnded      = "ended"
)

// status tells a state when it changes.
func (o *outbox) status(state string) {
	o.mu.Lock()
	changed := o.state != state
	o.state = state
	o.mu.Unlock()
	if changed {
		o.say(statusEvent{"status", state})
	}
}

// accept notes how many bytes were taken in.
func (o *outbox) accept(bytes int64) {
	o.mu.Lock()
	o.accepted = bytes
	o.mu.Unlock()
}

// close has run send what waits, then a Close frame, and return.
func (o *outbox) close(code int, reason string) {
	o.mu.Lock()
	o.closing, o.code, o.reason = true, code, reason
	o.mu.Unlock()
	wake(o.wake)
}

// run writes until close was called or writing fails.
func (o *outbox) run() error {
	accepted := time.NewTicker(acceptedInterval)
	defer accepted.Stop()
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	told := int64(0)
	for {
		tell, closing := false, false
		select {
		case <-o.wake:
		case <-accepted.C:
			tell = true
		case <-ping.C:
			if err := o.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)); err != nil {
				return err
			}
		}
		o.mu.Lock()
		events, bytes := o.events, o.accepted
		o.events, closing = nil, o.closing
		o.mu.Unlock()
		if (tell || closing) && bytes != told {
			told = bytes
			events = append([]any{acceptedEvent{"accepted", bytes}}, events...)
		}
		if o.mute {
			events = nil
		}
		for _, e := range events {
			if err := o.write(e); err != nil {
				return err
			}
		}
		if closing {
			return o.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(o.code, clipReason(o.reason)), time.Now().Add(writeTimeout))
		}
	}
}

func (o *outbox) write(event any) error {
	if err := o.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return o.conn.WriteJSON(event)
}

// clipReason cuts the text of a Close frame to what fits in one (RFC 6455 section
// 5.5: 125 bytes with the code). It is ASCII, so that no character is cut.
func clipReason(s string) string {
	const most = 123
	if len(s) > most {
		return s[:most-3] + "..."
	}
	return s
}
