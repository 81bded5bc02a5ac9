package ws

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/signaling"
	"weir/signaling/session"
)

const (
	// writeTimeout is how long a client may leave a message to it untaken.
	writeTimeout = 5 * time.Second
	// pingInterval is how often a client is asked for a sign of life (RFC 6455
	// section 5.5.2). Browsers answer by themselves.
	pingInterval = 20 * time.Second
	// idleTimeout ends a session whose client has shown none: two pings lost.
	idleTimeout = 60 * time.Second
	// maxText is the largest text message that is taken, in bytes.
	maxText = 64 << 10
	// socketBuffer is the size of each socket's two buffers. Larger messages go
	// through them piece by piece.
	socketBuffer = 4 << 10
)

// Config configures an Endpoint.
type Config struct {
	Hub *sfu.Hub
	// Record reports whether streams are recorded unless their publisher asks
	// otherwise.
	Record bool
	// MaxMessage is the largest message that a publisher may send, in bytes. It
	// costs no memory: messages are read piece by piece. Default 65 MiB, since
	// MediaRecorder makes chunks of up to 50 MB after a pause.
	MaxMessage int64
	// Recording returns the URL of the recording of a broadcast, given the ID of
	// its stream, if there is one. Default: there is none.
	Recording func(streamID string) (url string, ok bool)
	// RecordingOf returns the URL of the newest recording of a stream, given its
	// name, if there is one. Default: there is none.
	RecordingOf func(name string) (url string, ok bool)
	// Sessions gets the endpoint's sessions. Default: a registry of its own.
	Sessions *session.Registry
	// Log takes a line for the start and the end of each session. Default:
	// discarded.
	Log *slog.Logger
}

const defaultMaxMessage = 65 << 20

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Hub == nil {
		return errors.New("ws: Hub is needed")
	}
	if c.MaxMessage < 0 {
		return errors.New("ws: MaxMessage must not be negative")
	}
	return nil
}

// Endpoint is the WebSocket endpoint of a server, with its sessions: uploads and
// feeds.
type Endpoint struct {
	config   Config
	upgrader websocket.Upgrader
	feeds    feeds
	// amLives has a chan struct{} for each stream name of amLive's publishers,
	// closed when the upload has ended, its recording included.
	amLives sync.Map
}

// New returns an endpoint without sessions.
func New(c Config) (*Endpoint, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = defaultMaxMessage
	}
	if c.Sessions == nil {
		c.Sessions = &session.Registry{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Endpoint{
		config: c,
		upgrader: websocket.Upgrader{
			HandshakeTimeout: writeTimeout,
			ReadBufferSize:   socketBuffer, WriteBufferSize: socketBuffer,
			// Any origin may connect. A page of another origin could do harm only by
			// what the browser adds of itself, cookies; nothing here rests on those.
			CheckOrigin: func(*http.Request) bool { return true },
			// Media does not shrink, and a compressed message is a way to make a server
			// inflate gigabytes (RFC 7692 section 8).
			EnableCompression: false,
			Error: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
				signaling.WriteError(w, &signaling.Problem{Status: status, Title: "Bad handshake", Detail: err.Error()})
			},
		},
	}, nil
}

// Register adds the endpoint's routes.
func (e *Endpoint) Register(routes *signaling.Routes) {
	routes.Add(socketRoute("/ws/publish/{name...}", signaling.Publish, e.servePublish))
	routes.Add(socketRoute("/ws/watch/{name...}", signaling.Watch, e.serveWatch))
	e.registerAmLive(routes)
	e.registerVideoStream(routes)
}

// socketRoute is a route for WebSockets. Any other request is refused before it can
// claim anything.
func socketRoute(pattern string, a signaling.Action, h signaling.Handler) signaling.Route {
	return getRoute(pattern, a, func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
		if websocket.IsWebSocketUpgrade(r) {
			h(w, r, i)
			return
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket") // RFC 9110 section 15.5.22
		signaling.WriteError(w, &signaling.Problem{Status: http.StatusUpgradeRequired, Title: "Upgrade required",
			Detail: "This URL takes WebSocket connections: open it with ws:// or wss://. A proxy in between has to pass them on, over HTTP/1.1."})
	})
}

// getRoute is a route that has GET alone.
func getRoute(pattern string, a signaling.Action, h signaling.Handler) signaling.Route {
	return signaling.Route{Pattern: pattern, Methods: map[string]signaling.Action{http.MethodGet: a}, Serve: h}
}

// upgrade makes a WebSocket of a request. It has answered the request when it
// returns an error.
func (e *Endpoint) upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	return e.upgrader.Upgrade(hijacker{w}, r, nil)
}

// hijacker makes the connection below wrapped ResponseWriters visible to the
// upgrader, which looks at the outermost one only.
type hijacker struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}

// Shutdown refuses new sessions, ends those that run, and waits until they have
// ended, recordings included, or ctx is done.
func (e *Endpoint) Shutdown(ctx context.Context) error { return e.config.Sessions.Shutdown(ctx) }
