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
	s := newSite()
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
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	version, name, versioned := strings.Cut(r.PathValue("path"), "/")
	if versioned = versioned && strings.HasPrefix(version, versionMark); !versioned {
		name = r.PathValue("path")
	}
	f, ok := s.assets[name]
	if !ok {
		s.notFound(w, r)
		return
	}
	h := w.Header()
	if strings.HasPrefix(name, "client/") {
		// The library may be imported by pages of other origins.
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if versioned {
		setAssetPolicy(h, path.Ext(name))
	} else {
		setPolicy(h)
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

func (s *site) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		setPolicy(w.Header())
		if !reads(w, r) {
			return
		}
		w.Header().Set("Cache-Control", revalidated)
		answer(w, r, http.StatusOK, s.pages[name].at(r.URL.EscapedPath()))
	}
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if strings.Count(path, "/") > maxDepth {
		path = "/" // without its looks rather than with more dots than text
	}
	s.missing(w, r, s.pages["404.html"].at(path))
}

// missing answers, whatever the method, with a page that says that there is nothing.
func (s *site) missing(w http.ResponseWriter, r *http.Request, page file) {
	h := w.Header()
	setPolicy(h)
	h.Set("Cache-Control", "no-store")
	answer(w, r, http.StatusNotFound, page)
}
