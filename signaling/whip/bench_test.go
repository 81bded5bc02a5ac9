package whip_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
)

// BenchmarkJoin measures the time from a viewer's POST until it has the first
// picture that it can decode, whole, while the publisher of 2.5 Mbit/s sends a
// keyframe only every 10 s and does not answer requests for one.
func BenchmarkJoin(b *testing.B) {
	const (
		samples   = 50
		group     = 10 * time.Second
		frameSize = 2_500_000 / 8 / 30
	)
	s := newServer(b, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(b, peertest.Options{})
	broadcast := &peertest.Broadcast{KeyEvery: int(group / peertest.FrameTime), Deaf: true, Size: frameSize, KeySize: 4 * frameSize}
	s.publish(b, "a", api, broadcast)
	var took []time.Duration
	for b.Loop() {
		took = took[:0]
		for range samples {
			took = append(took, s.timeJoin(b, api))
			time.Sleep(group / samples) // so that they come at all distances from a keyframe
		}
	}
	slices.Sort(took)
	percentile := func(p int) float64 { return float64(took[(len(took)-1)*p/100].Microseconds()) / 1000 }
	b.ReportMetric(percentile(50), "p50-ms")
	b.ReportMetric(percentile(95), "p95-ms")
}

// timeJoin joins once.
func (s *server) timeJoin(b *testing.B, api *peertest.API) time.Duration {
	b.Helper()
	first := make(chan time.Time, 1)
	seen := false
	c := viewer(b, api, func(f media.Frame) {
		n, intact := sfutest.VP8Number(f.Data)
		if !intact || !seen && !f.Sync {
			b.Errorf("frame %d: intact %v, keyframe %v", n, intact, f.Sync)
		}
		if !seen {
			seen = true
			first <- time.Now()
		}
	})
	offer := c.Offer(b) // a page has its offer when it asks
	start := time.Now()
	a := s.do(b, http.MethodPost, "/whep/a", offer, "Content-Type: "+typeSDP)
	if a.status != http.StatusCreated {
		b.Fatalf("status %d: %s", a.status, a.body)
	}
	c.Answer(b, a.body)
	select {
	case at := <-first:
		c.Close()
		return at.Sub(start)
	case <-time.After(patience):
		b.Fatal("no picture")
		return 0
	}
}
