package sdp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// Codec is how a codec is negotiated.
type Codec struct {
	media.Codec
	Name        string     // in SDP
	PayloadType uint8      // by which we would offer it; the offer's number wins over it
	Repair      uint8      // that of its retransmissions (RFC 4588), 0: none
	Parameters  string     // format parameters (RFC 8866 section 6.15)
	Feedback    []Feedback // that we give, or heed
	variant     variant    // nil: there is but one
}

// Feedback is a kind of feedback (RFC 4585 section 4.2): "nack" with "pli", say.
type Feedback struct{ Type, Parameter string }

// String returns the feedback as a=rtcp-fb has it.
func (f Feedback) String() string { return strings.TrimSpace(f.Type + " " + f.Parameter) }

// Codecs is every codec that is negotiated. A further codec is a row here.
var Codecs = []Codec{
	{Codec: media.VP8, Name: "VP8", PayloadType: 96, Repair: 97, Feedback: videoFeedback},
	{Codec: media.VP9, Name: "VP9", PayloadType: 98, Repair: 99, Feedback: videoFeedback,
		Parameters: "profile-id=0", variant: vp9Variant{}},
	{Codec: media.AV1, Name: "AV1", PayloadType: 45, Repair: 46, Feedback: videoFeedback,
		Parameters: "profile=0", variant: av1Variant{}},
	{Codec: media.H264, Name: "H264", PayloadType: 102, Repair: 103, Feedback: videoFeedback,
		Parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", variant: h264Variant{}},
	// useinbandfec lets the encoder repeat a lost packet's sound in the next one
	// (RFC 7587 section 7).
	{Codec: media.Opus, Name: "opus", PayloadType: 111,
		Parameters: "minptime=10;useinbandfec=1", Feedback: audioFeedback},
}

// transportCC feeds the sender's own bandwidth estimation. It refers to a header
// extension that only publishers' packets have.
const transportCC = "transport-cc"

// Feedback (RFC 4585, RFC 5104): what is lost is asked for again, and a keyframe when
// that is not enough.
var (
	videoFeedback = []Feedback{{Type: "nack"}, {"nack", "pli"}, {"ccm", "fir"}, {Type: transportCC}}
	audioFeedback = []Feedback{{Type: "nack"}, {Type: transportCC}}
)

// encoding is what follows the payload type in a=rtpmap (RFC 8866 section 6.6):
// "VP8/90000", "opus/48000/2".
func (c Codec) encoding() string {
	encoding := fmt.Sprintf("%s/%d", c.Name, c.ClockRate())
	if n := c.Channels(); n > 0 {
		encoding += fmt.Sprintf("/%d", n)
	}
	return encoding
}

// is reports whether the value of a=rtpmap is that of the codec. Opus has two
// channels there, however many it has (RFC 7587 section 7).
func (c Codec) is(encoding string) bool {
	if c.Channels() == 0 {
		encoding = strings.TrimSuffix(encoding, "/1") // as good as none
	}
	return strings.EqualFold(encoding, c.encoding())
}

// feedbackOf returns the feedback on a payload type that the section m has and the
// codec's row knows. On what we send there is none that refers to the packets'
// transport-wide numbers.
func (c Codec) feedbackOf(m *sdp.MediaDescription, number string, weSend bool) []Feedback {
	offered := values(m.Attributes, "rtcp-fb")
	var taken []Feedback
	for _, f := range c.Feedback {
		if f.Type == transportCC && weSend {
			continue
		}
		if slices.Contains(offered, number+" "+f.String()) || slices.Contains(offered, "* "+f.String()) {
			taken = append(taken, f)
		}
	}
	return taken
}
