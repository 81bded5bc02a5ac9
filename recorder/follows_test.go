package recorder

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestGoesOnUnderAnotherSSRC: where a publisher goes on under another SSRC without a
// loss, nothing is missing; where it was away, something is.
func TestGoesOnUnderAnotherSSRC(t *testing.T) {
	for _, tt := range []struct {
		name    string
		away    time.Duration
		gaps    int
		verdict string
	}{{"at once", 0, 0, "clean"}, {"a second later", time.Second, 1, "poor"}} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			r, hub := newTest(t, dir)
			pub, err := hub.Publish("a", sfu.PublishOptions{Record: true, Source: "webrtc"})
			if err != nil {
				t.Fatal(err)
			}
			w, err := pub.AddTrack(media.TrackInfo{ID: "audio", Codec: media.Opus}, sfu.Packets)
			if err != nil {
				t.Fatal(err)
			}
			pub.Ready()
			err = pub.Run(t.Context(), &broadcast{script: func(*broadcast) {
				for n := range 200 {
					if n == 100 {
						time.Sleep(tt.away)
						w.Restart()
					}
					base := n / 100 * 7000 // another stream has other numbers and times
					w.WritePacket(sfu.RTP{Seq: uint16(base + n), Time: uint32(base + n*960), Arrival: pub.Now(), Payload: sfutest.OpusFrame(n, 20)})
					time.Sleep(audioStep)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			rec, _ := only(t, r, dir)
			if len(rec.Gaps) != tt.gaps || rec.Quality.Verdict != tt.verdict || rec.Frames != 200 {
				t.Errorf("%s: %s, %d frames, gaps %+v", tt.name, rec.Quality.Verdict, rec.Frames, rec.Gaps)
			}
		})
	}
}
