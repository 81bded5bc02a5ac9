package whip_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// TestReturn: a publisher that comes back by a new session, while the server has
// not noticed that the old one is lost, goes on with its stream. Its viewers see
// one RTP stream and keep their session.
func TestReturn(t *testing.T) {
	s := newServer(t, sfu.Config{Grace: time.Minute}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	_, session := s.publish(t, "a", api, small())
	before, err := s.hub.Stream("a")
	if err != nil {
		t.Fatal(err)
	}
	var frames, gaps atomic.Int64
	c := viewer(t, api, func(f media.Frame) {
		frames.Add(1)
		if f.Gap {
			gaps.Add(1)
		}
	})
	s.post(t, "/whep/a", c)
	s.awaitViewer(t, "a", c)
	eventually(t, "a picture", func() bool { return frames.Load() > 0 })

	stranger := api.NewClient(t)
	stranger.Send(t, media.Opus)
	s.post(t, "/whip/a?replaces=nobody", stranger).problem(t, "somebody else", http.StatusConflict)
	other := api.NewClient(t)
	other.Send(t, media.Opus)
	s.post(t, "/whip/b?replaces="+strings.TrimPrefix(session, "/session/"), other)
	if a := s.do(t, http.MethodGet, session, ""); a.status != http.StatusNoContent {
		t.Errorf("publishing under another name ended the session: status %d", a.status)
	}

	_, second := s.publish(t, "a?replaces="+strings.TrimPrefix(session, "/session/"), api, small())
	s.do(t, http.MethodGet, session, "").problem(t, "the old session", http.StatusGone)
	seen := frames.Load()
	eventually(t, "pictures of the new session", func() bool { return frames.Load() > seen+30 })
	after, err := s.hub.Stream("a")
	if err != nil || after.ID != before.ID || after.State != sfu.Live || after.Viewers != 1 {
		t.Errorf("the stream was %+v, is %+v, %v", before, after, err)
	}
	if gaps.Load() > 1 {
		t.Errorf("the viewer saw %d gaps", gaps.Load())
	}
	s.do(t, http.MethodDelete, second, "")
	if _, err := s.hub.Stream("a"); err == nil {
		t.Error("the stream outlives a publisher that stopped")
	}
}

// TestVanished: a publisher from which nothing comes any more is lost, not
// stopped. Whoever publishes under its name goes on with its stream, as soon as
// it has been silent for some seconds, and without knowing the old session.
func TestVanished(t *testing.T) {
	const serverIP, publisherIP, otherIP = "10.0.0.1", "10.0.0.2", "10.0.0.3"
	n := peertest.NewNetwork(t, time.Millisecond)
	serverHost, publisherHost, otherHost := n.Host(t, serverIP), n.Host(t, publisherIP), n.Host(t, otherIP)
	n.Start(t)
	s := newServer(t, sfu.Config{Grace: time.Minute}, peer.Config{
		Net: serverHost, Conn: peertest.Listen(t, serverHost, serverIP+":5000"),
	})
	s.publish(t, "a", peertest.NewAPI(t, peertest.Options{Net: publisherHost}), small())
	before, err := s.hub.Stream("a")
	if err != nil {
		t.Fatal(err)
	}
	n.Lose(publisherIP, 100)

	c := peertest.NewAPI(t, peertest.Options{Net: otherHost}).NewClient(t)
	b := small()
	b.Audio, b.Video = c.Send(t, media.Opus), c.Send(t, media.VP8)
	offer := c.Offer(t)
	eventually(t, "the name", func() bool {
		time.Sleep(200 * time.Millisecond)
		a := s.do(t, http.MethodPost, "/whip/a", offer, "Content-Type: "+typeSDP)
		if a.status == http.StatusConflict {
			return false
		}
		if a.status != http.StatusCreated {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		c.Answer(t, a.body)
		return true
	})
	if i, err := s.hub.Stream("a"); err != nil || i.ID != before.ID || i.State != sfu.Waiting || i.Source != "webrtc" {
		t.Errorf("the stream was %+v, is %+v, %v", before, i, err)
	}
	c.AwaitConnected(t)
	b.Start(t)
	eventually(t, "media", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.State == sfu.Live && i.ID == before.ID
	})
}
