package vod

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"weir/recorder"
	"weir/signaling"
)

// stallTimeout is how long a write of a download may block. Each write renews it, so
// that a slow download may last as long as it needs.
const stallTimeout = 30 * time.Second

// posterSuffix is how the address of a recording's picture ends.
const posterSuffix = ".jpg"

// Register adds GET /recordings/{id}.webm, or .mkv, /recordings/{id}.jpg, its picture, and
// /recordings/{id}, which page answers: it is the same pattern to http.ServeMux.
func Register(routes *signaling.Routes, r *recorder.Recorder, page signaling.Handler) {
	routes.Add(signaling.Route{
		Pattern: "/recordings/{file}",
		Methods: map[string]signaling.Action{http.MethodGet: signaling.PlayRecording},
		Target: func(req *http.Request, i *signaling.Intent) {
			file := req.PathValue("file")
			suffix := path.Ext(file)
			i.Recording = strings.TrimSuffix(file, suffix)
			if suffix == "" && i.Action == signaling.PlayRecording {
				i.Action = signaling.ReadPage
			}
		},
		Serve: func(w http.ResponseWriter, req *http.Request, i signaling.Intent) {
			if i.Action == signaling.ReadPage {
				page(w, req, i)
				return
			}
			answer := serve
			if path.Ext(req.PathValue("file")) == posterSuffix {
				answer = servePoster
			}
			if err := answer(w, req, i, r); err != nil {
				signaling.WriteError(w, err)
			}
		},
	})
}

// serve answers with a recording's file. One that is still being recorded is
// served as far as it goes now.
func serve(w http.ResponseWriter, req *http.Request, i signaling.Intent, r *recorder.Recorder) error {
	f, rec, err := r.Open(i.Recording)
	if err != nil {
		return err
	}
	defer f.Close()
	if path.Ext(req.PathValue("file")) != rec.Suffix() {
		return recorder.ErrNotFound
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("vod: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", rec.MIME())
	h.Set("Cache-Control", "no-cache") // revalidate: a file that grows changes its tag
	h.Set("ETag", fmt.Sprintf(`"%s-%x-%x"`, rec.ID, info.Size(), info.ModTime().UnixNano()))
	if req.URL.Query().Has("download") {
		name := strings.ReplaceAll(rec.Stream, "/", "-") + "-" + rec.StartedAt.UTC().Format("20060102-150405") + rec.Suffix()
		h.Set("Content-Disposition", `attachment; filename="`+path.Base(name)+`"`)
	}
	if given := req.Header.Get("Range"); strings.Contains(given, ",") || !strings.HasPrefix(given, "bytes=") {
		// A player asks for one range. Many small ones are a way to make the server
		// work; RFC 9110 section 14.2 allows to ignore them, and demands it for other
		// units.
		req.Header.Del("Range")
	}
	// Bytes that are written from now on are of another entity tag.
	content := io.NewSectionReader(f, 0, info.Size())
	http.ServeContent(&renewing{ResponseWriter: w}, req, "", info.ModTime(), content)
	return nil
}

// servePoster answers with a recording's picture. The address that tells which one it is
// (?v=) is another one for another picture.
func servePoster(w http.ResponseWriter, req *http.Request, i signaling.Intent, r *recorder.Recorder) error {
	f, rec, err := r.OpenPoster(i.Recording)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("vod: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "max-age=30")
	if info.Size() == rec.PosterBytes && req.URL.Query().Get("v") == rec.PosterVersion() {
		h.Set("Cache-Control", "max-age=3600, immutable")
	}
	h.Set("ETag", fmt.Sprintf(`"%s-%x-%x"`, rec.ID, info.Size(), info.ModTime().UnixNano()))
	http.ServeContent(w, req, "", info.ModTime(), f)
	return nil
}

// renewing renews the write deadline with every write.
type renewing struct{ http.ResponseWriter }

// Write implements http.ResponseWriter.
func (w *renewing) Write(b []byte) (int, error) {
	// Without deadlines, as in a test's recorder, there is nothing to renew.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(stallTimeout))
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *renewing) Unwrap() http.ResponseWriter { return w.ResponseWriter }
