package ws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
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
	// Title and Description, of a hello, are what is said of the stream; nil: as it was.
	Title       *string `json:"title"`
	Description *string `json:"description"`
}

// readText reads a text message. One that is not understood is answered, and does no
// harm: clients may be newer than the server.
func (u *upload) readText(message io.Reader) error {
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
		u.out.send(errorEvent{"error", "Bad message", "A text message must be a JSON object with a type."})
		return nil
	}
	switch c.Type {
	case "hello":
		u.log.Debug("hello", "client", clip(c.ClientID), "machine_bytes", len(c.Machine))
		u.describe(sfu.TextsChange{Title: c.Title, Description: c.Description})
	case "start":
	case "pause", "resume":
		u.pause(c.Type == "pause")
	case "stop":
		return errStopped
	case "bye":
		u.bye = true
	default:
		u.out.send(errorEvent{"error", "Unknown message", fmt.Sprintf("The type %q is not known; it was ignored.", clip(c.Type))})
	}
	return nil
}

// describe changes what is said of the stream. A text that cannot be taken is answered:
// the broadcast goes on without it.
func (u *upload) describe(c sfu.TextsChange) {
	err := u.pub.Describe(c)
	title := "Bad title"
	switch {
	case errors.Is(err, sfu.ErrBadDescription):
		title = "Bad description"
	case !errors.Is(err, sfu.ErrBadTitle):
		return // it is said, or the stream is over
	}
	u.out.send(errorEvent{"error", title, strings.TrimPrefix(err.Error(), "sfu: ") + "."})
}

// clip cuts a client's text to what gets into logs and answers.
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

// eventWriter sends events to an uploading client, and pings. One goroutine, run,
// writes, so that a client that does not read holds up nothing else: it is given up
// after writeTimeout.
type eventWriter struct {
	conn *websocket.Conn
	wake chan struct{} // capacity 1
	mute bool          // no events, for old clients: only pings and the Close frame

	// guarded by mu
	mu       sync.Mutex
	events   []any
	accepted int64  // bytes taken in
	state    string // last status
	closing  bool
	code     int // of the Close frame
	reason   string
}

func newEventWriter(conn *websocket.Conn) *eventWriter {
	return &eventWriter{conn: conn, wake: make(chan struct{}, 1)}
}

// newMuteEventWriter returns an eventWriter for a client that knows no events.
func newMuteEventWriter(conn *websocket.Conn) *eventWriter {
	w := newEventWriter(conn)
	w.mute = true
	return w
}

// send queues an event. When too many wait, it is left out: a client that reads
// is never that far behind.
func (w *eventWriter) send(event any) {
	w.mu.Lock()
	if len(w.events) < maxEvents {
		w.events = append(w.events, event)
	}
	w.mu.Unlock()
	wake(w.wake)
}

// The states in statusEvent.
const (
	statusConnecting = "connecting" // no media have come yet
	statusLive       = "live"
	statusPaused     = "paused"
	statusEnded      = "ended"
)

// setStatus sends a state when it changes.
func (w *eventWriter) setStatus(state string) {
	w.mu.Lock()
	changed := w.state != state
	w.state = state
	w.mu.Unlock()
	if changed {
		w.send(statusEvent{"status", state})
	}
}

// setAccepted sets how many bytes were taken in. It is sent from time to time.
func (w *eventWriter) setAccepted(bytes int64) {
	w.mu.Lock()
	w.accepted = bytes
	w.mu.Unlock()
}

// close makes run send the events that wait, then a Close frame, and return.
func (w *eventWriter) close(code int, reason string) {
	w.mu.Lock()
	w.closing, w.code, w.reason = true, code, reason
	w.mu.Unlock()
	wake(w.wake)
}

// run writes until close was called or writing fails.
func (w *eventWriter) run() error {
	accepted := time.NewTicker(acceptedInterval)
	defer accepted.Stop()
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	reported := int64(0) // bytes
	for {
		report, closing := false, false
		select {
		case <-w.wake:
		case <-accepted.C:
			report = true
		case <-ping.C:
			if err := w.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)); err != nil {
				return err
			}
		}
		w.mu.Lock()
		events, bytes := w.events, w.accepted
		w.events, closing = nil, w.closing
		w.mu.Unlock()
		if (report || closing) && bytes != reported {
			reported = bytes
			events = append([]any{acceptedEvent{"accepted", bytes}}, events...)
		}
		if w.mute {
			events = nil
		}
		for _, e := range events {
			if err := w.writeEvent(e); err != nil {
				return err
			}
		}
		if closing {
			return w.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(w.code, clipReason(w.reason)), time.Now().Add(writeTimeout))
		}
	}
}

func (w *eventWriter) writeEvent(event any) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return w.conn.WriteJSON(event)
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
