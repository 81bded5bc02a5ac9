package peer

import (
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
)

// codecRow is how a codec is negotiated. Rows are in the order of preference.
type codecRow struct {
	codec       media.Codec
	mime        string
	channels    uint16
	fmtp        string
	needs       string             // fmtp parameter that the offer must have; "": none
	payloadType webrtc.PayloadType // the offer's number wins over it
	rtx         webrtc.PayloadType // 0: none
	feedback    []webrtc.RTCPFeedback
}

// codecTable is every codec that is negotiated. A further codec is a row here.
var codecTable = []codecRow{
	{codec: media.VP8, mime: webrtc.MimeTypeVP8, payloadType: 96, rtx: 97, feedback: videoFeedback},
	// useinbandfec lets the encoder repeat a lost packet's sound in the next one
	// (RFC 7587 section 7).
	{codec: media.Opus, mime: webrtc.MimeTypeOpus, channels: 2, payloadType: 111,
		fmtp: "minptime=10;useinbandfec=1", feedback: audioFeedback},
}

// Feedback (RFC 4585, RFC 5104): what is lost is asked for again, a keyframe
// when that is not enough, and transport-cc feeds the sender's own bandwidth
// estimation.
var (
	videoFeedback = []webrtc.RTCPFeedback{
		{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"},
	}
	audioFeedback = []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "transport-cc"}}
)

func (r codecRow) kind() webrtc.RTPCodecType {
	if r.codec.Kind() == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

func (r codecRow) capability() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: r.mime, ClockRate: r.codec.ClockRate(), Channels: r.channels,
		SDPFmtpLine: r.fmtp, RTCPFeedback: r.feedback,
	}
}

// newMediaEngine returns an engine with the codecs of the table and the header
// extensions of uris.
func newMediaEngine(uris ...string) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, r := range codecTable {
		err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: r.capability(), PayloadType: r.payloadType}, r.kind())
		if err != nil {
			return nil, fmt.Errorf("peer: register %v: %w", r.codec, err)
		}
		if r.rtx == 0 {
			continue
		}
		rtx := webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: r.codec.ClockRate(), SDPFmtpLine: fmt.Sprintf("apt=%d", r.payloadType),
		}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: rtx, PayloadType: r.rtx}, r.kind()); err != nil {
			return nil, fmt.Errorf("peer: register rtx of %v: %w", r.codec, err)
		}
	}
	for _, uri := range uris {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, fmt.Errorf("peer: register extension %s: %w", uri, err)
			}
		}
	}
	return m, nil
}

// publisherExtensions are the header extensions that publishers may use: the MID
// (RFC 9143) and RID (RFC 8852) tell streams apart whose SSRC the offer does not
// name, and the transport-wide number is what bandwidth feedback refers to.
var publisherExtensions = []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI, sdp.TransportCCURI}
