package ws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	// amLiveFirst is how long a client may be connected before it says what it
	// is. The old page connects before the user has allowed the camera.
	amLiveFirst = 10 * time.Minute
	// amLiveInit is how long a request for the first segment waits for it, when
	// the upload has begun, but there is no picture yet.
	amLiveInit = 5 * time.Second
	// amLiveEnd is how long a request for the finished file waits for that. Viewers
	// ask for it the moment that their socket is closed.
	amLiveEnd = 5 * time.Second
)

// wireAmLive names what these clients speak.
const wireAmLive = "amlive"

// registerAmLive adds what clients of amLive speak. Publishers and viewers open
// the same WebSocket and get a new stream's id as its first and only text:
//
//   - A publisher sends MediaRecorder's bytes. Its first bytes claim the name
//     amlive/{id}, not its connection: most who connect are viewers.
//   - A viewer sends {"join": id} and gets an init segment, then Clusters. Its
//     socket is closed if nobody is live with that id, and at the end of the live.
//
// Over HTTP there are the first segment, the finished file, and the page.
func (e *Endpoint) registerAmLive(routes *signaling.Routes) {
	serve := func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		e.serveAmLive(w, r, i, routes.Authorize)
	}
	routes.Add(socket(amLivePath+"{$}", signaling.Connect, serve))
	routes.Add(socket(amLivePath+"ws", signaling.Connect, serve))
	below := func(pattern string, a signaling.Action, h signaling.Handler) {
		route := get(amLivePath+"w/"+pattern, a, h)
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

// serveAmLive is the WebSocket of publishers and viewers. What its first message asks
// for is asked about with authorize.
func (e *Endpoint) serveAmLive(w http.ResponseWriter, r *http.Request, i signaling.Intent, authorize func(*http.Request, signaling.Intent) error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	s, err := e.config.Sessions.Begin(session.AboutOf(i, session.WebSocket, wireAmLive), nil, nil, cancel)
	if err != nil {
		e.refuse(w, r, i, err)
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
		return // it has said goodbye
	}
	e.config.Log.Info("session refused", "path", r.URL.Path, "reason", err)
	code, text := websocket.ClosePolicyViolation, err.Error()
	if cause := context.Cause(ctx); cause != nil { // it is why nothing more could be read
		code, text, _ = farewell(cause)
	} else if errors.Is(err, sfu.ErrShutdown) {
		code, text, _ = farewell(err)
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, clipReason(text)), time.Now().Add(closeWait))
}

// amLiveHello tells a client its id and waits for what it is: a publisher has
// begun its first message, or a viewer wants to join a stream.
func amLiveHello(ctx context.Context, conn *websocket.Conn, id string) (first io.Reader, join string, err error) {
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(id)); err != nil {
		return nil, "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(amLiveFirst))
	// What reads on has its own way to be interrupted.
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

// amLivePublish takes an upload whose first message has begun.
func (e *Endpoint) amLivePublish(ctx context.Context, cancel context.CancelCauseFunc, i signaling.Intent, s *session.Session, conn *websocket.Conn, first io.Reader) error {
	pub, err := e.config.Hub.Publish(i.Name, sfu.PublishOptions{
		Source: string(session.WebSocket), Record: i.Record && e.config.Record, NoGrace: true, // nobody can come back with this name
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
	u := &upload{conn: conn, out: newMuteOutbox(conn), first: first}
	s.Decide(session.Publisher, i.Name, u)
	e.runUpload(ctx, cancel, pub, s.ID(), u)
	return nil
}

// amLiveWatch feeds a viewer to the end of the live.
func (e *Endpoint) amLiveWatch(ctx context.Context, cancel context.CancelCauseFunc, i signaling.Intent, s *session.Session, conn *websocket.Conn) error {
	f, sub, err := e.feeds.join(e.config.Hub, i.Name)
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

// amLiveMeta is GET /compat/amlive/w/{id}/meta.webm: the init segment of a live.
func (e *Endpoint) amLiveMeta(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	init, err := e.amLiveSegment(r.Context(), i.Name)
	unsupported, ok := errors.AsType[*signaling.Problem](err)
	switch {
	case ok:
		signaling.WriteError(w, unsupported)
	case errors.Is(err, sfu.ErrNotLive), errors.Is(err, sfu.ErrBadName):
		amLiveMissing(w, "Nobody is live with this id.")
	case err != nil:
		signaling.WriteError(w, &signaling.Problem{Status: http.StatusServiceUnavailable, Title: "No picture yet", RetryAfter: 1,
			Detail: "The live has begun, but there is no first segment yet. Try again after the time in Retry-After."})
	default:
		w.Header().Set("Content-Type", "video/webm")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Length", fmt.Sprint(len(init)))
		_, _ = w.Write(init) // the client may have gone
	}
}

// amLiveSegment waits for the init segment of a stream.
func (e *Endpoint) amLiveSegment(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, amLiveInit)
	defer cancel()
	f, sub, err := e.feeds.join(e.config.Hub, name)
	if err != nil {
		return nil, err
	}
	defer e.feeds.leave(f, sub)
	for {
		t := f.ring.take(&position{picture: true})
		switch {
		case t.refused != 0:
			return nil, &signaling.Problem{Status: http.StatusUnsupportedMediaType, Title: "Unsupported codec",
				Detail: fmt.Sprintf("The live has %v, which is not for WebM. Watch it over WebRTC.", t.refused)}
		case t.init != nil:
			return t.init, nil
		case t.ended:
			return nil, sfu.ErrNotLive
		}
		select {
		case <-t.changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// amLiveFile is GET /compat/amlive/w/{id}.webm: the recording, when the live is
// over.
func (e *Endpoint) amLiveFile(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	name := i.Name
	if !strings.HasSuffix(r.PathValue("file"), ".webm") || sfu.ValidName(name) != nil {
		amLiveMissing(w, "The recording of a live is {id}.webm.")
		return
	}
	if _, err := e.config.Hub.Stream(name); err == nil {
		amLiveMissing(w, "It is still live: the recording is there when it is over.")
		return
	}
	if over, ok := e.amLives.Load(name); ok {
		late := time.NewTimer(amLiveEnd)
		defer late.Stop()
		select {
		case <-over.(chan struct{}):
		case <-late.C:
		case <-r.Context().Done():
		}
	}
	if find := e.config.RecordingOf; find != nil {
		if url, ok := find(name); ok {
			amLiveRedirect(w, url)
			return
		}
	}
	amLiveMissing(w, "There is no recording with this id.")
}

// amLivePage is GET /compat/amlive/w/{id}/: the page for viewers.
func amLivePage(w http.ResponseWriter, _ *http.Request, i signaling.Intent) {
	if err := sfu.ValidName(i.Name); err != nil {
		signaling.WriteError(w, err)
		return
	}
	amLiveRedirect(w, "/watch/"+i.Name)
}

// amLiveRedirect sends the client elsewhere for now: what is at an old URL
// changes when the live ends.
func amLiveRedirect(w http.ResponseWriter, url string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", url)
	w.WriteHeader(http.StatusFound)
}

func amLiveMissing(w http.ResponseWriter, detail string) {
	signaling.WriteError(w, &signaling.Problem{Status: http.StatusNotFound, Title: "Not found", Detail: detail})
}
