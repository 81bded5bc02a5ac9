package peer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// silence is when a client that says nothing any more begins to count as lost:
// what ends sooner than that was ended on purpose.
const silence = 5 * time.Second

// TestNeverConnects: a session whose client never completes ICE is gone in time,
// and its name is free. That nothing is left of it is for the leak check.
func TestNeverConnects(t *testing.T) {
	s := newServer(t, nil, peer.Config{ConnectTimeout: 300 * time.Millisecond})
	api := peertest.NewAPI(t, peertest.Options{})
	sender := api.NewClient(t)
	sender.Send(t, media.Opus)
	pub, err := s.hub.Publish("a", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	source, _, err := s.port.NewPublisher(t.Context(), sender.Offer(t), pub)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.hub.Subscribe("a")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.Opus: {}})
	sink, _, err := s.port.NewViewer(t.Context(), receiver.Offer(t), tracks)
	if err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	go func() { watched <- sink.Run(t.Context(), sub) }()
	if err := pub.Run(t.Context(), source); !errors.Is(err, peer.ErrNotConnected) {
		t.Errorf("the publisher ended with %v", err)
	}
	if err := receive(t, watched, "the viewer's end"); !errors.Is(err, peer.ErrNotConnected) {
		t.Errorf("the viewer ended with %v", err)
	}
	again, err := s.hub.Publish("a", sfu.PublishOptions{})
	if err != nil {
		t.Fatalf("the name is not free: %v", err)
	}
	again.Close()
}

// TestClientCloses: a client that closes its connection is gone at once.
func TestClientCloses(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, sender := s.broadcast(t, "a", api, small())
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}, media.Opus: {}})
	view := s.view(t, "a", receiver)
	s.awaitViewer(t, "a", receiver)

	start := time.Now()
	receiver.Close()
	if err := view.ended(t); !errors.Is(err, peer.ErrClosed) {
		t.Errorf("the viewer ended with %v", err)
	}
	if n := pub.pub.Info().Viewers; n != 0 {
		t.Errorf("%d viewers are left", n)
	}
	sender.Close()
	if err := pub.ended(t); !errors.Is(err, peer.ErrClosed) || errors.Is(err, sfu.ErrLost) {
		t.Errorf("the publisher ended with %v", err)
	}
	if took := time.Since(start); took > silence {
		t.Errorf("the sessions ended only %v later", took)
	}
}

// TestCancel: a session that is cancelled ends with the cause, and its client is
// told.
func TestCancel(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, sender := s.broadcast(t, "a", api, small())
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}, media.Opus: {}})
	view := s.view(t, "a", receiver)
	s.awaitViewer(t, "a", receiver)
	cause := errors.New("kicked")
	start := time.Now()
	view.cancel(cause)
	if err := view.ended(t); !errors.Is(err, cause) {
		t.Errorf("the viewer ended with %v", err)
	}
	receiver.AwaitGone(t)
	pub.cancel(cause)
	if err := pub.ended(t); !errors.Is(err, cause) {
		t.Errorf("the publisher ended with %v", err)
	}
	sender.AwaitGone(t)
	if took := time.Since(start); took > silence {
		t.Errorf("the sessions ended only %v later", took)
	}
}

// TestStreamEnds: viewers of a stream that has ended are told, and theirs is no
// error.
func TestStreamEnds(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, _ := s.broadcast(t, "a", api, small())
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}, media.Opus: {}})
	view := s.view(t, "a", receiver)
	s.awaitViewer(t, "a", receiver)
	pub.cancel(nil)
	pub.ended(t)
	if err := view.ended(t); err != nil {
		t.Errorf("the viewer ended with %v", err)
	}
	receiver.AwaitGone(t)
}

// TestRestart: an ICE restart changes the credentials and keeps the media
// flowing, in both directions.
func TestRestart(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, sender := s.broadcast(t, "a", api, small())
	video := newInbox(media.VP8)
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: video.incoming()})
	view := s.view(t, "a", receiver)
	video.unbroken(t, 10)

	for _, side := range []struct {
		name    string
		client  *peertest.Client
		restart func(context.Context, peer.Fragment) (peer.Fragment, error)
	}{
		{"publisher", sender, pub.peer.Restart},
		{"viewer", receiver, view.viewer.Restart},
	} {
		before := peertest.Attribute(side.client.PC.RemoteDescription().SDP, "ice-ufrag")
		fragment, err := peer.ParseFragment(side.client.Restart(t))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := side.restart(t.Context(), fragment)
		if err != nil {
			t.Fatalf("%s: %v", side.name, err)
		}
		after := peertest.Attribute(answer.String(), "ice-ufrag")
		if after == "" || after == before || peertest.Attribute(answer.String(), "candidate") == "" || peertest.Attribute(answer.String(), "ice-pwd") == "" {
			t.Errorf("%s: the server had the user name %q; its fragment is\n%s", side.name, before, answer)
		}
		side.client.Restarted(t, answer.String())
		// What was sent between the restart and the client's first check is lost,
		// and asked for again.
		for len(video.frames) > 0 {
			video.next(t)
		}
		video.stretch(t, 60)
	}
	for _, run := range []*session{pub, view} {
		select {
		case <-run.done:
			t.Errorf("a session has ended: %v", run.err)
		default:
		}
	}
}

// TestRestartFails: what is no restart is refused, and the session goes on.
func TestRestartFails(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, sender := s.broadcast(t, "a", api, small())
	frames := s.frames(t, "a", media.VP8)
	trickled, err := peer.ParseFragment("a=end-of-candidates\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.peer.Trickle(trickled); err != nil {
		t.Errorf("a trickled fragment is refused: %v", err)
	}
	if _, err := pub.peer.Restart(t.Context(), trickled); !errors.Is(err, peer.ErrOffer) {
		t.Errorf("a restart without credentials ends with %v", err)
	}
	other, err := peer.ParseFragment("a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.peer.Trickle(other); !errors.Is(err, peer.ErrOffer) {
		t.Errorf("candidates of another ICE session end with %v", err)
	}
	for range 30 {
		receive(t, frames, "frame")
	}
	sender.Close()
	pub.ended(t)
	if _, err := pub.peer.Restart(t.Context(), other); err == nil {
		t.Error("a session that has ended was restarted")
	}
}

// TestManySSRCs: a client that sends under one SSRC after the other costs no more than
// some memory, up to a limit, and does not disturb what it sends besides.
func TestManySSRCs(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	pub, sender := s.broadcast(t, "a", api, small())
	for ssrc := range uint32(1000) {
		if err := sender.PC.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: ssrc}, &rtcp.ReceiverReport{SSRC: ssrc}}); err != nil {
			t.Fatal(err)
		}
	}
	frames := s.frames(t, "a", media.VP8)
	for range 60 {
		receive(t, frames, "frame")
	}
	select {
	case <-pub.done:
		t.Errorf("the session ended with %v", pub.err)
	default:
	}
}
