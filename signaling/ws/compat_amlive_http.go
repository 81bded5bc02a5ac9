package ws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"weir/sfu"
	"weir/signaling"
)

const (
	// amLiveInit is how long a request for the first segment waits for it, when
	// the upload has begun, but there is no picture yet.
	amLiveInit = 5 * time.Second
	// amLiveEnd is how long a request for the finished file waits for that. Viewers
	// ask for it the moment that their socket is closed.
	amLiveEnd = 5 * time.Second
)

// amLiveMeta is GET /compat/amlive/w/{id}/meta.webm: the init segment of a live.
func (e *Endpoint) amLiveMeta(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	init, err := e.amLiveSegment(r.Context(), i.Name)
	unsupported, ok := errors.AsType[*signaling.Problem](err)
	switch {
	case ok:
		signaling.WriteError(w, unsupported)
	case errors.Is(err, sfu.ErrNotLive), errors.Is(err, sfu.ErrBadName):
		amLiveMissing(w, "No publisher is live with this id.")
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
	f, sub, err := e.feeds.join(e.config.Hub, name, neverDurations)
	if err != nil {
		return nil, err
	}
	defer e.feeds.leave(f, sub)
	for {
		t := f.ring.next(&position{picture: true})
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
