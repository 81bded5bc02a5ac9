package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

// Config configures an API.
type Config struct {
	Hub      *sfu.Hub
	Recorder *recorder.Recorder // nil: nothing is recorded
	Events   *Events            // nil: nobody can listen
	Sessions *session.Registry  // nil: sessions are not counted
	Metrics  func() []Metric    // beside those of sessions; nil: there is no /metrics
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Hub == nil {
		return errors.New("admin: Hub is needed")
	}
	return nil
}

// API serves the REST API.
type API struct{ config Config }

// New returns an API.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &API{config: c}, nil
}

// Register adds the routes to mux.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, get := range map[string]call{
		"/api/v1/streams":    a.streams,
		"/api/v1/recordings": a.recordings,
		"/healthz":           health,
		"/readyz":            a.ready,
	} {
		mux.HandleFunc(pattern, signaling.Get(answer(get)))
	}
	if a.config.Metrics != nil {
		mux.HandleFunc("/metrics", signaling.Get(metricsHandler(a.metrics)))
	}
	mux.HandleFunc("/api/v1/events", signaling.Get(a.serveEvents))
	mux.HandleFunc("/api/v1/streams/{name...}", methods(map[string]call{
		http.MethodGet: a.stream, http.MethodPost: a.control,
	}))
	mux.HandleFunc("/api/v1/recordings/{id}", methods(map[string]call{
		http.MethodGet: a.recording, http.MethodPatch: a.describe, http.MethodDelete: a.remove,
	}))
	mux.HandleFunc("/api/", signaling.CORS(func(w http.ResponseWriter, r *http.Request) {
		signaling.WriteError(w, &signaling.Problem{Status: http.StatusNotFound, Title: "No such resource",
			Detail: "The API has /api/v1/streams, /api/v1/streams/{name}, /api/v1/streams/{name}/recording, /api/v1/recordings, /api/v1/recordings/{id} and /api/v1/events."})
	}))
}

// call answers a request with a value to be sent as JSON; nil: with nothing.
type call func(*http.Request) (any, error)

// methods serves a resource that can be changed. Pages of any origin may read it;
// only our own may change it: there are no accounts, and a browser on the
// server's own machine would let any page in.
func methods(calls map[string]call) http.HandlerFunc {
	var allowed []string
	for method := range calls {
		allowed = append(allowed, method)
	}
	allowed = append(allowed, http.MethodHead, http.MethodOptions)
	slices.Sort(allowed)
	list := strings.Join(allowed, ", ")
	read := answer(calls[http.MethodGet])
	origin := http.NewCrossOriginProtection()
	return signaling.CORS(func(w http.ResponseWriter, r *http.Request) {
		change := calls[r.Method]
		switch {
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			read(w, r)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", list)
			w.WriteHeader(http.StatusNoContent)
		case change == nil:
			signaling.MethodNotAllowed(w, list)
		case origin.Check(r) != nil:
			signaling.WriteError(w, &signaling.Problem{Status: http.StatusForbidden, Title: "Other origin",
				Detail: "Only this server's own pages, and programs, may change something here."})
		default:
			answer(change)(w, r)
		}
	})
}

// answer writes what get returns as JSON.
func answer(get call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := get(r)
		if err != nil {
			signaling.WriteError(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if value == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value) // the client may have gone
	}
}

// health says that the process answers.
func health(*http.Request) (any, error) { return map[string]string{"status": "ok"}, nil }

// ready says that new publishers and viewers are taken: not while the server is
// shutting down. Everything is set up before the first request is taken.
func (a *API) ready(r *http.Request) (any, error) {
	if a.config.Hub.Closed() {
		return nil, sfu.ErrShutdown
	}
	return health(r)
}
