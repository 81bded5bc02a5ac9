package ws_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu"
	"weir/sfu/media"
	"weir/signaling/ws"
)

// TestUploadReturns: a publisher whose socket breaks and who connects again goes
// on with its stream: one recording, and one RTP stream for viewers of packets.
func TestUploadReturns(t *testing.T) {
	v := newPacketViewer()
	s := startUploadServer(t, ws.Config{}, time.Minute, func(sfu.StreamInfo) sfu.Sink { return v })
	path, chunks := sample(t, "av_ts100ms")
	var want []string
	for _, p := range probe(t, path)["vp8"] {
		want = append(want, p.hash)
	}
	size := 0
	for _, c := range chunks {
		size += len(c)
	}
	first := s.publish(t, "a")
	first.send(t, chunks...)
	first.awaitAccepted(t, size)
	first.conn.NetConn().Close()
	awaitTrue(t, "the grace", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.State == sfu.Waiting
	})
	before, _ := s.hub.Stream("a")

	second := s.publish(t, "a")
	session := second.await(t, "session")["id"].(string)
	second.send(t, chunks...)
	second.awaitAccepted(t, size)
	// The third comes before anybody has noticed that the second is lost.
	_, response, err := websocket.DefaultDialer.Dial(s.url+"/ws/publish/a?replaces=nobody", nil)
	if err == nil || response.StatusCode != http.StatusConflict {
		t.Errorf("a stranger: %v", err)
	}
	third := s.publish(t, "a?replaces="+session)
	if _, _, reason := second.rest(t); reason != "replaced" {
		t.Errorf("the second was told %q", reason)
	}
	third.send(t, chunks...)
	third.leave(t)
	s.settle(t)

	v.mu.Lock()
	defer v.mu.Unlock()
	if got := hashes(v.frames[media.VP8]); !slices.Equal(got, slices.Repeat(want, 3)) {
		t.Errorf("%d pictures, want 3 x %d", len(got), len(want))
	}
	for c, packets := range v.packets {
		for i, p := range packets[1:] {
			if before := packets[i]; p.Seq != before.Seq+1 || p.Time < before.Time || p.PTS < before.PTS {
				t.Fatalf("%v: packet %d (Seq %d, Time %d) follows Seq %d, Time %d", c, i+1, p.Seq, p.Time, before.Seq, before.Time)
			}
		}
	}
	samePictureIDs(t, v.packets[media.VP8])
	file, r := s.recording(t, "a")
	if got := probe(t, file)["vp8"]; len(got) != 3*len(want) || r.StreamID != before.ID {
		t.Errorf("the file has %d pictures, want 3 x %d", len(got), len(want))
	}
	if len(r.Gaps) != 4 { // of two tracks, at two places
		t.Errorf("the recording's gaps are %+v", r.Gaps)
	}
}

// TestUploadShutdownInGrace: a stream that waits for its publisher keeps nobody
// from shutting down.
func TestUploadShutdownInGrace(t *testing.T) {
	const grace = time.Minute
	s := startUploadServer(t, ws.Config{}, grace)
	_, chunks := sample(t, "av_ts100ms")
	u := s.publish(t, "a")
	u.send(t, chunks...)
	awaitTrue(t, "media", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.Live
	})
	u.conn.NetConn().Close()
	awaitTrue(t, "the grace", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.State == sfu.Waiting
	})
	start := time.Now()
	s.shutdown(t)
	if err := s.hub.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > grace/2 {
		t.Errorf("it took %v", took)
	}
	if _, r := s.recording(t, "a"); r.State != "finished" {
		t.Errorf("the recording is %s", r.State)
	}
}
