package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"weir/recorder"
	"weir/signaling"
	"weir/web"
)

// servePage answers with a page, whose head tells what whoever asks may know.
func (a *app) servePage(page web.Page) signaling.Handler {
	return func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		page(w, r, func(s web.Subject) web.Head {
			head := web.Head{}
			switch {
			case s.Stream != "":
				head = a.streamHead(r, i, s.Stream)
			case s.Recording != "":
				head = a.recordingHead(r, i, s.Recording)
			}
			head.Origin = i.From.Origin()
			return head
		})
	}
}

// streamHead is the head of a stream's page. That somebody may see the page does not
// mean that they may know of the stream: the name they know already.
func (a *app) streamHead(r *http.Request, i signaling.Intent, name string) web.Head {
	head := web.Head{Title: name}
	if a.routes.Authorize(r, i.As(signaling.ReadStream, name)) != nil {
		return head
	}
	stream, err := a.hub.Stream(name)
	if err != nil {
		return head // there is none now
	}
	head = web.Head{Title: cmp.Or(stream.Title, name), Description: cmp.Or(stream.Description, "A broadcast of "+name+".")}
	if path, ok := a.posterPath(stream); ok && a.routes.Authorize(r, i.As(signaling.Watch, name)) == nil {
		head.Image = path
	}
	return head
}

// recordingHead is the head of a recording's page. Who may not read what is known about
// recordings is not told either whether there is one.
func (a *app) recordingHead(r *http.Request, i signaling.Intent, id string) web.Head {
	asked := i.As(signaling.ReadRecording, "")
	asked.Recording = id
	if a.routes.Authorize(r, asked) != nil {
		return web.Head{}
	}
	rec, err := a.recorder.Recording(id)
	if err != nil {
		return web.Head{Unknown: errors.Is(err, recorder.ErrNotFound)}
	}
	head := web.Head{Title: cmp.Or(rec.Title, rec.Stream), Description: cmp.Or(rec.Description, recorded(rec))}
	asked.Action = signaling.PlayRecording
	if a.routes.Authorize(r, asked) == nil {
		head.Image = rec.PosterPath()
	}
	return head
}

// recorded tells when a recording was made, and how long it is.
func recorded(rec recorder.Recording) string {
	text := "Recorded on " + rec.StartedAt.UTC().Format("2 January 2006")
	if d := time.Duration(rec.DurationMS) * time.Millisecond; d >= time.Second {
		text += ", " + length(d)
	}
	return text + "."
}

// length is a duration as clocks show it: 1:05, from an hour on 1:01:05.
func length(d time.Duration) string {
	seconds := int64(d / time.Second)
	if seconds < 3600 {
		return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}
