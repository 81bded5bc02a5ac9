package signaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits on what a client may take (RFC 9110 knows none): long enough for a bad
// mobile network, short enough that slow connections cannot pile up.
const (
	headerTimeout  = 5 * time.Second
	bodyTimeout    = 10 * time.Second
	idleTimeout    = 60 * time.Second
	answerTimeout  = 30 * time.Second
	maxHeaderBytes = 32 << 10
)

// Server is an HTTP server with limits.
type Server struct {
	http     *http.Server
	listener net.Listener
}

// Listen opens addr ("host:port") for h, which sees requests as their clients made them,
// in front of the proxies. Nothing is served before Run.
func Listen(ctx context.Context, addr string, proxies Proxies, h http.Handler, log *slog.Logger) (*Server, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("signaling: listen on %s: %w", addr, err)
	}
	return &Server{
		listener: l,
		http: &http.Server{
			Handler:           proxies.inFrontOf(wrap(h, log)),
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       bodyTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// Addr returns the address that is listened on.
func (s *Server) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Run serves until ctx is done, then refuses new connections, lets the requests
// that run finish for up to grace, and returns nil.
func (s *Server) Run(ctx context.Context, grace time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("signaling: serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.http.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close() // downloads that take longer than we can wait
	}
	<-failed
	if err != nil {
		return fmt.Errorf("signaling: stop: %w", err)
	}
	return nil
}
