package web

import (
	"net/http"
	"path"
	"regexp"
	"strings"
)

// streamName is the rule for names: 1 to 4 segments, none starting with a dot.
var streamName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){0,3}$`)

// maxDepth bounds how much a page grows by its path.
const maxDepth = 32

// RecordingPage is the pattern of the page of a recording, among those of Routes. The
// last part of the path is its id.
const RecordingPage = "/recordings/{id}"

// Handler serves the pages and, under /static/, their assets, without a word of what
// they are about.
func Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, page := range Routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			page(w, r, func(Subject) Head { return Head{} })
		})
	}
	return mux
}

// Routes returns what Handler is made of, by patterns of http.ServeMux. That of "/"
// answers with the 404 page: it is for what no other route takes.
func Routes() map[string]Page {
	s := newSite()
	routes := map[string]Page{
		"/{$}":        s.page("home.html", nothing),
		"/publish":    s.page("publish.html", nothing),
		"/recordings": s.page("recordings.html", nothing),
		RecordingPage: s.page("recording.html", func(r *http.Request) Subject {
			return Subject{Recording: strings.TrimPrefix(r.URL.Path, "/recordings/")}
		}),
		"/watch/{name...}":  s.watch,
		"/static/{path...}": s.asset,
		"/":                 s.notFound,
	}
	for _, page := range []string{"publish", "recordings"} {
		routes["/"+page+"/{$}"] = func(w http.ResponseWriter, _ *http.Request, _ Describe) {
			w.Header().Set("Location", "../"+page) // right below any path
			w.WriteHeader(http.StatusPermanentRedirect)
		}
	}
	return routes
}

// How long an answer may be kept.
const (
	// revalidated is for what stands at an address that stays: a new binary is seen at
	// the next load, and an unchanged file costs one 304.
	revalidated = "no-cache"
	// forGood is for what stands at an address that changes with it: one year is what
	// RFC 9111 section 1.2.2 lets a cache understand by "for ever".
	forGood = "public, max-age=31536000, immutable"
)

// asset serves what lies below /static/: as it is, or below the version of the site.
// Another version is that of a server that was there before this one, or is there beside
// it behind the same proxy: a page of it gets what is here, which nobody keeps.
func (s *site) asset(w http.ResponseWriter, r *http.Request, describe Describe) {
	version, name, versioned := strings.Cut(r.PathValue("path"), "/")
	files := s.lean
	if versioned = versioned && strings.HasPrefix(version, versionMark); !versioned {
		name, files = r.PathValue("path"), s.assets
	}
	f, ok := files[name]
	if !ok {
		s.notFound(w, r, describe)
		return
	}
	h := w.Header()
	if versioned {
		setAssetPolicy(h, path.Ext(name))
	} else {
		setPolicy(h)
	}
	if !versioned && strings.HasPrefix(name, "client/") {
		// The library may be imported by pages of other origins.
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if !reads(w, r) {
		return
	}
	if version == s.version {
		h.Set("Cache-Control", forGood)
	} else {
		h.Set("Cache-Control", revalidated)
	}
	answer(w, r, http.StatusOK, f)
}

// nothing is the subject of pages that are about no single broadcast.
func nothing(*http.Request) Subject { return Subject{} }

// page returns the Page of a file of pages, which is about what subject reads from the
// request.
func (s *site) page(name string, subject func(*http.Request) Subject) Page {
	d := s.pages[name]
	return func(w http.ResponseWriter, r *http.Request, describe Describe) {
		h := w.Header()
		setPolicy(h)
		if !reads(w, r) {
			return
		}
		at := r.URL.EscapedPath()
		head := describe(subject(r))
		h.Set("Cache-Control", revalidated)
		status := http.StatusOK
		if head.Unknown {
			h.Set("Cache-Control", "no-store")
			status = http.StatusNotFound
		}
		answer(w, r, status, d.at(at, s.headOf(d.page, at, head)))
	}
}

// watch is the page of a stream, live or not.
func (s *site) watch(w http.ResponseWriter, r *http.Request, describe Describe) {
	name := r.PathValue("name")
	if !streamName.MatchString(name) {
		s.notFound(w, r, describe)
		return
	}
	s.page("watch.html", func(*http.Request) Subject { return Subject{Stream: name} })(w, r, describe)
}

// notFound answers, whatever the method.
func (s *site) notFound(w http.ResponseWriter, r *http.Request, _ Describe) {
	h := w.Header()
	setPolicy(h)
	h.Set("Cache-Control", "no-store")
	path := r.URL.EscapedPath()
	if strings.Count(path, "/") > maxDepth {
		path = "/" // without its looks rather than with more dots than text
	}
	lost := s.pages["404.html"]
	answer(w, r, http.StatusNotFound, lost.at(path, s.headOf(lost.page, path, Head{})))
}
