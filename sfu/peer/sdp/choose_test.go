package sdp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// videoOffer returns an offer of video with these payload types, in their order:
// the name of the codec, and format parameters if there are some.
func videoOffer(direction Direction, types ...string) string {
	var numbers, lines string
	for i, t := range types {
		name, fmtp, ok := strings.Cut(t, " ")
		numbers += fmt.Sprintf(" %d %d", 96+2*i, 97+2*i)
		lines += fmt.Sprintf("a=rtpmap:%d %s/90000\r\na=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d\r\n", 96+2*i, name, 97+2*i, 97+2*i, 96+2*i)
		if ok {
			lines += fmt.Sprintf("a=fmtp:%d %s\r\n", 96+2*i, fmtp)
		}
	}
	return session0 + "m=video 9 UDP/TLS/RTP/SAVPF" + numbers + "\r\n" + common + "a=mid:0\r\na=" + string(direction) + "\r\n" + lines
}

// What clients offer of H.264: Chromium, Safari, Firefox and OBS.
const (
	baseline1 = "H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"
	baseline0 = "H264 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"
	obs       = "H264 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"
	main1     = "H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"
	high1     = "H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"
	firefox0  = "H264 profile-level-id=42e01f;level-asymmetry-allowed=1"
)

// TestPublisherChooses: a publisher's first codec counts, whichever it is.
func TestPublisherChooses(t *testing.T) {
	tests := []struct {
		name   string
		types  []string
		want   int // index into types, -1: refused
		codec  media.Codec
		format string
	}{
		{"VP8 first", []string{"VP8", "VP9 profile-id=0", baseline1, "AV1"}, 0, media.VP8, ""},
		{"VP9 first", []string{"VP9", "VP8"}, 0, media.VP9, "profile-id=0"},
		{"VP9 of another profile", []string{"VP9 profile-id=2", "VP9 profile-id=0"}, 0, media.VP9, "profile-id=2"},
		{"AV1 first", []string{"AV1 level-idx=5;profile=0;tier=0", "VP8"}, 0, media.AV1, "profile=0"},
		{"OBS", []string{obs}, 0, media.H264, "packetization-mode=1;profile-level-id=42e01f"},
		{"H264 in mode 1 rather than 0", []string{baseline0, baseline1, obs}, 1, media.H264, "packetization-mode=1;profile-level-id=42001f"},
		{"H264 in mode 0", []string{firefox0, "VP8"}, 0, media.H264, "packetization-mode=0;profile-level-id=42e01f"},
		{"H264 in mode 1 behind another codec", []string{baseline0, "VP8", main1}, 2, media.H264, "packetization-mode=1;profile-level-id=4d001f"},
		{"H264 without parameters", []string{"H264"}, 0, media.H264, "packetization-mode=0;profile-level-id=42000a"},
		{"H264 with a wrong profile", []string{"H264 packetization-mode=1;profile-level-id=xyz"}, 0, media.H264, "packetization-mode=1;profile-level-id=42000a"},
		{"names in other cases", []string{"h264 Packetization-Mode=1;Profile-Level-ID=42E01F"}, 0, media.H264, "packetization-mode=1;profile-level-id=42e01f"},
		{"unknown first", []string{"H265", "av1"}, 1, media.AV1, "profile=0"},
		{"unknown", []string{"H265", "VP7"}, -1, 0, ""},
	}
	for _, tt := range tests {
		o, err := Parse(videoOffer(ClientSends, tt.types...), ClientSends)
		checkChoice(t, tt.name, o, err, tt.want, tt.codec, tt.format)
	}
}

// checkChoice checks that an offer was narrowed to its type with that index and
// the retransmissions of it, or refused.
func checkChoice(t *testing.T, name string, o *Offer, err error, want int, codec media.Codec, format string) {
	t.Helper()
	if want < 0 {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: error %v", name, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if got := o.Media[0]; got.Codec != codec || got.Format != format {
		t.Errorf("%s: %v with %q, want %v with %q", name, got.Codec, got.Format, codec, format)
	}
	formats := strings.Join(o.description.MediaDescriptions[0].MediaName.Formats, " ")
	if want := fmt.Sprintf("%d %d", 96+2*want, 97+2*want); formats != want {
		t.Errorf("%s: narrowed to %s, want %s", name, formats, want)
	}
}

// TestViewerGets: a viewer gets the stream's codec by the payload type that suits
// best, or is told what the stream is.
func TestViewerGets(t *testing.T) {
	const cbp1, cbp0 = "packetization-mode=1;profile-level-id=42e01f", "packetization-mode=0;profile-level-id=42e01f"
	const high = "packetization-mode=1;profile-level-id=64001f"
	h264 := func(format string) media.TrackInfo {
		return media.TrackInfo{ID: "video", Codec: media.H264, Format: format}
	}
	vp9 := func(format string) media.TrackInfo {
		return media.TrackInfo{ID: "video", Codec: media.VP9, Format: format}
	}
	av1 := func(format string) media.TrackInfo {
		return media.TrackInfo{ID: "video", Codec: media.AV1, Format: format}
	}
	chromium := []string{"VP8", "VP9 profile-id=0", "VP9 profile-id=2", baseline1, baseline0, obs, main1, high1, "AV1 profile=0"}
	tests := []struct {
		name  string
		track media.TrackInfo
		types []string
		want  int
	}{
		{"VP8", media.TrackInfo{ID: "video", Codec: media.VP8}, chromium, 0},
		{"VP9", vp9("profile-id=0"), chromium, 1},
		{"VP9 of unknown profile", vp9(""), chromium, 1},
		{"VP9 profile 2", vp9("profile-id=2"), chromium, 2},
		{"VP9 profile 1", vp9("profile-id=1"), chromium, -1},
		{"AV1", av1("profile=0"), chromium, 8},
		{"AV1 of unknown profile", av1(""), chromium, 8},
		{"AV1 by a greater decoder", av1("profile=0"), []string{"AV1 profile=1"}, 0},
		{"AV1 by the same decoder", av1("profile=1"), []string{"AV1 profile=2", "AV1 profile=1"}, 1},
		{"AV1 by a lesser decoder", av1("profile=1"), chromium, -1},
		{"H264 of OBS", h264(cbp1), chromium, 3},
		{"H264 of OBS, to Firefox", h264(cbp1), []string{"VP8", firefox0, obs}, 2},
		{"H264 of OBS, to Safari", h264(cbp1), []string{high1, obs}, 1},
		{"H264 by high alone", h264(cbp1), []string{high1}, 0},
		{"high", h264(high), chromium, 7},
		{"high to baseline", h264(high), []string{obs, baseline1, main1}, -1},
		{"main to high", h264("packetization-mode=1;profile-level-id=4d0028"), []string{obs, high1}, 1},
		{"mode 1 to mode 0", h264(cbp1), []string{baseline0, firefox0}, -1},
		{"mode 0 to mode 1", h264(cbp0), []string{obs}, 0},
		{"mode 0 to mode 0", h264(cbp0), []string{firefox0}, 0},
		{"H264 that we packetize", h264(""), chromium, 7},
		{"H264 that we packetize, to mode 0", h264(""), []string{firefox0}, -1},
		{"rare profile", h264("packetization-mode=1;profile-level-id=7a001f"), []string{high1, "H264 packetization-mode=1;profile-level-id=6e001f"}, -1},
		{"the same rare profile", h264("packetization-mode=1;profile-level-id=7a001f"), []string{high1, "H264 packetization-mode=1;profile-level-id=7a0028"}, 1},
		{"H264 to who takes VP8", h264(cbp1), []string{"VP8"}, -1},
	}
	for _, tt := range tests {
		o, err := Parse(videoOffer(ClientReceives, tt.types...), ClientReceives, tt.track)
		format := ""
		if err == nil {
			format = o.Media[0].Format // what the viewer says, see TestPublisherChooses
		}
		checkChoice(t, tt.name, o, err, tt.want, tt.track.Codec, format)
		if name := strings.ToUpper(tt.track.Codec.String()); tt.want < 0 && (err == nil || !strings.Contains(err.Error(), "stream's video is "+name)) {
			t.Errorf("%s: the error %v does not name %s", tt.name, err, name)
		}
	}
}

// TestParameterSetsOfOffer: what an offer says of H.264 ahead of its media.
func TestParameterSetsOfOffer(t *testing.T) {
	for value, want := range map[string][]string{
		"profile-level-id=42e01f;sprop-parameter-sets=Z0LAHtoCgL/l,aM4PyA==": {"67", "68"},
		"sprop-parameter-sets=Z0LAHtoCgL/l; packetization-mode=1":            {"67"},
		"sprop-parameter-sets=,%,aM4PyA==":                                   {"68"},
		"sprop-parameter-sets=":                                              nil,
		"packetization-mode=1":                                               nil,
	} {
		m := &sdp.MediaDescription{MediaName: sdp.MediaName{Media: "video", Formats: []string{"97", "96"}}}
		m.Attributes = []sdp.Attribute{{Key: "fmtp", Value: "97 apt=96"}, {Key: "fmtp", Value: "96 " + value}}
		var got []string
		for _, nal := range parameterSets(m) {
			got = append(got, fmt.Sprintf("%x", nal[0]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}
