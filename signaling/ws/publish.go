package ws

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

// servePublish is GET /ws/publish/{name}.
func (e *Endpoint) servePublish(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	e.publish(w, r, i, "websocket", newEventWriter)
}

// publish makes an upload of a request of a client that speaks wire. The client gets
// its events from what newEventWriter makes.
func (e *Endpoint) publish(w http.ResponseWriter, r *http.Request, i signaling.Intent, wire string, newEventWriter func(*websocket.Conn) *eventWriter) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	texts, err := textsOf(i) // before another session gives way
	if err != nil {
		e.refuseRequest(w, r, i, err)
		return
	}
	e.config.Sessions.Replace(r.Context(), i.Name, i.Replaces)
	pub, err := e.config.Hub.Publish(i.Name, sfu.PublishOptions{Source: string(session.WebSocket), Record: i.Record && e.config.Record, Texts: texts})
	if err != nil {
		e.refuseRequest(w, r, i, err)
		return
	}
	defer pub.Close()
	u := &upload{from: i.From}
	s, err := e.config.Sessions.Begin(session.AboutOf(i, session.WebSocket, wire), u, pub.Done(), cancel)
	if err != nil {
		e.refuseRequest(w, r, i, err)
		return
	}
	defer s.Close()
	conn, err := e.upgrade(w, r)
	if err != nil {
		e.config.Log.Info("session refused", "stream", i.Name, "path", r.URL.Path, "reason", err)
		return
	}
	defer conn.Close()
	u.conn, u.out = conn, newEventWriter(conn)
	e.runUpload(ctx, cancel, pub, s.ID(), u)
}

// textsOf returns what the request of a publisher says of its stream.
func textsOf(i signaling.Intent) (sfu.Texts, error) {
	return sfu.Texts{Title: i.Title, Description: i.Description}.Clean()
}

// runUpload runs an upload from its start to its end. id is its session's.
func (e *Endpoint) runUpload(ctx context.Context, cancel context.CancelCauseFunc, pub *sfu.Publication, id string, u *upload) {
	info := pub.Info()
	u.limit, u.texts = e.config.MaxMessage, rate.NewLimiter(textRate, textBurst)
	u.log = e.config.Log.With("stream", info.Name, "session", session.LogID(id))
	u.log.Info("publisher connected", "record", info.Record)
	u.out.send(sessionEvent{"session", id, info.Name, u.from.Prefix + "/watch/" + info.Name})
	u.out.setStatus(statusConnecting)
	err := u.serve(ctx, cancel, pub)
	info = pub.Info()
	attributes := []any{"reason", reason(err), "duration_ms", time.Since(info.StartedAt).Milliseconds(), "had_media", info.Live, "bytes", u.taken.Load()}
	if u.intake != nil {
		attributes = append(attributes, "damaged", u.intake.damaged, "hurried", u.pace.hurried)
	}
	u.log.Info("publisher gone", attributes...)
}

// refuseRequest answers a request that is not upgraded.
func (e *Endpoint) refuseRequest(w http.ResponseWriter, r *http.Request, i signaling.Intent, err error) {
	status := signaling.WriteError(w, err)
	e.config.Log.Info("session refused", "stream", i.Name, "path", r.URL.Path, "status", status, "reason", err)
}
