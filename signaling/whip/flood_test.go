package whip_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
	"weir/signaling"
	"weir/signaling/whip"
)

// TestFlood: of 5,000 viewers that post an offer and never come, those beyond 500
// are told to try again later; within 12 s the others' sessions are gone, and
// there is room again. The clock is a fake one: the limits are the defaults.
func TestFlood(t *testing.T) {
	const flooding, most, within = 5000, 500, 12 * time.Second
	offer := viewer(t, peertest.NewAPI(t, peertest.Options{NoRTX: true}), nil).Offer(t)
	synctest.Test(t, func(t *testing.T) {
		mux := floodable(t)
		post := func() *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "/whep/live", strings.NewReader(offer))
			r.Header.Set("Content-Type", typeSDP)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			return w
		}
		var sessions []string
		for range flooding {
			w := post()
			switch after, _ := strconv.Atoi(w.Header().Get("Retry-After")); {
			case w.Code == http.StatusCreated:
				sessions = append(sessions, w.Header().Get("Location"))
			case w.Code != http.StatusServiceUnavailable || after < 1:
				t.Fatalf("status %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		}
		if len(sessions) != most {
			t.Errorf("%d sessions were begun", len(sessions))
		}
		time.Sleep(within)
		synctest.Wait()
		for _, path := range sessions {
			w := httptest.NewRecorder()
			if mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != http.StatusNotFound {
				t.Fatalf("%v later GET %s: status %d", within, path, w.Code)
			}
		}
		if w := post(); w.Code != http.StatusCreated {
			t.Errorf("afterwards: status %d: %s", w.Code, w.Body)
		}
	})
}

// floodable is an endpoint without a network, with one live stream.
func floodable(t *testing.T) *signaling.Routes {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	port, err := peer.New(peer.Config{Conn: &silence{closed: make(chan struct{})}})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := whip.New(whip.Config{Hub: hub, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("live", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	writers, err := pub.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.VP8})
	if err != nil {
		t.Fatal(err)
	}
	video := writers[0]
	video.WriteFrame(media.Frame{Sync: true, Data: sfutest.VP8Frame(0, true, 1000)})
	t.Cleanup(func() {
		if err := endpoint.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		pub.Close()
		port.Close()
	})
	mux := signaling.NewRoutes(nil, nil)
	endpoint.Register(mux)
	return mux
}

// silence is a UDP socket that nothing comes through. Nobody is told anything who
// has not shown that he is there, so nothing leaves either.
type silence struct {
	once   sync.Once
	closed chan struct{}
}

// ReadFrom implements net.PacketConn.
func (s *silence) ReadFrom([]byte) (int, net.Addr, error) {
	<-s.closed
	return 0, nil, net.ErrClosed
}

// WriteTo implements net.PacketConn.
func (s *silence) WriteTo([]byte, net.Addr) (int, error) { panic("something was sent to nobody") }

// Close implements net.PacketConn.
func (s *silence) Close() error { s.once.Do(func() { close(s.closed) }); return nil }

// LocalAddr implements net.PacketConn.
func (s *silence) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 5000} }

// SetDeadline implements net.PacketConn.
func (s *silence) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (s *silence) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (s *silence) SetWriteDeadline(time.Time) error { return nil }
