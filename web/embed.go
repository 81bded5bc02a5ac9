package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// contentTypes is fixed here instead of asking package mime, whose answers
// depend on the tables of the machine; browsers refuse a module script whose
// type is wrong.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".ts":   "application/typescript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// streamName is the rule for names: 1 to 4 segments, none starting with a dot.
var streamName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){0,3}$`)

// maxDepth bounds how much a page grows by its path.
const maxDepth = 32

// A file is one embedded file as it goes out.
type file struct {
	body []byte
	kind string
	etag string
}

// rootRef is how a page refers to something of the server's.
var rootRef = []byte(`="/`)

// at returns a page as it goes out at a path. The page refers to the server's root;
// what goes out says how to get there from that path, since only the browser knows
// what a proxy has put in front of it.
func (f file) at(path string) file {
	up := "./"
	if depth := strings.Count(path, "/") - 1; depth > 0 {
		up = strings.Repeat("../", depth)
	}
	return newFile(bytes.ReplaceAll(f.body, rootRef, []byte(`="`+up)), f.kind)
}

func newFile(body []byte, kind string) file {
	sum := sha256.Sum256(body)
	return file{body: body, kind: kind, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}
}

// site is the set of embedded files by their path below static/.
type site map[string]file

// Handler serves the pages and, under /static/, their assets.
func Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range Routes() {
		mux.Handle(pattern, h)
	}
	return mux
}

// Routes returns what Handler is made of, by patterns of http.ServeMux. That of "/"
// answers with the 404 page: it is for what no other route takes.
func Routes() map[string]http.HandlerFunc {
	s := load(static)
	s.addPages(pageFiles)
	routes := map[string]http.HandlerFunc{
		"/{$}":        s.page("home.html"),
		"/publish":    s.page("publish.html"),
		"/recordings": s.page("recordings.html"),
		"/watch/{name...}": func(w http.ResponseWriter, r *http.Request) {
			if !streamName.MatchString(r.PathValue("name")) {
				s.notFound(w, r)
				return
			}
			s.page("watch.html")(w, r)
		},
		"/static/{path...}": s.asset,
		"/":                 s.notFound,
	}
	for _, page := range []string{"publish", "recordings"} {
		routes["/"+page+"/{$}"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "../"+page) // right below any path
			w.WriteHeader(http.StatusPermanentRedirect)
		}
	}
	return routes
}

// asset serves what lies below /static/.
func (s site) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	f, ok := s[name]
	if !ok || isPage(name) {
		s.notFound(w, r)
		return
	}
	if strings.HasPrefix(name, "client/") {
		// The library may be imported by pages of other origins.
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	s.serve(w, r, f)
}

// load reads every embedded file once. It cannot fail at run time: the files
// are in the binary, so an error would be a defect of the build.
func load(fsys fs.FS) site {
	s := site{}
	err := fs.WalkDir(fsys, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil // nothing is served whose type is not known
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		s[strings.TrimPrefix(name, "static/")] = newFile(body, kind)
		return nil
	})
	if err != nil {
		panic("web: embedded files: " + err.Error())
	}
	return s
}

// isPage tells the pages, which live at their own routes, from the assets.
func isPage(name string) bool {
	return path.Ext(name) == ".html"
}

func (s site) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, s[name].at(r.URL.EscapedPath()))
	}
}

// serve answers GET and HEAD with f; http.ServeContent does the conditional
// part from the ETag.
func (s site) serve(w http.ResponseWriter, r *http.Request, f file) {
	h := w.Header()
	setPolicy(h)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

func (s site) notFound(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	setPolicy(h)
	h.Set("Content-Type", contentTypes[".html"])
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodHead {
		return
	}
	path := r.URL.EscapedPath()
	if strings.Count(path, "/") > maxDepth {
		path = "/" // without its looks rather than with more dots than text
	}
	_, _ = w.Write(s["404.html"].at(path).body) // the client is gone
}
