package recorder

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// TestGoesOnUnderAnotherSSRC: where a publisher goes on under another SSRC without a
// loss, nothing is missing, from whatever source; where it was away, or the end of the
// stream before did not come, something is.
func TestGoesOnUnderAnotherSSRC(t *testing.T) {
	for _, tt := range []struct {
		name    string
		info    media.TrackInfo
		away    time.Duration
		unsent  int // frames before the change that do not come
		gaps    int
		verdict string
	}{
		{"sound, at once", media.TrackInfo{ID: "audio", Codec: media.Opus}, 0, 0, 0, "clean"},
		{"sound, a second later", media.TrackInfo{ID: "audio", Codec: media.Opus}, time.Second, 0, 1, "poor"},
		{"sound without its end", media.TrackInfo{ID: "audio", Codec: media.Opus}, 0, 2, 1, "poor"},
		{"a picture, at once", media.TrackInfo{ID: "video", Codec: media.VP8}, 0, 0, 0, "clean"},
		{"a picture, a second later", media.TrackInfo{ID: "video", Codec: media.VP8}, time.Second, 0, 1, "poor"},
		{"a picture without its end", media.TrackInfo{ID: "video", Codec: media.VP8}, 0, 2, 1, "poor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				r, hub := newTest(t, dir)
				pub, err := hub.Publish("a", sfu.PublishOptions{Record: true})
				if err != nil {
					t.Fatal(err)
				}
				writers, err := pub.AddTracks(sfu.Packets, tt.info)
				if err != nil {
					t.Fatal(err)
				}
				in := rtptest.NewWriter(tt.info.Codec, writers[0], nil)
				err = pub.Run(t.Context(), &broadcast{script: func(*broadcast) {
					for n := range 200 {
						if n == 100 {
							time.Sleep(tt.away)
							in.Restart()
						}
						if n < 100-tt.unsent || n >= 100 {
							for _, p := range packetsOf(tt.info.Codec, n) {
								p.Arrival = pub.Now()
								in.WritePacket(p)
							}
						}
						time.Sleep(audioStep)
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				rec, _ := only(t, r, dir)
				if len(rec.Gaps) != tt.gaps || rec.Quality.Verdict != tt.verdict || rec.Frames != int64(200-tt.unsent) {
					t.Errorf("%s, %d frames, gaps %+v", rec.Quality.Verdict, rec.Frames, rec.Gaps)
				}
			})
		})
	}
}

// packetsOf returns the packets of the frame n of a publisher that goes on under another
// SSRC, with other numbers and times, and with a keyframe, at frame 100. A frame lasts 20
// ms and has two packets if it is a picture.
func packetsOf(c media.Codec, n int) (packets []rtptest.Packet) {
	base := n / 100 * 7000
	at := uint32(base + n*int(c.Ticks(audioStep)))
	if c == media.Opus {
		return []rtptest.Packet{{Seq: uint16(base + n), Time: at, Payload: sfutest.OpusFrame(n, 20)}}
	}
	format, _ := codec.For(c)
	f := media.Frame{Sync: n%100 == 0, Data: sfutest.VP8Frame(n, n%100 == 0, 1500)}
	format.NewPacketizer(1).Packetize(&f, func(p media.Packet) {
		packets = append(packets, rtptest.Packet{Seq: uint16(base + 2*n + len(packets)), Time: at, Marker: p.Marker, Payload: p.Payload})
	})
	return packets
}
