package peer

import (
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
	"weir/sfu/peer/sdp"
)

// newMediaEngine returns an engine with the codecs that are negotiated, without header
// extensions, which the connections do not need. It needs only one variant of each
// codec: of another one it takes over the parameters of the offer.
func newMediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, c := range sdp.Codecs {
		kind := webrtc.RTPCodecTypeVideo
		if c.Kind() == media.Audio {
			kind = webrtc.RTPCodecTypeAudio
		}
		if err := register(m, kind, c.PayloadType, capability(c)); err != nil {
			return nil, err
		}
		if c.Repair == 0 {
			continue
		}
		repair := webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: c.ClockRate(), SDPFmtpLine: fmt.Sprintf("apt=%d", c.PayloadType),
		}
		if err := register(m, kind, c.Repair, repair); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func register(m *webrtc.MediaEngine, kind webrtc.RTPCodecType, pt uint8, c webrtc.RTPCodecCapability) error {
	err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: webrtc.PayloadType(pt)}, kind)
	if err != nil {
		return fmt.Errorf("peer: register %s: %w", c.MimeType, err)
	}
	return nil
}

func capability(c sdp.Codec) webrtc.RTPCodecCapability {
	var feedback []webrtc.RTCPFeedback
	for _, f := range c.Feedback {
		feedback = append(feedback, webrtc.RTCPFeedback{Type: f.Type, Parameter: f.Parameter})
	}
	return webrtc.RTPCodecCapability{
		MimeType: strings.ToLower(c.Kind().String()) + "/" + c.Name, ClockRate: c.ClockRate(), Channels: uint16(c.Channels()),
		SDPFmtpLine: c.Parameters, RTCPFeedback: feedback,
	}
}
