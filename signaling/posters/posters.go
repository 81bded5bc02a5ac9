package posters

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"weir/sfu"
	"weir/sfu/poster"
	"weir/sfu/poster/picture"
	"weir/signaling"
	"weir/signaling/session"
)

// maxAge is how long a client may show a poster without asking for a newer one. Where
// the address tells which one it is (?v=) it does not change.
const (
	maxAge    = "max-age=30"
	unchanged = "max-age=3600, immutable"
)

// file is how the address of a stream's poster ends.
const file = "/poster.jpg"

// Path returns the address of a poster, which is another one for another picture.
func Path(name, version string) string { return "/streams/" + name + file + "?v=" + version }

// Endpoint serves the posters of a hub's streams.
type Endpoint struct {
	Hub      *sfu.Hub
	Gallery  *poster.Gallery
	Sessions *session.Registry
}

// Register adds the routes.
func (e Endpoint) Register(routes *signaling.Routes) {
	routes.Add(signaling.Route{
		Pattern: "/streams/{name...}",
		Methods: map[string]signaling.Action{http.MethodGet: signaling.Watch},
		Target: func(_ *http.Request, i *signaling.Intent) {
			i.Name, _ = strings.CutSuffix(i.Name, file)
		},
		Serve: respond(e.get),
	})
	routes.Add(signaling.Route{
		Pattern: "/session/{id}" + file,
		Methods: map[string]signaling.Action{http.MethodPut: signaling.ChangeSession},
		Target:  func(r *http.Request, i *signaling.Intent) { i.Session = r.PathValue("id") },
		Serve:   respond(e.put),
	})
}

// respond answers with the error, if there is one.
func respond(h func(http.ResponseWriter, *http.Request, signaling.Intent) error) signaling.Handler {
	return func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		if err := h(w, r, i); err != nil {
			signaling.WriteError(w, err)
		}
	}
}

// get answers with the poster of a stream.
func (e Endpoint) get(w http.ResponseWriter, r *http.Request, i signaling.Intent) error {
	if i.Name == r.PathValue("name") {
		return &signaling.Problem{Status: http.StatusNotFound, Title: "No such resource",
			Detail: "Of a stream there is /streams/{name}/poster.jpg. What is known about it is at /api/v1/streams/{name}."}
	}
	if err := sfu.ValidName(i.Name); err != nil {
		return err
	}
	none := &signaling.Problem{Status: http.StatusNotFound, Title: "No poster", RetryAfter: 5,
		Detail: "There is no picture of this stream: it is not live, it has none, or none could be taken yet."}
	info, err := e.Hub.Stream(i.Name)
	if err != nil {
		return none
	}
	p, ok := e.Gallery.Poster(info.ID)
	if !ok {
		return none
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("ETag", `"`+p.Version+`"`)
	h.Set("Cache-Control", maxAge)
	if r.URL.Query().Get("v") == p.Version {
		h.Set("Cache-Control", unchanged)
	}
	http.ServeContent(w, r, "", p.At, bytes.NewReader(p.JPEG))
	return nil
}

// put takes the poster that a publisher has made of its own stream.
func (e Endpoint) put(w http.ResponseWriter, r *http.Request, i signaling.Intent) error {
	s := e.Sessions.Find(i.Session)
	if s == nil || s.About().Role != session.Publisher {
		return &signaling.Problem{Status: http.StatusNotFound, Title: "No such session",
			Detail: "There is no publisher with this session: it may have ended."}
	}
	if t := r.Header.Get("Content-Type"); t != "image/jpeg" {
		return &signaling.Problem{Status: http.StatusUnsupportedMediaType, Title: "Not a JPEG",
			Detail: "Send the poster as image/jpeg."}
	}
	jpeg, err := io.ReadAll(http.MaxBytesReader(w, r.Body, picture.MaxBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return picture.ErrTooLarge
	}
	if err != nil {
		return &signaling.Problem{Status: http.StatusBadRequest, Title: "Incomplete", Detail: "The poster did not come whole. Send it again."}
	}
	if err := e.Gallery.Put(s.About().Name, jpeg); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
