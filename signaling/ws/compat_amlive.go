package ws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

const (
	// amLivePath is below which clients of amLive are served, amLiveStreams below
	// which their streams are named.
	amLivePath    = "/compat/amlive/"
	amLiveStreams = "amlive/"
	// amLiveFirst is how long a client may be connected without a first message. The old
	// page connects before the user has allowed the camera.
	amLiveFirst = 10 * time.Minute
)

// wireAmLive names what these clients speak.
const wireAmLive = "amlive"

// registerAmLive adds what clients of amLive speak. Publishers and viewers open
// the same WebSocket and get a new stream's id as its first and only text:
//
//   - A publisher sends MediaRecorder's bytes. Its first bytes claim the name
//     amlive/{id}, not its connection: most clients are viewers.
//   - A viewer sends {"join": id} and gets an init segment, then Clusters. Its socket
//     is closed if no publisher is live with that id, and at the end of the live.
//
// Over HTTP there are the first segment, the finished file, and the page.
func (e *Endpoint) registerAmLive(routes *signaling.Routes) {
	serve := func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		e.serveAmLive(w, r, i, routes.Authorize)
	}
	routes.Add(socketRoute(amLivePath+"{$}", signaling.Connect, serve))
	routes.Add(socketRoute(amLivePath+"ws", signaling.Connect, serve))
	below := func(pattern string, a signaling.Action, h signaling.Handler) {
		route := getRoute(amLivePath+"w/"+pattern, a, h)
		route.Target = func(r *http.Request, i *signaling.Intent) {
			id, _ := strings.CutSuffix(r.PathValue("file"), ".webm")
			i.Name = amLiveStreams + r.PathValue("id") + id
		}
		routes.Add(route)
	}
	below("{id}/meta.webm", signaling.Watch, e.amLiveMeta)
	below("{file}", signaling.ReadRecording, e.amLiveFile)
	below("{id}/{$}", signaling.ReadPage, amLivePage)
}

// serveAmLive is the WebSocket of publishers and viewers. The intent of its first message
// needs authorize's consent.
func (e *Endpoint) serveAmLive(w http.ResponseWriter, r *http.Request, i signaling.Intent, authorize func(*http.Request, signaling.Intent) error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	s, err := e.config.Sessions.Begin(session.AboutOf(i, session.WebSocket, wireAmLive), nil, nil, cancel)
	if err != nil {
		e.refuseRequest(w, r, i, err)
		return
	}
	defer s.Close()
	conn, err := e.upgrade(w, r)
	if err != nil {
		return
	}
	defer conn.Close()
	id := rand.Text() // not the session's: viewers get to know it
	first, join, err := amLiveHello(ctx, conn, id)
	if err == nil {
		i = i.As(signaling.Publish, amLiveStreams+id)
		if first == nil {
			i = i.As(signaling.Watch, amLiveStreams+join)
		}
		err = authorize(r, i)
	}
	switch {
	case err != nil:
	case first != nil:
		err = e.amLivePublish(ctx, cancel, i, s, conn, first)
	default:
		err = e.amLiveWatch(ctx, cancel, i, s, conn)
	}
	if err == nil {
		return // the client has got its Close frame
	}
	e.config.Log.Info("session refused", "path", r.URL.Path, "reason", err)
	code, text := websocket.ClosePolicyViolation, err.Error()
	if cause := context.Cause(ctx); cause != nil { // it is why nothing more could be read
		code, text, _ = closeFrameFor(cause)
	} else if errors.Is(err, sfu.ErrShutdown) {
		code, text, _ = closeFrameFor(err)
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, clipReason(text)), time.Now().Add(closeWait))
}

// amLiveHello sends a client its id and waits for its first message: a publisher's,
// which has only begun, or the name of the stream that a viewer wants to join.
func amLiveHello(ctx context.Context, conn *websocket.Conn, id string) (first io.Reader, join string, err error) {
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(id)); err != nil {
		return nil, "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(amLiveFirst))
	// Later reads have an interruption of their own.
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	kind, message, err := conn.NextReader()
	if err != nil {
		return nil, "", err
	}
	if kind == websocket.BinaryMessage {
		return message, "", nil
	}
	raw, err := io.ReadAll(io.LimitReader(message, maxWatchText))
	if err != nil {
		return nil, "", err
	}
	var wish struct{ Join string }
	if json.Unmarshal(raw, &wish) != nil || wish.Join == "" {
		return nil, "", errors.New(`ws: send media, or {"join": id}`)
	}
	return nil, wish.Join, nil
}

// amLivePublish runs an upload whose first message has begun.
func (e *Endpoint) amLivePublish(ctx context.Context, cancel context.CancelCauseFunc, i signaling.Intent, s *session.Session, conn *websocket.Conn, first io.Reader) error {
	pub, err := e.config.Hub.Publish(i.Name, sfu.PublishOptions{
		Source: string(session.WebSocket), Record: i.Record && e.config.Record, NoGrace: true, // no client can come back with this name
		Texts: sfu.Texts{Title: i.Title, Description: i.Description},
	})
	if err != nil {
		return err
	}
	defer pub.Close()
	over := make(chan struct{})
	e.amLives.Store(i.Name, over)
	defer func() {
		e.amLives.Delete(i.Name)
		close(over)
	}()
	u := &upload{conn: conn, out: newMuteEventWriter(conn), first: first}
	s.Decide(session.Publisher, i.Name, u)
	e.runUpload(ctx, cancel, pub, s.ID(), u)
	return nil
}

// amLiveWatch feeds a viewer to the end of the live.
func (e *Endpoint) amLiveWatch(ctx context.Context, cancel context.CancelCauseFunc, i signaling.Intent, s *session.Session, conn *websocket.Conn) error {
	f, sub, err := e.feeds.join(e.config.Hub, i.Name, neverDurations)
	if err != nil {
		return err
	}
	v := e.newViewer(i.Name)
	v.conn, v.mute = conn, true
	s.Decide(session.Viewer, i.Name, v)
	v.serve(ctx, cancel, i.Remote, func(ctx context.Context) error {
		defer e.feeds.leave(f, sub)
		return v.follow(ctx, f)
	})
	return nil
}
