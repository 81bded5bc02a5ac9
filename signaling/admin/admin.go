package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/media"
	"weir/signaling"
)

// Config configures an API.
type Config struct {
	Hub      *sfu.Hub
	Recorder *recorder.Recorder // nil: nothing is recorded
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
	for pattern, get := range map[string]func(*http.Request) (any, error){
		"/api/v1/streams":           a.streams,
		"/api/v1/streams/{name...}": a.stream,
		"/api/v1/recordings":        a.recordings,
		"/api/v1/recordings/{id}":   a.recording,
		"/healthz":                  health,
		"/readyz":                   a.ready,
	} {
		mux.HandleFunc(pattern, signaling.Get(answer(get)))
	}
	mux.HandleFunc("/api/", signaling.CORS(func(w http.ResponseWriter, r *http.Request) {
		signaling.WriteError(w, &signaling.Problem{Status: http.StatusNotFound, Title: "No such resource",
			Detail: "The API has GET /api/v1/streams, /api/v1/streams/{name}, /api/v1/recordings and /api/v1/recordings/{id}."})
	}))
}

// answer writes what get returns as JSON.
func answer(get func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := get(r)
		if err != nil {
			signaling.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
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

// Stream is a stream as the API shows it.
type Stream struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	State     string    `json:"state"`
	StartedAt time.Time `json:"started_at"`
	Source    string    `json:"source"`
	Viewers   int       `json:"viewers"`
	Recording string    `json:"recording,omitempty"`
	Tracks    []Track   `json:"tracks"`
}

// Track is a track of a stream as the API shows it.
type Track struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Codec     string `json:"codec"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`
	Keyframes uint64 `json:"keyframes,omitempty"`
	Lost      uint64 `json:"lost"`
	Dropped   uint64 `json:"dropped"`
}

// streams lists what is published now; with ?name= only that stream, so that a
// client can ask whether it is live without an error if it is not.
func (a *API) streams(r *http.Request) (any, error) {
	var infos []sfu.StreamInfo
	if name := r.URL.Query().Get("name"); name == "" {
		infos = a.config.Hub.Streams()
	} else if info, err := a.config.Hub.Stream(name); err == nil {
		infos = append(infos, info)
	}
	streams := make([]Stream, len(infos))
	for i, info := range infos {
		streams[i] = a.describe(info)
	}
	return map[string]any{"streams": streams, "next": nil}, nil
}

func (a *API) stream(r *http.Request) (any, error) {
	info, err := a.config.Hub.Stream(r.PathValue("name"))
	if errors.Is(err, sfu.ErrNotLive) {
		return nil, &signaling.Problem{Status: http.StatusNotFound, Title: "No such stream",
			Detail: "Nobody publishes under this name now. GET /api/v1/streams lists those that are live."}
	}
	if err != nil {
		return nil, err
	}
	return a.describe(info), nil
}

func (a *API) describe(i sfu.StreamInfo) Stream {
	s := Stream{
		Name: i.Name, ID: i.ID, State: string(i.State), StartedAt: i.StartedAt.UTC(), Source: i.Source,
		Viewers: i.Viewers, Tracks: make([]Track, len(i.Tracks)),
	}
	for n, t := range i.Tracks {
		s.Tracks[n] = Track{
			ID: t.Info.ID, Kind: t.Info.Kind().String(), Codec: t.Info.Codec.String(),
			Width: t.Width, Height: t.Height, Packets: t.Packets, Bytes: t.Bytes, Lost: t.Lost, Dropped: t.Dropped,
		}
		if t.Info.Kind() == media.Video {
			s.Tracks[n].Keyframes = t.Keyframes
		}
	}
	if a.config.Recorder != nil {
		s.Recording, _ = a.config.Recorder.Active(i.ID)
	}
	return s
}

// Recording is a recording as the API shows it.
type Recording struct {
	recorder.Recording
	URL string `json:"url"`
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// recordings lists recordings, newest first: ?stream= of one stream only,
// ?limit= at most that many, ?after= those that follow the one with that id.
func (a *API) recordings(r *http.Request) (any, error) {
	q := r.URL.Query()
	limit := defaultLimit
	if given := q.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxLimit {
			return nil, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad limit",
				Detail: "limit is a number from 1 to " + strconv.Itoa(maxLimit) + "."}
		}
		limit = n
	}
	shown := []Recording{}
	var next *string
	if a.config.Recorder != nil {
		if after := q.Get("after"); after != "" {
			if _, err := a.config.Recorder.Recording(after); err != nil {
				return nil, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad after",
					Detail: "There is no recording with the id in after. Begin again without it."}
			}
		}
		list, after := a.config.Recorder.Recordings(recorder.Query{Stream: q.Get("stream"), After: q.Get("after"), Limit: limit})
		for _, rec := range list {
			shown = append(shown, show(rec))
		}
		if after != "" {
			next = &after
		}
	}
	return map[string]any{"recordings": shown, "next": next}, nil
}

func (a *API) recording(r *http.Request) (any, error) {
	if a.config.Recorder == nil {
		return nil, recorder.ErrNotFound
	}
	rec, err := a.config.Recorder.Recording(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return show(rec), nil
}

func show(rec recorder.Recording) Recording {
	return Recording{Recording: rec, URL: "/recordings/" + rec.ID + ".webm"}
}
