package peer_test

import (
	"errors"
	"strings"
	"testing"

	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// TestCodecs: what a client sends in any codec, who joins in midstream receives
// from a keyframe on, byte for byte, and the recorder gets it as frames; what a
// lossy link loses comes again.
func TestCodecs(t *testing.T) {
	for _, c := range []media.Codec{media.VP9, media.AV1, media.H264} {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel() // most of it is waiting
			s := newServer(t, nil, peer.Config{})
			api := peertest.NewAPI(t, peertest.Options{})
			b := small()
			b.KeyEvery, b.Deaf = 50, true
			pub, _ := s.broadcastIn(t, "a", c, api, b)
			recorded := &inbox{codec: c, frames: s.frames(t, "a", c)}
			const late = 20 // frames behind the keyframe
			eventually(t, "media", func() bool { return b.VideoSent.Load() > late })
			video, audio, _ := s.watchIn(t, "a", c, api)
			for name, i := range map[string]*inbox{"viewer": video, "recorder": recorded} {
				if n, f := i.nextFrame(t); n%b.KeyEvery != 0 || !f.Sync {
					t.Errorf("the %s starts at frame %d, sync %v", name, n, f.Sync)
				}
				i.unbroken(t, 90)
			}
			audio.unbroken(t, 50)
			info := pub.pub.Info().Tracks
			for _, track := range info {
				if track.Info.Codec == c && (track.Width != 640 || track.Height != 360 || track.Info.Format == "") {
					t.Errorf("the track is %+v", track)
				}
			}
		})
	}
}

// TestCodecsRepair: packets of other codecs are sent again, too.
func TestCodecsRepair(t *testing.T) {
	n := peertest.NewNetwork(t, 5*1e6)
	host, away, far := n.Host(t, serverIP), n.Host(t, publisherIP), n.Host(t, viewerIP)
	n.Start(t)
	s := newServer(t, host, peer.Config{})
	s.broadcastIn(t, "a", media.H264, peertest.NewAPI(t, peertest.Options{Net: away}), small())
	video, _, view := s.watchIn(t, "a", media.H264, peertest.NewAPI(t, peertest.Options{Net: far}))
	video.next(t)
	n.Lose(serverIP, 10)
	video.stretch(t, 60)
	n.Lose(serverIP, 0)
	if sent := view.viewer.Stats(); sent.Resent < 5 {
		t.Errorf("sent again: %+v", sent)
	}
}

// TestViewerLacksCodec: who cannot decode the stream is told what it is.
func TestViewerLacksCodec(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	s.broadcastIn(t, "a", media.H264, peertest.NewAPI(t, peertest.Options{}), small())
	c := peertest.NewAPI(t, peertest.Options{NoRTX: true}).NewClient(t) // it knows VP8 and Opus
	c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}, media.Opus: {}})
	sub, err := s.hub.Subscribe("a")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.port.NewViewer(t.Context(), c.Offer(t), tracks)
	if !errors.Is(err, peer.ErrUnsupported) || !strings.Contains(err.Error(), "H264") {
		t.Errorf("error %v", err)
	}
}
