package peer_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
)

// TestJoinInMidstream: a viewer that comes long after the last keyframe of a
// publisher that does not answer requests for one gets that keyframe and everything
// since, with the time in between squeezed.
func TestJoinInMidstream(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	b := small()
	b.KeyEvery, b.Deaf = 150, true
	pub, _ := s.broadcast(t, "a", api, b)
	const late = 75 // frames after the keyframe
	eventually(t, "media", func() bool { return b.VideoSent.Load() >= late })
	joined := b.VideoSent.Load()
	video, _, view := s.watch(t, "a", api)
	n, first := video.nextFrame(t)
	if n != 0 || !first.Sync {
		t.Fatalf("the first frame is %d, want the keyframe 0", n)
	}
	behind := int(b.VideoSent.Load())
	last := first
	for i := 1; i < behind+30; i++ {
		n, f := video.nextFrame(t)
		if n != i || f.PTS <= last.PTS {
			t.Fatalf("frame %d comes after %d, %v later; sent %+v of %+v", n, i-1, f.PTS-last.PTS, view.viewer.Stats(), pub.pub.Info().Tracks)
		}
		last = f
	}
	// A frame is to be shown when it is sent, but for a 24th of how old it is.
	most := time.Duration(b.VideoSent.Load()-joined)*peertest.FrameTime + time.Duration(behind)*peertest.FrameTime/24 + peertest.FrameTime
	if took := last.PTS - first.PTS; took > most {
		t.Errorf("%d frames are to be shown within %v, want %v: the viewer stays behind", behind+30, took, most)
	}
	checkNoHole(t, video.packets)
}

// checkNoHole checks that the sequence numbers of what has come go on one by one.
// One may come twice: what a socket drops when its reader is late is sent again,
// and pion goes on asking for what came as a retransmission.
func checkNoHole(t *testing.T, packets <-chan *rtp.Packet) {
	t.Helper()
	var unwrap media.Unwrapper[uint16]
	var seen []uint64
	for len(packets) > 0 {
		seen = append(seen, unwrap.Unwrap((<-packets).SequenceNumber))
	}
	slices.Sort(seen)
	seen = slices.Compact(seen)
	for i := range seen[1:] {
		if seen[i+1] != seen[i]+1 {
			t.Fatalf("sequence number %d follows %d", seen[i+1], seen[i])
		}
	}
}

// TestJoinAtNewestKeyframe: of several keyframes in the ring the newest counts.
func TestJoinAtNewestKeyframe(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	b := small()
	b.KeyEvery = 20
	s.broadcast(t, "a", api, b)
	eventually(t, "media", func() bool { return b.VideoSent.Load() > 70 })
	from := int(b.VideoSent.Load())
	video, _, _ := s.watch(t, "a", api)
	if n, f := video.nextFrame(t); n%b.KeyEvery != 0 || !f.Sync || n < from-b.KeyEvery {
		t.Errorf("%d frames were sent; the viewer starts at frame %d", from, n)
	}
}

// TestKeyframeRequests: however many viewers ask and however often, the publisher
// is asked at most once a second.
func TestKeyframeRequests(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	b := small()
	b.KeyEvery, b.Deaf = 1_000_000, true // it never answers, so that requests are repeated
	s.broadcast(t, "a", api, b)
	var clients []*peertest.Client
	for range 3 {
		c := api.NewClient(t)
		c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}})
		s.view(t, "a", c)
		c.AwaitConnected(t)
		clients = append(clients, c)
	}
	start, before := time.Now(), b.Video.Requests.Load()
	for time.Since(start) < 2500*time.Millisecond {
		for _, c := range clients {
			for _, r := range c.PC.GetReceivers() {
				if track := r.Track(); track != nil {
					// Errors mean that the connection is not up yet, or gone.
					_ = c.PC.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	asked, seconds := b.Video.Requests.Load()-before, time.Since(start).Seconds()
	if asked < 2 || float64(asked) > seconds+1 {
		t.Errorf("in %.1f s the publisher was asked %d times", seconds, asked)
	}
}

// clock is what a viewer knows of one track's time.
type clock struct {
	mu       sync.Mutex
	reports  map[uint64]uint32 // RTP time by NTP time
	newest   uint64
	captured time.Duration // when the newest frame was captured
	stamp    uint32        // its RTP time
}

func (c *clock) incoming(k media.Codec) peertest.Incoming {
	step, number := peertest.FrameTime, sfutest.VP8Number
	if k == media.Opus {
		step, number = peertest.SoundTime, sfutest.OpusNumber
	}
	return peertest.Incoming{
		OnFrame: func(f media.Frame) {
			n, _ := number(f.Data)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.captured, c.stamp = time.Duration(n)*step, uint32(k.Ticks(f.PTS))
		},
		OnReport: func(sr *rtcp.SenderReport) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.reports[sr.NTPTime] = sr.RTPTime
			c.newest = max(c.newest, sr.NTPTime)
		},
	}
}

// origin is what the newest report says the time was when frame 0 was captured.
func (c *clock) origin(k media.Codec) (at time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.reports) == 0 || c.stamp == 0 {
		return 0, false
	}
	since := k.Duration(int64(int32(c.reports[c.newest] - c.stamp))) // from the frame to the report
	return media.NTPDuration(c.newest) - c.captured - since, true
}

// TestSenderReports: the reports of both tracks refer to one clock, so that what
// was captured together is played together.
func TestSenderReports(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.broadcast(t, "a", api, small())
	video, audio := &clock{reports: map[uint64]uint32{}}, &clock{reports: map[uint64]uint32{}}
	c := api.NewClient(t)
	c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: video.incoming(media.VP8), media.Opus: audio.incoming(media.Opus)})
	s.view(t, "a", c)
	// The client's own reports are off by as much as its frames are sent late, and
	// the server follows them slowly: what counts is that it gets there.
	eventually(t, "lip sync within 40 ms", func() bool {
		v, some := video.origin(media.VP8)
		a, both := audio.origin(media.Opus)
		return some && both && (v-a).Abs() < 40*time.Millisecond
	})
	eventually(t, "reports of both tracks for the same instant", func() bool {
		video.mu.Lock()
		defer video.mu.Unlock()
		audio.mu.Lock()
		defer audio.mu.Unlock()
		common := 0
		for ntp := range video.reports {
			if _, ok := audio.reports[ntp]; ok {
				common++
			}
		}
		return common >= 3
	})
}

// TestSecondSenderReport: a viewer gets a second report of each track soon after the first
// one, without which a browser does not know the track's clock.
func TestSecondSenderReport(t *testing.T) {
	const soon = 700 * time.Millisecond // and a second without
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.broadcast(t, "a", api, small())
	var apart time.Duration
	for range 5 { // a machine that has no time may be slow once
		tracks := []*clock{{reports: map[uint64]uint32{}}, {reports: map[uint64]uint32{}}}
		c := api.NewClient(t)
		c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: tracks[0].incoming(media.VP8), media.Opus: tracks[1].incoming(media.Opus)})
		s.view(t, "a", c)
		apart = 0
		for _, track := range tracks {
			eventually(t, "two reports", func() bool {
				track.mu.Lock()
				defer track.mu.Unlock()
				if len(track.reports) < 2 {
					return false
				}
				at := slices.Sorted(maps.Keys(track.reports))
				apart = max(apart, media.NTPDuration(at[1])-media.NTPDuration(at[0]))
				return true
			})
		}
		c.Close()
		if apart < soon {
			return
		}
	}
	t.Errorf("the first two reports are %v apart", apart)
}
