package sdp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Codec is how a codec is negotiated: its row in package codec, and the feedback that
// we give, or heed.
type Codec struct {
	media.Codec
	codec.Negotiation
	Feedback []Feedback
}

// Feedback is a kind of feedback (RFC 4585 section 4.2): "nack" with "pli", say.
type Feedback struct{ Type, Parameter string }

// String returns the feedback as a=rtcp-fb has it.
func (f Feedback) String() string { return strings.TrimSpace(f.Type + " " + f.Parameter) }

// Codecs is every codec that is negotiated.
var Codecs = negotiated()

func negotiated() (all []Codec) {
	for _, c := range codec.All() {
		format, _ := codec.For(c)
		row := Codec{Codec: c, Negotiation: format.Negotiation, Feedback: videoFeedback}
		if c.Kind() == media.Audio {
			row.Feedback = audioFeedback
		}
		all = append(all, row)
	}
	return all
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
