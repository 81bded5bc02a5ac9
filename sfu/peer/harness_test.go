package peer_test

import (
	"context"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
	"weir/sfu/udp"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// patience is how long a test waits for what must come: long enough that only a
// fault ends it.
const patience = 30 * time.Second

// server is a hub with a port: what a program puts together, without HTTP.
type server struct {
	hub  *sfu.Hub
	port *peer.Port
}

// newServer returns a server on a free port of loopback, or on host if it is not
// nil.
func newServer(t testing.TB, host transport.Net, c peer.Config) *server {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.Net = host
	if host != nil {
		c.Conn = peertest.Listen(t, host, serverIP+":5000")
	} else if c.Conn, err = udp.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	port, err := peer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	peertest.Serve(t, port)
	return &server{hub, port}
}

// The addresses of a virtual network.
const (
	serverIP    = "10.0.0.1"
	publisherIP = "10.0.0.2"
	viewerIP    = "10.0.0.3"
)

// session is a Source or a Sink that runs.
type session struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // once done is closed
	pub    *sfu.Publication
	peer   *peer.Publisher
	viewer *peer.Viewer
}

// run runs f until the test ends.
func (s *session) run(t testing.TB, f func(ctx context.Context) error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s.cancel, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		s.err = f(ctx)
	}()
	t.Cleanup(func() { cancel(nil); <-s.done })
}

// ended waits for the end of the session and returns its error.
func (s *session) ended(t testing.TB) error {
	t.Helper()
	select {
	case <-s.done:
		return s.err
	case <-time.After(patience):
		t.Fatal("the session does not end")
		return nil
	}
}

// publish answers a client's offer to send and runs the publisher.
func (s *server) publish(t testing.TB, name string, c *peertest.Client) *session {
	t.Helper()
	run := &session{}
	var err error
	if run.pub, err = s.hub.Publish(name, sfu.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	var answer string
	if run.peer, answer, err = s.port.NewPublisher(t.Context(), c.Offer(t), run.pub); err != nil {
		t.Fatal(err)
	}
	run.run(t, func(ctx context.Context) error { return run.pub.Run(ctx, run.peer) })
	c.Answer(t, answer)
	return run
}

// view answers a client's offer to receive and runs the viewer.
func (s *server) view(t testing.TB, name string, c *peertest.Client) *session {
	t.Helper()
	sub, err := s.hub.Subscribe(name)
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	viewer, answer, err := s.port.NewViewer(t.Context(), c.Offer(t), tracks)
	if err != nil {
		t.Fatal(err)
	}
	run := &session{viewer: viewer}
	run.run(t, func(ctx context.Context) error {
		defer sub.Close()
		return viewer.Run(ctx, sub)
	})
	c.Answer(t, answer)
	return run
}

// awaitViewer waits until c is the one viewer of the stream, and both sides know
// it: one that closes before it is connected cannot tell the other.
func (s *server) awaitViewer(t testing.TB, name string, c *peertest.Client) {
	t.Helper()
	c.AwaitConnected(t)
	eventually(t, "viewer", func() bool {
		i, err := s.hub.Stream(name)
		return err == nil && i.Viewers == 1
	})
}

// broadcast publishes video and sound under a name and waits until it is live.
func (s *server) broadcast(t testing.TB, name string, api *peertest.API, b *peertest.Broadcast) (*session, *peertest.Client) {
	t.Helper()
	return s.broadcastIn(t, name, media.VP8, api, b)
}

// broadcastIn is broadcast with video of another codec.
func (s *server) broadcastIn(t testing.TB, name string, video media.Codec, api *peertest.API, b *peertest.Broadcast) (*session, *peertest.Client) {
	t.Helper()
	c := api.NewClient(t)
	b.Audio, b.Video = c.Send(t, media.Opus), c.Send(t, video)
	run := s.publish(t, name, c)
	c.AwaitConnected(t)
	b.Start(t)
	eventually(t, "media of both tracks", func() bool {
		tracks := run.pub.Info().Tracks
		return len(tracks) == 2 && tracks[0].Packets > 0 && tracks[1].Packets > 0
	})
	return run, c
}

// small is a broadcast that is cheap to send.
func small() *peertest.Broadcast { return &peertest.Broadcast{KeyEvery: 30, Size: 3000, KeySize: 8000} }

// eventually polls until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond) // polling: the deadline decides nothing else
	}
}

// receive waits for the next value.
func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}
