package peer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// shown is what a viewer was sent of a track: when each frame was made, in truth, and
// its RTP time; and the instants of sender reports.
type shown struct {
	made    []time.Duration
	stamps  []uint32
	reports []*rtcp.SenderReport
}

// instant returns when a frame was made as one report tells it, on the clock that all
// reports share (RFC 3550 section 6.4.1).
func (s *shown) instant(c media.Codec, frame, report int) time.Duration {
	r := s.reports[report]
	return media.NTPDuration(r.NTPTime) + c.Duration(int64(int32(s.stamps[frame]-r.RTPTime)))
}

// TestViewersSync: a flash and a beep that were made at once are at once by what a viewer
// is sent, RTP times and sender reports, whichever report it goes by: those before a
// jump of a publisher's clock, and those after. So a player has nothing to find anew.
func TestViewersSync(t *testing.T) {
	const (
		ms     = time.Millisecond
		when   = 5 * time.Second
		length = 12 * time.Second
		delay  = 20 * ms
		most   = 5 * ms
	)
	for _, tt := range []struct {
		name   string
		codec  media.Codec // whose clock jumps
		by     time.Duration
		jitter time.Duration // which holds up its packets when it does
		truth  bool          // the publisher's reports, each second
	}{
		{"no jump", media.VP8, 0, 0, true},
		{"the picture ahead", media.VP8, 5 * time.Second, 0, true},
		{"the picture ahead, no reports", media.VP8, 5 * time.Second, 0, false},
		{"the picture back", media.VP8, -5 * time.Second, 0, true},
		{"the sound ahead", media.Opus, 5 * time.Second, 0, true},
		{"the sound back, no reports", media.Opus, -600 * ms, 0, false},
		{"the picture under jitter", media.VP8, -5 * time.Second, 300 * ms, true},
		{"the picture under jitter, no reports", media.VP8, 5 * time.Second, 300 * ms, false},
		{"the sound under jitter", media.Opus, 5 * time.Second, 300 * ms, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent := map[media.Codec]*shown{}
			for _, c := range []media.Codec{media.VP8, media.Opus} {
				clock := func(at time.Duration) uint32 {
					if c == tt.codec && at >= when {
						at += tt.by
					}
					return uint32(c.Ticks(at)) + 1<<31
				}
				arrival := func(at time.Duration) time.Duration {
					if c == tt.codec && at >= when {
						at = max(at, when+tt.jitter)
					}
					return at + delay
				}
				sent[c] = sendOneTrack(t, c, length, clock, arrival, tt.truth)
			}
			// What the jitter has placed too late is made up for within as much time again.
			counts := func(made time.Duration) bool { return tt.jitter == 0 || made < when || made > when+tt.jitter+100*ms }
			flash, beep := sent[media.VP8], sent[media.Opus]
			start := flash.instant(media.VP8, 0, 0)
			for c, s := range sent {
				if len(s.reports) < int(length/time.Second) {
					t.Fatalf("%d reports", len(s.reports))
				}
				for frame, made := range s.made {
					for report := range s.reports {
						off := s.instant(c, frame, report) - start - made
						if counts(made) && off.Abs() > most {
							t.Fatalf("the %v of %v is %v off by report %d", c, made, off, report)
						}
					}
				}
			}
			if len(beep.made) != int(length/(20*ms)) || len(flash.made) != int(length/(40*ms)) {
				t.Errorf("%d pictures and %d pieces of sound were sent", len(flash.made), len(beep.made))
			}
		})
	}
}

// sendOneTrack has a publisher send a track whose clock and network are given, and returns
// what a viewer gets of it.
func sendOneTrack(t *testing.T, c media.Codec, length time.Duration, clock func(at time.Duration) uint32, arrival func(at time.Duration) time.Duration, truth bool) *shown {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "track", Codec: c})
	if err != nil {
		t.Fatal(err)
	}
	writer := writers[0]
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := &discard{keep: true}
	out := newSender(tracks[0], sdp.Media{PayloadType: 96}, sdp.Source{SSRC: 1}, make(chan struct{}, 1))
	route := &egress{sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm), to, netip.MustParseAddrPort("192.0.2.1:1")}
	format, _ := codec.For(c)
	packetizer, in := format.NewPacketizer(0), rtptest.NewWriter(c, writer, nil)
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &shown{}
	step, payload := 20*time.Millisecond, sfutest.OpusFrame(0, 100)
	if c.Kind() == media.Video {
		step = 40 * time.Millisecond
	}
	for at := time.Duration(0); at < length; at += step {
		if c.Kind() == media.Video {
			payload = sfutest.VP8Frame(int(at/step), at == 0, 100)
		}
		packetizer.Packetize(&media.Frame{PTS: at, Sync: at == 0, Data: payload}, func(p media.Packet) {
			in.WritePacket(rtptest.Packet{Seq: uint16(p.Seq), Time: clock(at), Marker: p.Marker, Arrival: arrival(at), Payload: p.Payload})
			out.write(route, []*media.Packet{tracks[0].Packet(1<<32 + p.Seq)}, false)
			s.made = append(s.made, at)
		})
		// A viewer's reports are sent at any time, the first with the first packet.
		if now := arrival(at) + 3*time.Millisecond; now >= time.Duration(len(s.reports))*time.Second {
			if report := out.senderReport(now, wall.Add(now)); report != nil {
				s.reports = append(s.reports, report[0].(*rtcp.SenderReport))
			}
		}
		if truth && at%time.Second == 500*time.Millisecond {
			in.SyncClock(media.NTPTime(wall.Add(at+time.Hour)), clock(at), arrival(at))
		}
	}
	for _, datagram := range to.kept {
		var h rtp.Header
		if _, err := h.Unmarshal(datagram); err != nil { // it is in the clear (RFC 3711 section 3.1)
			t.Fatal(err)
		}
		s.stamps = append(s.stamps, h.Timestamp)
	}
	return s
}
