package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// otherServer is a WHIP and WHEP server that has nothing in common with ours: a
// full ICE agent that is the client of DTLS, and that leaves out every fiftieth
// packet of the video.
type otherServer struct {
	t        *testing.T
	api      *webrtc.API
	renumber bool // leave no gaps

	mu      sync.Mutex
	pcs     []*webrtc.PeerConnection
	tracks  []*webrtc.TrackLocalStaticRTP
	fates   map[media.Kind]map[uint32]fate // by the numbers of the stamps
	sent    map[media.Kind]map[uint16]bool // the sequence numbers that it gave to what it passed on
	reading sync.WaitGroup
}

const leaveOut = 50

// fate is what became of a packet at the server; none if it never came.
type fate int

const (
	passedOn fate = iota + 1
	leftOut
)

func newOtherServer(t *testing.T, renumber bool) (*otherServer, string) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	s := &otherServer{
		t: t, api: webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings),
			// It asks for nothing again: what is lost on the way to it stays lost.
			webrtc.WithInterceptorRegistry(&interceptor.Registry{})), renumber: renumber,
		fates: map[media.Kind]map[uint32]fate{media.Audio: {}, media.Video: {}},
		sent:  map[media.Kind]map[uint16]bool{media.Audio: {}, media.Video: {}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/{name}", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.publisher) })
	mux.HandleFunc("POST /whep/{name}", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.viewer) })
	mux.HandleFunc("DELETE /session", func(http.ResponseWriter, *http.Request) {})
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		h.Close()
		for _, pc := range s.pcs {
			if err := pc.GracefulClose(); err != nil {
				t.Error(err)
			}
		}
		s.reading.Wait()
	})
	return s, h.URL
}

func (s *otherServer) answer(w http.ResponseWriter, r *http.Request, prepare func(*webrtc.PeerConnection) error) {
	offer, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pc, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.pcs = append(s.pcs, pc)
	gathered := webrtc.GatheringCompletePromise(pc)
	err = prepare(pc)
	if err == nil {
		err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)})
	}
	if err == nil {
		var answer webrtc.SessionDescription
		if answer, err = pc.CreateAnswer(nil); err == nil {
			err = pc.SetLocalDescription(answer)
		}
	}
	if err != nil {
		s.t.Error(err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	<-gathered
	w.Header().Set("Content-Type", typeSDP)
	w.Header().Set("Location", "/session")
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, pc.LocalDescription().SDP)
}

func (s *otherServer) publisher(pc *webrtc.PeerConnection) error {
	for _, mime := range []string{webrtc.MimeTypeVP8, webrtc.MimeTypeOpus} {
		t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, mime, "other")
		if err != nil {
			return err
		}
		s.tracks = append(s.tracks, t)
	}
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		s.reading.Add(1)
		defer s.reading.Done()
		video := remote.Kind() == webrtc.RTPCodecTypeVideo
		out := s.tracks[1]
		if video {
			out = s.tracks[0]
		}
		for n, less := 1, uint16(0); ; n++ {
			p, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			fate := passedOn
			if video && n%leaveOut == 0 {
				fate = leftOut
			}
			s.note(video, p, fate, p.SequenceNumber-less)
			if fate == leftOut {
				if s.renumber {
					less++
				}
				continue
			}
			p.SequenceNumber -= less
			_ = out.WriteRTP(p)
		}
	})
	return nil
}

// note notes what becomes of a packet: seq is its sequence number if it is passed on.
func (s *otherServer) note(video bool, p *rtp.Packet, f fate, seq uint16) {
	kind, size := media.Audio, 0
	if video {
		kind = media.Video
		_, size, _ = codec.ParseVP8Descriptor(p.Payload)
	}
	number, ok := readStamp(p.Payload[size:])
	if !ok {
		s.t.Error("a packet without stamp")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fates[kind][number] = f; f == passedOn {
		s.sent[kind][seq] = true
	}
}

// beyond reports whether packets have come that were sent after the measurement: those
// of the measurement have come before them, or never will.
func (s *otherServer) beyond(p *publisher) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, fates := range s.fates {
		later := false
		for number := range fates {
			later = later || int64(number) >= p.window[kind].last
		}
		if !later {
			return false
		}
	}
	return true
}

// inWindow returns what a viewer's track has to count: the sequence numbers of its window
// that the server gave to no packet, and the packets between the first and the last of
// its window for which the server left no gap. The window is one of receiving, and each
// track's has its own bounds.
func (s *otherServer) inWindow(t *track) (gaps, skipped int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for seq := t.window.from; seq <= t.window.to; seq++ {
		if !s.sent[t.kind][uint16(seq)] {
			gaps++
		}
	}
	for number := t.window.first.number; s.renumber && number < t.window.last.number; number++ {
		if s.fates[t.kind][number] == leftOut {
			skipped++
		}
	}
	return gaps, skipped
}

// count returns how many packets of the measurement had a fate.
func (s *otherServer) count(p *publisher, want fate) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, fates := range s.fates {
		for number := p.window[kind].first; number < p.window[kind].last; number++ {
			if fates[uint32(number)] == want {
				n++
			}
		}
	}
	return n
}

func (s *otherServer) viewer(pc *webrtc.PeerConnection) error {
	for _, t := range s.tracks {
		if _, err := pc.AddTrack(t); err != nil {
			return err
		}
	}
	return nil
}

// TestLossIsExact: what a server leaves out is counted, to the packet, whether it
// leaves a gap or not; and the server need not be ours.
func TestLossIsExact(t *testing.T) {
	for name, renumber := range map[string]bool{"with gaps": false, "renumbered": true} {
		t.Run(name, func(t *testing.T) {
			s, url := newOtherServer(t, renumber)
			c := config(url)
			c.Viewers, c.Duration = 3, 2*time.Second
			r := &loadTest{c: c, report: &Report{Streams: 1, Viewers: 3}}
			defer r.close(t.Context())
			if err := r.publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.open(); err != nil {
				t.Fatal(err)
			}
			if err := r.watch(t.Context()); err != nil {
				t.Fatal(err)
			}
			var m measurement
			sleep(t.Context(), settleTime)
			_ = r.fleet.do(func() { m.open(r) })
			sleep(t.Context(), c.Duration)
			_ = r.fleet.do(func() { m.end(r) })
			viewers := int64(c.Viewers)
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				var came int64 // of what the server passes on, which may be on its way
				_ = r.fleet.do(func() {
					for _, v := range r.fleet.viewers {
						for _, track := range v.tracks {
							came += track.measured
						}
					}
				})
				if s.beyond(r.publishers[0]) && came >= viewers*s.count(r.publishers[0], passedOn) {
					break
				}
			}
			r.fleet.stop()
			r.reading.Wait()
			r.collect(m)

			out, never := viewers*s.count(r.publishers[0], leftOut), viewers*s.count(r.publishers[0], 0)
			got := r.report.Received
			if got.Lost != out+never || got.Expected != viewers*r.report.Sent.Packets || got.Packets != got.Expected-got.Lost || out < 9 {
				t.Errorf("%d lost of %d packets; the server left out %d, and %d never came there", got.Lost, got.Expected, out, never)
			}
			var gaps, skipped int64
			for _, v := range r.fleet.viewers {
				for _, track := range v.tracks {
					g, k := s.inWindow(track)
					gaps, skipped = gaps+g, skipped+k
				}
			}
			if got.Gaps != gaps || got.Skipped != skipped || gaps+skipped < 9 {
				t.Errorf("%d gaps and %d left out without one, want %d and %d", got.Gaps, got.Skipped, gaps, skipped)
			}
			if r.report.Keyframe.Vain != 0 || got.Undecryptable != 0 || r.report.LossPercent != 100*ratio(out+never, got.Expected) || r.report.LossPercent < 1 {
				t.Errorf("%+v", r.report)
			}
			r.report.Checks, r.report.Verdict = nil, ""
			judge(r.report, expect(t, "loss<0.1%"))
			if r.report.Verdict != VerdictFail || r.report.Missed() == "" {
				t.Errorf("verdict %s: %q", r.report.Verdict, r.report.Missed())
			}
		})
	}
}
