package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debugServer serves profiles of the running program. They tell nothing of media,
// but a lot of the program, and a profile takes time: it has a listener of its own,
// which is off unless asked for.
type debugServer struct {
	server *http.Server
	addr   net.Addr
	done   chan struct{}
}

// listenDebug opens the listener and serves until close.
func listenDebug(ctx context.Context, addr string, log *slog.Logger) (*debugServer, error) {
	var c net.ListenConfig
	listener, err := c.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	d := &debugServer{
		server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
		addr:   listener.Addr(), done: make(chan struct{}),
	}
	go func() {
		defer close(d.done)
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("profiles are not served any more", "reason", err)
		}
	}()
	return d, nil
}

// close ends it at once, in the midst of a profile too.
func (d *debugServer) close() {
	d.server.Close()
	<-d.done
}
