package peer

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
		want direction
	}{{"gstreamer-watch.sdp", clientReceives}, {"gstreamer-publish.sdp", clientSends}} {
		raw, err := os.ReadFile("testdata/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		o, err := parseOffer(string(raw), tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if len(o.media) != 2 || o.media[0].codec != media.VP8 || o.media[1].codec != media.Opus {
			t.Errorf("%s: media %+v", tt.file, o.media)
		}
		if prints, err := o.fingerprints(); err != nil || len(prints) == 0 {
			t.Errorf("%s: fingerprints %v, %v", tt.file, prints, err)
		}
	}
}
