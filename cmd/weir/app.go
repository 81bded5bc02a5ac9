package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/peer"
	"weir/sfu/poster"
	"weir/sfu/udp"
	"weir/signaling"
	"weir/signaling/admin"
	"weir/signaling/posters"
	"weir/signaling/qrcode"
	"weir/signaling/session"
	"weir/signaling/vod"
	"weir/signaling/whip"
	"weir/signaling/ws"
	"weir/web"
)

const (
	// rtcPort is the UDP port for media unless --rtc-addr says otherwise.
	rtcPort = "8081"
	// shutdownTimeout bounds the whole of a shutdown.
	shutdownTimeout = 30 * time.Second
)

// appConfig is what the command line says.
type appConfig struct {
	httpAddr, rtcAddr, dataDir string
	adminAddr                  string // empty: no profiles
	proxies                    signaling.Proxies
	authorizer                 signaling.Authorizer // nil: every client may do everything
	record                     bool
	sentPosters                bool // poster.Config.SentOnly
	grace                      time.Duration
	keyframes                  time.Duration   // sfu.Config.KeyframeInterval
	recording                  recorder.Config // Dir, WritingApp, OnEvent, Poster and Log are not used
	version                    string
	log                        *slog.Logger
}

// app is a server: all parts, put together.
type app struct {
	log      *slog.Logger
	recorder *recorder.Recorder
	events   *admin.Events
	hub      *sfu.Hub
	posters  *poster.Gallery
	sessions *session.Registry
	port     *peer.Port
	whip     *whip.Endpoint
	ws       *ws.Endpoint
	routes   *signaling.Routes
	server   *signaling.Server
	watch    *watch
	debug    *debugServer // nil: off

	stopRecorder func(context.Context)
	stopWatch    func()
	stopPosters  func()
}

// newApp opens everything that can fail. Call serve on the result.
func newApp(ctx context.Context, c appConfig) (_ *app, err error) {
	a := &app{log: c.log, sessions: &session.Registry{}, stopRecorder: func(context.Context) {}}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	rtcAddr, err := mediaAddr(c.httpAddr, c.rtcAddr)
	if err != nil {
		return nil, err
	}
	if err := a.openRecorder(c); err != nil {
		return nil, err
	}
	a.hub, err = sfu.New(sfu.Config{
		Standing: []func(sfu.StreamInfo) sfu.Sink{a.recorder.Sink}, Grace: c.grace, KeyframeInterval: c.keyframes,
	})
	if err != nil {
		return nil, err
	}
	if a.posters, err = poster.New(poster.Config{Hub: a.hub, SentOnly: c.sentPosters, Log: c.log}); err != nil {
		return nil, err
	}
	a.watch = &watch{hub: a.hub, events: a.events, log: c.log}
	conn, err := udp.Listen(ctx, rtcAddr)
	if err != nil {
		return nil, explain("--rtc-addr", rtcAddr, err)
	}
	if a.port, err = peer.New(peer.Config{Conn: conn, Log: c.log}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if a.routes, err = a.newRoutes(c, conn); err != nil {
		return nil, err
	}
	if err := a.listen(ctx, c); err != nil {
		return nil, err
	}
	// Not before everything has succeeded: what fails says one sentence.
	logSocket(c.log, conn)
	if a.debug != nil {
		c.log.Info("profiles", "url", "http://"+a.debug.addr.String()+"/debug/pprof/")
	}
	return a, nil
}

// openRecorder opens the recorder and what tells of its recordings.
func (a *app) openRecorder(c appConfig) (err error) {
	if c.dataDir == "" {
		return errors.New("--data-dir is empty; it must be a folder, such as ./weir-data")
	}
	a.events = admin.NewEvents()
	recording := c.recording
	recording.Dir, recording.WritingApp, recording.Log = filepath.Join(c.dataDir, "recordings"), "weir "+c.version, c.log
	recording.Poster = a.recordedPoster
	recording.OnEvent = func(e recorder.Event) { a.events.Publish(e.Type, admin.RecordingEvent(e)) }
	if err := recording.Validate(); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "recorder: "))
	}
	a.recorder, err = recorder.New(recording)
	if errors.Is(err, recorder.ErrLocked) {
		return fmt.Errorf("--data-dir %s is in use by another weir: stop that one, or choose another folder", c.dataDir)
	}
	if err != nil {
		return explain("--data-dir", c.dataDir, err)
	}
	return nil
}

// newRoutes makes the endpoints, and returns everything that is served over HTTP.
func (a *app) newRoutes(c appConfig, media *udp.Conn) (_ *signaling.Routes, err error) {
	a.whip, err = whip.New(whip.Config{Hub: a.hub, Port: a.port, Sessions: a.sessions, Record: c.record, Log: c.log})
	if err != nil {
		return nil, err
	}
	a.ws, err = ws.New(ws.Config{
		Hub: a.hub, Sessions: a.sessions, Record: c.record, Recording: a.recordingURL, RecordingOf: a.recordingOf, Log: c.log,
	})
	if err != nil {
		return nil, err
	}
	api, err := admin.New(admin.Config{
		Hub: a.hub, Recorder: a.recorder, Events: a.events, Sessions: a.sessions, Poster: a.posterPath,
		Metrics: func() []admin.Metric {
			return append(socketMetrics(media.Stats(), a.port.Stats()), append(a.watch.metrics(), posterMetrics(a.posters)...)...)
		},
	})
	if err != nil {
		return nil, err
	}
	routes := signaling.NewRoutes(c.authorizer, c.log)
	a.whip.Register(routes)
	a.ws.Register(routes)
	api.Register(routes)
	posters.Endpoint{Hub: a.hub, Gallery: a.posters, Sessions: a.sessions}.Register(routes)
	qrcode.Register(routes)
	pages := web.Routes()
	vod.Register(routes, a.recorder, a.servePage(pages[web.RecordingPage]))
	delete(pages, web.RecordingPage)
	for pattern, page := range pages {
		routes.Add(signaling.Route{
			Pattern: pattern, Methods: map[string]signaling.Action{signaling.AnyMethod: signaling.ReadPage}, Own: true,
			Serve: a.servePage(page),
		})
	}
	return routes, nil
}

// listen opens the listeners of HTTP.
func (a *app) listen(ctx context.Context, c appConfig) (err error) {
	if c.adminAddr != "" {
		if a.debug, err = listenDebug(ctx, c.adminAddr, c.log); err != nil {
			return explain("--admin-addr", c.adminAddr, err)
		}
	}
	if a.server, err = signaling.Listen(ctx, c.httpAddr, c.proxies, a.routes, c.log); err != nil {
		return explain("--http-addr", c.httpAddr, err)
	}
	return nil
}

// recordingURL is where the recording of a broadcast is served, if it has one.
func (a *app) recordingURL(streamID string) (string, bool) {
	return a.newestURL(recorder.Query{StreamID: streamID, Limit: 1})
}

// recordingOf is where the newest recording of a stream's name is served.
func (a *app) recordingOf(name string) (string, bool) {
	return a.newestURL(recorder.Query{Stream: name, Limit: 1})
}

func (a *app) newestURL(q recorder.Query) (string, bool) {
	list, _, err := a.recorder.Recordings(q)
	if err != nil || len(list) == 0 {
		return "", false
	}
	return "/recordings/" + list[0].ID + list[0].Suffix(), true
}

// mediaAddr returns the UDP address for media: the one given, or port 8081 on
// loopback if HTTP is there too, else on all addresses. A browser treats a page
// from loopback as secure, but one that is served to others needs media on an
// address that they can reach.
func mediaAddr(httpAddr, rtcAddr string) (string, error) {
	host, _, err := net.SplitHostPort(httpAddr)
	if err != nil {
		return "", fmt.Errorf("--http-addr is %q; it must be HOST:PORT, such as 127.0.0.1:8080 or :8080", httpAddr)
	}
	if rtcAddr != "" {
		if _, _, err := net.SplitHostPort(rtcAddr); err != nil {
			return "", fmt.Errorf("--rtc-addr is %q; it must be HOST:PORT, such as 127.0.0.1:8081 or :8081", rtcAddr)
		}
		return rtcAddr, nil
	}
	if isLoopback(host) {
		return net.JoinHostPort("127.0.0.1", rtcPort), nil
	}
	return net.JoinHostPort("", rtcPort), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serve works until ctx is done and then shuts down in stages: no new requests,
// publications and viewers end, recordings are finished, and everything closes.
func (a *app) serve(ctx context.Context) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	a.stopWatch = a.watch.start()
	a.stopPosters = startPosters(a.posters)
	a.startRecorder()
	served, read := make(chan error, 1), make(chan error, 1)
	go func() { served <- a.server.Run(serving, time.Second) }()
	go func() { read <- a.port.Run(context.WithoutCancel(ctx)) }() // shutdown closes it
	var failed error
	select {
	case failed = <-served:
		served <- nil
	case failed = <-read:
		read <- nil
	case <-ctx.Done():
		a.log.Info("shutting down")
	}
	err := errors.Join(failed, a.shutdown(ctx))
	stopServing()
	return errors.Join(err, <-served, <-read)
}

// startRecorder runs what the recorder does beside recording, until stopRecorder.
func (a *app) startRecorder() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.recorder.Run(ctx) // it ends by ctx only
	}()
	a.stopRecorder = func(limit context.Context) {
		cancel()
		select {
		case <-done:
		case <-limit.Done(): // in the midst of a repair, which may be killed
		}
	}
}

// shutdown ends all sessions and closes everything but the HTTP server.
func (a *app) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	a.recorder.Stopping()
	// The endpoints refuse new sessions from here on, with 503.
	// Both at once: neither is to take newcomers while the other one drains.
	var whipErr, wsErr error
	var draining sync.WaitGroup
	draining.Go(func() { whipErr = a.whip.Shutdown(ctx) })
	draining.Go(func() { wsErr = a.ws.Shutdown(ctx) })
	draining.Wait()
	err := errors.Join(whipErr, wsErr, a.hub.Shutdown(ctx))
	a.stopPosters()
	a.stopWatch()
	a.stopRecorder(ctx)
	a.events.Close() // after the last recording's end was told
	return errors.Join(err, a.close())
}

// close closes what newApp has opened so far.
func (a *app) close() error {
	var err error
	if a.debug != nil {
		a.debug.close()
	}
	if a.port != nil {
		err = a.port.Close()
	}
	if a.recorder != nil {
		err = errors.Join(err, a.recorder.Close())
	}
	return err
}
