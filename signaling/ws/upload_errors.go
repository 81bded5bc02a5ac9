package ws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/sfu"
	"weir/signaling/session"
)

var (
	// ErrLost is the end of a publisher's connection without a farewell: no "bye" or
	// "stop" before, and no Close frame with code 1000. It wraps sfu.ErrLost: the
	// client may come back.
	ErrLost = sfu.LostError("ws: connection lost")
	// errStopped is the end of an upload that its client asked for.
	errStopped = errors.New("ws: stopped by the client")
)

// refusal ends an upload because of what the client sent. The client gets the text.
type refusal struct {
	code   int // of the Close frame (RFC 6455 section 7.4.1)
	title  string
	detail string
	cause  error // may be nil
}

func refuse(code int, title, format string, args ...any) *refusal {
	return &refusal{code: code, title: title, detail: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (r *refusal) Error() string { return "ws: " + r.title + ": " + r.detail }

// Unwrap returns what the refusal is about, if it is about another error.
func (r *refusal) Unwrap() error { return r.cause }

// refuseMedia makes a refusal of an error of the WebM reader or the hub.
func refuseMedia(err error) error {
	if _, ok := errors.AsType[*refusal](err); ok || errors.Is(err, sfu.ErrShutdown) || errors.Is(err, context.Canceled) || errors.Is(err, ErrLost) {
		return err
	}
	text := strings.TrimPrefix(err.Error(), "webm: ")
	title := "Bad media"
	if errors.Is(err, ebml.ErrNotWebM) {
		title = "Not WebM"
		text += ". Send what MediaRecorder makes with a type of video/webm"
	}
	return &refusal{code: websocket.CloseUnsupportedData, title: title, detail: text + ".", cause: err}
}

// lostError makes an error of a failed read from the client: nil if the client closed
// on purpose: with code 1000, or with no code, which is what a page's
// close() sends.
func lostError(err error, bye bool) error {
	switch {
	case bye, websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseNoStatusReceived):
		return nil
	case isTimeout(err):
		return fmt.Errorf("%w: no sign of life", ErrLost)
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// isTimeout reports whether a deadline of the socket passed.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// reason returns why an upload ended, in a few words for the log.
func reason(err error) string {
	switch {
	case err == nil, errors.Is(err, errStopped):
		return "stopped"
	case errors.Is(err, sfu.ErrShutdown):
		return "shutdown"
	case errors.Is(err, session.ErrReplaced):
		return "replaced"
	case errors.Is(err, session.ErrKicked):
		return "kicked"
	}
	return err.Error()
}

// The error to clients of sessions that ended with session.ErrKicked.
const (
	kickedTitle  = "Ended"
	kickedDetail = "The server's operator has ended this session."
)

// closeFrameFor returns the Close frame for the end of an upload, and the event before
// it if there is something to explain.
func closeFrameFor(err error) (code int, text string, event *errorEvent) {
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case ok:
		// A page that only sends reads no event, but the reason of the Close frame.
		return refused.code, refused.title + ": " + refused.detail, &errorEvent{"error", refused.title, refused.detail}
	case err == nil, errors.Is(err, errStopped):
		return websocket.CloseNormalClosure, "", nil
	case errors.Is(err, sfu.ErrShutdown):
		return websocket.CloseGoingAway, "shutting down",
			&errorEvent{"error", "Shutting down", "The server is about to stop. Connect again in some seconds."}
	case errors.Is(err, session.ErrReplaced):
		return websocket.CloseGoingAway, "replaced",
			&errorEvent{"error", "Replaced", "The publisher has come back by another connection."}
	case errors.Is(err, session.ErrKicked):
		return websocket.ClosePolicyViolation, kickedTitle + ": " + kickedDetail, &errorEvent{"error", kickedTitle, kickedDetail}
	case errors.Is(err, ErrLost):
		return websocket.CloseGoingAway, "connection lost", nil
	}
	return websocket.CloseInternalServerErr, "internal error",
		&errorEvent{"error", "Internal error", "The server could not do this. Its log says why."}
}
