package e2e

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"weir/sfu/sfutest"
)

// The sizes of the frames that a whipPublisher sends tell their numbers: so a
// test can read from any program's list of packets which frames are there.
const (
	videoBase = 200
	audioBase = 50
)

// whipPublisher is a WHIP client that sends synthetic frames: a picture every 33 ms
// with a keyframe every second, and a piece of sound every 20 ms.
type whipPublisher struct {
	pc      *webrtc.PeerConnection
	session string // URL
	quit    chan struct{}
	running sync.WaitGroup

	mu   sync.Mutex
	sent map[string][]time.Time // by kind, then by number of the frame
}

// publishFrames publishes under a URL of /whip/ until the test ends.
func publishFrames(t *testing.T, url string) *whipPublisher {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &whipPublisher{pc: pc, quit: make(chan struct{}), sent: map[string][]time.Time{}}
	t.Cleanup(p.stop)
	connected := make(chan struct{})
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	video := p.addTrack(t, webrtc.MimeTypeVP8, 90000)
	audio := p.addTrack(t, webrtc.MimeTypeOpus, 48000)
	p.session = p.connect(t, url)
	select {
	case <-connected:
	case <-time.After(10 * time.Second):
		t.Fatal("the publisher did not connect")
	}
	p.running.Go(func() {
		p.send(video, time.Second/30, func(n int) []byte { return sfutest.VP8Frame(n, n%30 == 0, videoBase+n) })
	})
	p.running.Go(func() {
		p.send(audio, 20*time.Millisecond, func(n int) []byte { return sfutest.OpusFrame(n, audioBase+n) })
	})
	return p
}

func (p *whipPublisher) addTrack(t *testing.T, mime string, rate uint32) *webrtc.TrackLocalStaticSample {
	t.Helper()
	kind, _, _ := strings.Cut(mime, "/")
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate}, kind, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	return track
}

// connect makes the exchange of WHIP and returns the URL of the session.
func (p *whipPublisher) connect(t *testing.T, url string) string {
	t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url, "application/sdp", strings.NewReader(offer.SDP))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("POST %s: %s, %v: %s", url, response.Status, err, answer)
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		t.Fatal(err)
	}
	session, err := response.Request.URL.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return session.String()
}

// send sends a frame every interval until the publisher stops.
func (p *whipPublisher) send(track *webrtc.TrackLocalStaticSample, interval time.Duration, frame func(n int) []byte) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; n++ {
		// An error means that the connection is gone, which the test sees by itself.
		_ = track.WriteSample(media.Sample{Data: frame(n), Duration: interval})
		p.mu.Lock()
		p.sent[track.ID()] = append(p.sent[track.ID()], time.Now())
		p.mu.Unlock()
		select {
		case <-tick.C:
		case <-p.quit:
			return
		}
	}
}

// lastBefore returns the number of the last frame of that kind that was sent
// before an instant, or -1.
func (p *whipPublisher) lastBefore(kind string, at time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := -1
	for n, sent := range p.sent[kind] {
		if sent.Before(at) {
			last = n
		}
	}
	return last
}

// stop closes the connection. Stopping twice is fine.
func (p *whipPublisher) stop() {
	select {
	case <-p.quit:
		return
	default:
	}
	close(p.quit)
	p.running.Wait()
	_ = p.pc.Close() // the server may have gone first
}

// sentAt returns when a frame was sent.
func (p *whipPublisher) sentAt(kind string, n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[kind][n]
}
