package whip_test

import (
	"net/http"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// TestEarlyViewer: a viewer that comes while the publisher is connecting is answered
// when that is through.
func TestEarlyViewer(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	sender := api.NewClient(t)
	b := small()
	b.Audio, b.Video = sender.Send(t, media.Opus), sender.Send(t, media.VP8)
	created := s.do(t, http.MethodPost, "/whip/a", sender.Offer(t), "Content-Type: "+typeSDP)
	if created.status != http.StatusCreated {
		t.Fatalf("status %d: %s", created.status, created.body)
	}
	pictures := make(chan struct{}, 1)
	receiver := viewer(t, api, func(media.Frame) {
		select {
		case pictures <- struct{}{}:
		default:
		}
	})
	offer, watched := receiver.Offer(t), make(chan answer, 1)
	go func() { watched <- s.do(t, http.MethodPost, "/whep/a", offer, "Content-Type: "+typeSDP) }()
	select {
	case a := <-watched:
		t.Fatalf("at once: status %d: %s", a.status, a.body)
	case <-time.After(100 * time.Millisecond):
	}
	sender.Answer(t, created.body)
	sender.AwaitConnected(t)
	b.Start(t)
	a := <-watched
	if a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	receiver.Answer(t, a.body)
	select {
	case <-pictures:
	case <-time.After(patience):
		t.Error("no picture comes")
	}
}

// TestOddOffers: what players and publishers offer besides their media is answered, and
// media flow.
func TestOddOffers(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	sender := api.NewClient(t)
	b := small()
	b.Audio = sender.Send(t, media.Opus)
	if _, err := sender.PC.CreateDataChannel("chat", nil); err != nil {
		t.Fatal(err)
	}
	b.Video = sender.Send(t, media.VP8)
	if a := s.post(t, "/whip/a", sender); a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	sender.AwaitConnected(t)
	b.Start(t)
	eventually(t, "media", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.Live && len(i.Tracks) == 2 && i.Tracks[0].Packets > 0 && i.Tracks[1].Packets > 0
	})
	pictures := make(chan struct{}, 1)
	receiver := viewer(t, api, func(media.Frame) {
		select {
		case pictures <- struct{}{}:
		default:
		}
	})
	if _, err := receiver.PC.CreateDataChannel("unused", nil); err != nil {
		t.Fatal(err)
	}
	if a := s.post(t, "/whep/a", receiver); a.status != http.StatusCreated {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	select {
	case <-pictures:
	case <-time.After(patience):
		t.Error("no picture comes")
	}
}
