package whip

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"weir/sfu"
	"weir/sfu/peer"
	"weir/signaling"
	"weir/signaling/session"
)

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
	maxSDP       = 64 << 10 // bytes
)

// Config configures an Endpoint.
type Config struct {
	Hub  *sfu.Hub
	Port *peer.Port
	// Record reports whether streams are recorded unless their publisher asks
	// otherwise.
	Record bool
	// Sessions gets the endpoint's sessions. Default: a registry of its own.
	Sessions *session.Registry
	// Log takes a line for the start and the end of each session. Default:
	// discarded.
	Log *slog.Logger
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Hub == nil || c.Port == nil {
		return errors.New("whip: Hub and Port are needed")
	}
	return nil
}

// Endpoint is the WHIP and WHEP endpoint of a server, with its sessions.
type Endpoint struct {
	config  Config
	endings endings
	waiting waiters
}

// New returns an endpoint without sessions.
func New(c Config) (*Endpoint, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Sessions == nil {
		c.Sessions = &session.Registry{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Endpoint{config: c}, nil
}

// Register adds the endpoint's routes.
func (e *Endpoint) Register(routes *signaling.Routes) {
	post := func(a signaling.Action) map[string]signaling.Action {
		return map[string]signaling.Action{
			http.MethodPost: a, http.MethodGet: signaling.Discover, http.MethodOptions: signaling.Discover,
		}
	}
	routes.Add(signaling.Route{Pattern: "/whip/{name...}", Methods: post(signaling.Publish), Serve: e.serve(e.publish, false)})
	routes.Add(signaling.Route{Pattern: "/whep/{name...}", Methods: post(signaling.Watch), Serve: e.serve(e.watch, true)})
	routes.Add(signaling.Route{
		Pattern: "/session/{id...}", // also none at all: 404 as a problem
		Methods: map[string]signaling.Action{
			http.MethodGet: signaling.ReadSession, http.MethodPatch: signaling.ChangeSession, http.MethodDelete: signaling.EndSession,
			http.MethodOptions: signaling.Discover,
		},
		Target: func(r *http.Request, i *signaling.Intent) { i.Session = r.PathValue("id") },
		Serve:  e.serveSession,
	})
}

// begin answers an offer with a new session.
type begin func(ctx context.Context, i signaling.Intent, offer string) (*session.Session, string, error)

// serve is the endpoint resource. POST calls begin; HEAD tells that it is WHEP if the
// resource is discoverable.
func (e *Endpoint) serve(begin begin, discoverable bool) signaling.Handler {
	return func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		w.Header().Set("Accept-Post", typeSDP)
		switch r.Method {
		case http.MethodPost:
			e.create(w, r, i, begin)
		case http.MethodHead, http.MethodGet:
			if discoverable && r.Method == http.MethodHead {
				w.Header().Set("Content-Type", typeSDP) // by which a client discovers WHEP
				w.WriteHeader(http.StatusOK)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		case http.MethodOptions:
			w.WriteHeader(http.StatusOK)
		}
	}
}

// create answers an offer with a new session.
func (e *Endpoint) create(w http.ResponseWriter, r *http.Request, i signaling.Intent, begin begin) {
	offer, err := readBody(w, r, typeSDP)
	if err != nil {
		signaling.WriteError(w, err)
		return
	}
	s, answer, err := begin(r.Context(), i, offer)
	if err != nil {
		status := signaling.WriteError(w, err)
		e.config.Log.Info("session refused", "stream", i.Name, "path", r.URL.Path, "status", status, "reason", err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", "/session/"+s.ID())
	h.Set("ETag", s.Connection().(*client).entityTag())
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // a client that has gone never connects, and is reaped
}

// readBody reads a body of the given type.
func readBody(w http.ResponseWriter, r *http.Request, contentType string) (string, error) {
	given, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || given != contentType {
		return "", &signaling.Problem{Status: http.StatusUnsupportedMediaType, Title: "Wrong content type",
			Detail: "Send the body with Content-Type: " + contentType + "."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSDP))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return "", tooLarge
	}
	if err != nil {
		return "", &signaling.Problem{Status: http.StatusBadRequest, Title: "Body not received",
			Detail: "The body did not arrive whole and in time: send it again."}
	}
	return string(body), nil
}
