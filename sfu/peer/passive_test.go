package peer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
)

// passive makes an offer one of a client that waits for the handshake, as FFmpeg's.
func passive(offer string) string {
	return strings.ReplaceAll(offer, "a=setup:actpass", "a=setup:passive")
}

// TestPassiveClients: with clients that are the DTLS server media flow both ways, from
// the first packet on, and both sides tell each other when they go.
func TestPassiveClients(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	sender := api.NewClient(t)
	b := small()
	b.Audio, b.Video = sender.Send(t, media.Opus), sender.Send(t, media.VP8)
	pub, err := s.hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	source, answer, err := s.port.NewPublisher(t.Context(), passive(sender.Offer(t)), pub)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(answer, "a=setup:active\r\n"); n != 2 {
		t.Fatalf("%d sections are active:\n%s", n, answer)
	}
	publishing := &session{}
	publishing.run(t, func(ctx context.Context) error { return pub.Run(ctx, source) })
	sender.Answer(t, answer)
	sender.AwaitConnected(t)
	b.Start(t)
	eventually(t, "media of both tracks", func() bool {
		tracks := pub.Info().Tracks
		return len(tracks) == 2 && tracks[0].Packets > 0 && tracks[1].Packets > 0
	})
	for range 3 {
		frames := make(chan int, 1<<12)
		receiver := api.NewClient(t)
		receiver.Receive(t, map[media.Codec]peertest.Incoming{media.Opus: {}, media.VP8: {OnFrame: func(f media.Frame) {
			if n, intact := sfutest.VP8Number(f.Data); intact {
				select {
				case frames <- n:
				default:
				}
			}
		}}})
		watching := s.viewPassive(t, receiver)
		receiver.AwaitConnected(t)
		for range 30 {
			receive(t, frames, "a picture")
		}
		if err := receiver.Close(); err != nil {
			t.Fatal(err)
		}
		if err := watching.ended(t); !errors.Is(err, peer.ErrClosed) {
			t.Errorf("the viewer has ended with %v", err)
		}
	}
	// And the other way round.
	receiver := api.NewClient(t)
	receiver.Receive(t, map[media.Codec]peertest.Incoming{media.Opus: {}, media.VP8: {}})
	watching := s.viewPassive(t, receiver)
	receiver.AwaitConnected(t)
	eventually(t, "viewer", func() bool { return pub.Info().Viewers == 1 })
	watching.cancel(nil)
	receiver.AwaitGone(t)
	if lost := pub.Info().Tracks[0].Lost + pub.Info().Tracks[1].Lost; lost != 0 {
		t.Errorf("%d packets were lost", lost)
	}
	if err := sender.Close(); err != nil {
		t.Fatal(err)
	}
	if err := publishing.ended(t); !errors.Is(err, peer.ErrClosed) {
		t.Errorf("the publisher has ended with %v", err)
	}
}

// viewPassive is view for a client that waits for the handshake.
func (s *server) viewPassive(t *testing.T, c *peertest.Client) *session {
	t.Helper()
	sub, err := s.hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	viewer, answer, err := s.port.NewViewer(t.Context(), passive(c.Offer(t)), tracks)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(answer, "a=setup:active\r\n"); n != 2 {
		t.Fatalf("%d sections are active:\n%s", n, answer)
	}
	run := &session{viewer: viewer}
	run.run(t, func(ctx context.Context) error {
		defer sub.Close()
		return viewer.Run(ctx, sub)
	})
	c.Answer(t, answer)
	return run
}
