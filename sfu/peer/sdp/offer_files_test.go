package sdp

import (
	"os"
	"testing"

	"weir/sfu/media"
)

// TestOffersOfOthers: offers of clients that are no browsers are understood. The files
// are GStreamer's (webrtcbin 1.22).
func TestOffersOfOthers(t *testing.T) {
	for _, tt := range []struct {
		file string
		want Direction
	}{{"gstreamer-watch.sdp", ClientReceives}, {"gstreamer-publish.sdp", ClientSends}} {
		raw, err := os.ReadFile("testdata/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Parse(string(raw), tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if len(o.Media) != 2 || o.Media[0].Codec != media.VP8 || o.Media[1].Codec != media.Opus {
			t.Errorf("%s: media %+v", tt.file, o.Media)
		}
		if len(o.Fingerprints) == 0 {
			t.Errorf("%s: it has no fingerprint", tt.file)
		}
	}
}
