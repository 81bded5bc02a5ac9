package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
	"weir/web"
)

// Config configures an API.
type Config struct {
	Hub      *sfu.Hub
	Recorder *recorder.Recorder // nil: nothing is recorded
	Events   *Events            // nil: no client can listen
	Sessions *session.Registry  // nil: sessions are not counted
	// Poster returns where the poster of a stream is, if it has one. It may be nil.
	Poster  func(sfu.StreamInfo) (path string, ok bool)
	Metrics func() []Metric // beside those of sessions; nil: there is no /metrics
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

// Register adds the routes.
func (a *API) Register(routes *signaling.Routes) {
	get := func(pattern string, action signaling.Action, h signaling.Handler) {
		routes.Add(signaling.Route{Pattern: pattern, Methods: map[string]signaling.Action{http.MethodGet: action}, Serve: h})
	}
	routes.Add(signaling.Route{
		Pattern: "/api/v1/streams", Methods: map[string]signaling.Action{http.MethodGet: signaling.ListStreams},
		Target: func(r *http.Request, i *signaling.Intent) { i.Name = r.URL.Query().Get("name") },
		Serve:  respond(a.streams),
	})
	routes.Add(signaling.Route{
		Pattern: "/api/v1/streams/{name...}",
		Methods: map[string]signaling.Action{
			http.MethodGet: signaling.ReadStream, http.MethodPost: signaling.RecordStream, http.MethodPatch: signaling.DescribeStream,
		},
		Target: func(r *http.Request, i *signaling.Intent) {
			if i.Action == signaling.RecordStream {
				i.Name, _ = strings.CutSuffix(i.Name, recordingOfStream)
			}
		},
		Serve: methods(map[string]call{http.MethodGet: a.stream, http.MethodPost: a.control, http.MethodPatch: a.describeStream}),
	})
	routes.Add(signaling.Route{
		Pattern: "/api/v1/recordings", Methods: map[string]signaling.Action{http.MethodGet: signaling.ListRecordings},
		Target: func(r *http.Request, i *signaling.Intent) { i.Name = r.URL.Query().Get("stream") },
		Serve:  respond(a.recordings),
	})
	routes.Add(signaling.Route{
		Pattern: "/api/v1/recordings/{id}",
		Methods: map[string]signaling.Action{
			http.MethodGet: signaling.ReadRecording, http.MethodPatch: signaling.DescribeRecording, http.MethodDelete: signaling.DeleteRecording,
		},
		Target: func(r *http.Request, i *signaling.Intent) { i.Recording = r.PathValue("id") },
		Serve:  methods(map[string]call{http.MethodGet: a.recording, http.MethodPatch: a.describe, http.MethodDelete: a.remove}),
	})
	get("/api/v1/events", signaling.ReadEvents, a.serveEvents)
	get("/healthz", signaling.ReadHealth, respond(health))
	get("/readyz", signaling.ReadHealth, respond(a.ready))
	if a.config.Metrics != nil {
		get("/metrics", signaling.ReadMetrics, metricsHandler(a.metrics))
	}
	routes.Add(signaling.Route{
		Pattern: "/api/", Methods: map[string]signaling.Action{signaling.AnyMethod: signaling.Discover},
		Serve: func(w http.ResponseWriter, _ *http.Request, _ signaling.Intent) {
			signaling.WriteError(w, &signaling.Problem{Status: http.StatusNotFound, Title: "No such resource",
				Detail: "The API has /api/v1/streams, /api/v1/streams/{name}, /api/v1/streams/{name}/recording, /api/v1/recordings, /api/v1/recordings/{id} and /api/v1/events."})
		},
	})
}

// call answers a request with a value to be sent as JSON; nil: with nothing.
type call func(*http.Request, signaling.Intent) (any, error)

// methods serves a resource that can be changed. Pages of any origin may read it;
// only our own may change it: there are no accounts, and a browser on the
// server's own machine would let any page in.
func methods(calls map[string]call) signaling.Handler {
	origin := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		change := calls[r.Method]
		switch {
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			respond(calls[http.MethodGet])(w, r, i)
		case origin.Check(r) != nil:
			signaling.WriteError(w, &signaling.Problem{Status: http.StatusForbidden, Title: "Other origin",
				Detail: "Only this server's own pages, and programs, may change something here."})
		default:
			respond(change)(w, r, i)
		}
	}
}

// respond answers a request with what get returns, as JSON.
func respond(get call) signaling.Handler {
	return func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		value, err := get(r, i)
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
		writeJSON(w, r, value)
	}
}

// leastCompressed is about what one packet holds: less is not there any sooner when it is
// compressed.
const leastCompressed = 1400

// writeJSON writes a value, a long one compressed where the client takes it so: a list of
// a hundred recordings is 60 kB, and pages ask for it again and again.
func writeJSON(w http.ResponseWriter, r *http.Request, value any) {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(value); err != nil {
		signaling.WriteError(w, fmt.Errorf("admin: %w", err))
		return
	}
	w.Header().Add("Vary", "Accept-Encoding")
	answer := body.Bytes()
	if len(answer) > leastCompressed && web.TakesGzip(r.Header) {
		w.Header().Set("Content-Encoding", "gzip")
		answer = web.Gzip(answer)
	}
	_, _ = w.Write(answer) // the client may have gone
}

// health answers that the process runs.
func health(*http.Request, signaling.Intent) (any, error) {
	return map[string]string{"status": "ok"}, nil
}

// ready answers whether new publishers and viewers are taken, which they are until the
// server shuts down. Everything is set up before the first request is served.
func (a *API) ready(r *http.Request, i signaling.Intent) (any, error) {
	if a.config.Hub.Closed() {
		return nil, sfu.ErrShutdown
	}
	return health(r, i)
}
