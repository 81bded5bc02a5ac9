package load

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
	"weir/sfu/udp"
	"weir/signaling"
	"weir/signaling/whip"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// newServer runs a server without recorder on loopback and returns its URL.
func newServer(t *testing.T) string {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := udp.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, err := peer.New(peer.Config{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	stop := peertest.Serve(t, port)
	endpoint, err := whip.New(whip.Config{Hub: hub, Port: port, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	endpoint.Register(mux)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := endpoint.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		h.Close()
		stop()
	})
	return h.URL
}

// config is a small load on the server at a URL.
func config(url string) Config {
	return Config{
		WHIP: url + "/whip/{name}", WHEP: url + "/whep/{name}", Name: "test",
		Streams: 1, Viewers: 5, Duration: 3 * time.Second,
		FrameRate: 30, Bitrate: 1_000_000, KeyframeInterval: time.Second, AudioBitrate: 32_000, AnswerPLI: true,
		DecryptEvery: 20,
	}
}

func expect(t *testing.T, text string) []Expectation {
	t.Helper()
	e, err := ParseExpect(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRun: all that is sent arrives, is counted, and is judged.
func TestRun(t *testing.T) {
	c := config(newServer(t))
	c.PID = os.Getpid()
	c.Expect = expect(t, "loss<=0%, packets>=100, max<10s, keyframe_p95<10s")
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Received
	if r.Joined != 5 || r.Failed != 0 || r.Ended != 0 || r.Silent != 0 || r.LostStreams != 0 {
		t.Errorf("joined %d, failed %d, ended %d, silent %d, lost streams %d", r.Joined, r.Failed, r.Ended, r.Silent, r.LostStreams)
	}
	if r.LossPercent != 0 || got.Lost != 0 || got.Gaps != 0 || got.Skipped != 0 || got.Unstamped != 0 || got.Packets != got.Expected {
		t.Errorf("lost %d, skipped %d, %d of %d packets", got.Lost, got.Skipped, got.Packets, got.Expected)
	}
	// 3 s of 30 frames in 4 or 5 packets and 50 pieces of sound.
	if got.Packets != 5*r.Sent.Packets || r.Sent.Packets < 3*150 {
		t.Errorf("%d packets received of %d sent to 5 viewers", got.Packets, r.Sent.Packets)
	}
	if got.Authenticated < got.Packets/25 || got.Undecryptable != 0 || got.UnknownType != 0 || got.Duplicates != 0 {
		t.Errorf("%d decrypted, %d not, %d of unknown type, %d twice", got.Authenticated, got.Undecryptable, got.UnknownType, got.Duplicates)
	}
	if l := r.Latency; l.Samples != uint64(got.Packets) || l.Negative != 0 || l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max {
		t.Errorf("latency %+v of %d packets", l, got.Packets)
	}
	if r.Join.Vain+r.Keyframe.Vain != 0 || r.Join.P50 <= 0 || r.Keyframe.P50 < r.Join.P50 {
		t.Errorf("join %+v, keyframe %+v", r.Join, r.Keyframe)
	}
	if r.Server == nil || r.Server.RSSEnd == 0 || r.Server.CPUPerPacket <= 0 || r.Generator.ViewerPerPacket <= 0 {
		t.Errorf("server %+v, generator %+v", r.Server, r.Generator)
	}
	if r.Verdict != VerdictPass || r.Missed() != "" || len(r.Checks) != 4 {
		t.Errorf("verdict %s: %s; %+v", r.Verdict, r.Missed(), r.Checks)
	}
}

// TestInterrupted: what was found until then is told.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := config(newServer(t))
	c.Duration = time.Hour
	c.Streams, c.Viewers = 2, 2
	time.AfterFunc(3*time.Second, cancel)
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Joined != 4 || r.Received.Packets == 0 || r.LossPercent != 0 || r.Verdict != VerdictNone {
		t.Errorf("%+v", r)
	}
}
