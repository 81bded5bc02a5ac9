package peer

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
)

// codecRow is how a codec is negotiated.
type codecRow struct {
	codec       media.Codec
	mime        string
	fmtp        string
	variant     variant            // nil: there is but one
	payloadType webrtc.PayloadType // the offer's number wins over it
	rtx         webrtc.PayloadType // 0: none
	feedback    []webrtc.RTCPFeedback
}

// codecTable is every codec that is negotiated. A further codec is a row here. An
// engine needs only one variant of each: of another one it takes over what the
// offer says.
var codecTable = []codecRow{
	{codec: media.VP8, mime: webrtc.MimeTypeVP8, payloadType: 96, rtx: 97, feedback: videoFeedback},
	{codec: media.VP9, mime: webrtc.MimeTypeVP9, payloadType: 98, rtx: 99, feedback: videoFeedback,
		fmtp: "profile-id=0", variant: vp9Variant{}},
	{codec: media.AV1, mime: webrtc.MimeTypeAV1, payloadType: 45, rtx: 46, feedback: videoFeedback,
		fmtp: "profile=0", variant: av1Variant{}},
	{codec: media.H264, mime: webrtc.MimeTypeH264, payloadType: 102, rtx: 103, feedback: videoFeedback,
		fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", variant: h264Variant{}},
	// useinbandfec lets the encoder repeat a lost packet's sound in the next one
	// (RFC 7587 section 7).
	{codec: media.Opus, mime: webrtc.MimeTypeOpus, payloadType: 111,
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

// name is the codec's name in SDP.
func (r codecRow) name() string {
	_, name, _ := strings.Cut(r.mime, "/")
	return name
}

// encoding is what follows the payload type in a=rtpmap (RFC 8866 section 6.6):
// "VP8/90000", "opus/48000/2".
func (r codecRow) encoding() string {
	encoding := fmt.Sprintf("%s/%d", r.name(), r.codec.ClockRate())
	if n := r.codec.Channels(); n > 0 {
		encoding += fmt.Sprintf("/%d", n)
	}
	return encoding
}

// is reports whether the value of a=rtpmap is that of the codec. Opus has two
// channels there, however many it has (RFC 7587 section 7).
func (r codecRow) is(encoding string) bool {
	if r.codec.Channels() == 0 {
		encoding = strings.TrimSuffix(encoding, "/1") // as good as none
	}
	return strings.EqualFold(encoding, r.encoding())
}

func (r codecRow) capability() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: r.mime, ClockRate: r.codec.ClockRate(), Channels: uint16(r.codec.Channels()),
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
