package codec

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Negotiation is how a codec is spoken of in SDP.
type Negotiation struct {
	Name        string  // in a=rtpmap (RFC 8866 section 6.6)
	PayloadType uint8   // by which we would offer it; the number of an offer wins over it
	Repair      uint8   // that of its retransmissions (RFC 4588), 0: none
	Parameters  string  // format parameters (RFC 8866 section 6.15)
	Variant     Variant // nil: there is but one
}

// Variant knows the variants of a codec, which format parameters tell (RFC 8866
// section 6.15): what one decoder takes, another may not.
type Variant interface {
	// Read returns what matters of the parameters, in one spelling: a
	// media.TrackInfo.Format. Without good there may be a better payload type of the
	// codec.
	Read(fmtp string) (format string, good bool)
	// Suits returns how well a viewer that decodes the variant takes a track of the
	// variant sent: 0 for not at all. Both are what Read returns; sent is empty
	// when the source does not know it.
	Suits(sent, decodes string) int
}

// The results of Variant.Suits.
const (
	unsuited = iota
	superset // the decoder takes more than this variant
	same
)

// FormatParameter returns the value of a format parameter, or standard if it is absent.
// Names do not depend on case (RFC 8866 section 6.15 leaves it to the codec).
func FormatParameter(fmtp, name, standard string) string {
	for p := range strings.SplitSeq(fmtp, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return standard
}

// digit returns a parameter that is one digit, or "0" (RFC 9628 section 6.1, RTP
// Payload Format For AV1 section 7.2.1).
func digit(fmtp, name string) string {
	value := FormatParameter(fmtp, name, "0")
	if len(value) != 1 || value[0] < '0' || value[0] > '9' {
		return "0"
	}
	return value
}

// vp9Variant goes by the profile, of which a decoder takes those that it names.
type vp9Variant struct{}

func (vp9Variant) Read(fmtp string) (format string, good bool) {
	return "profile-id=" + digit(fmtp, "profile-id"), true
}

func (vp9Variant) Suits(sent, decodes string) int {
	if sent == "" {
		sent = "profile-id=0" // what all encoders make unless told otherwise
	}
	if sent != decodes {
		return unsuited
	}
	return same
}

// av1Variant goes by the profile. Each takes in those below (AV1 section A.2).
type av1Variant struct{}

func (av1Variant) Read(fmtp string) (format string, good bool) {
	return "profile=" + digit(fmtp, "profile"), true
}

func (av1Variant) Suits(sent, decodes string) int {
	if sent == "" {
		sent = "profile=0"
	}
	switch {
	case sent == decodes:
		return same
	case sent < decodes: // they differ in one digit
		return superset
	}
	return unsuited
}

// h264Variant goes by packetization mode and profile (RFC 6184 section 8.1). The
// level is what a decoder should be able to do; it does not matter here, for
// browsers say little of what they can.
type h264Variant struct{}

// h264Baseline is profile-level-id when it is absent: baseline, level 1.
const h264Baseline = "42000a"

func (h264Variant) Read(fmtp string) (format string, good bool) {
	mode := digit(fmtp, "packetization-mode")
	id := strings.ToLower(FormatParameter(fmtp, "profile-level-id", h264Baseline))
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 3 {
		id = h264Baseline
	}
	return fmt.Sprintf("packetization-mode=%s;profile-level-id=%s", mode, id), mode == "1"
}

// Suits implements Variant. Mode 1 takes in mode 0. A track of unknown variant is
// packetized by us, for mode 1, and may be of any profile.
func (h264Variant) Suits(sent, decodes string) int {
	mode := FormatParameter(decodes, "packetization-mode", "0")
	if mode != "1" && (mode != "0" || FormatParameter(sent, "packetization-mode", "1") != "0") {
		return unsuited
	}
	decoder, number := h264Profile(decodes)
	if sent == "" {
		return superset + int(decoder) // the more it takes, the better
	}
	switch profile, sentNumber := h264Profile(sent); {
	case profile == decoder && (profile != h264Other || number == sentNumber):
		return same
	case profile != h264Other && profile < decoder:
		return superset
	}
	return unsuited
}

// profile264 is a profile of H.264.
type profile264 int

// The profiles that browsers know, each of which takes in those above it (ISO/IEC
// 14496-10 annex A.2). Baseline has more than constrained baseline, which browsers
// neither make nor need: an offer of baseline means constrained baseline (RFC 7742
// section 6.2).
const (
	h264Other profile264 = iota
	h264ConstrainedBaseline
	h264Main
	h264High
)

// h264Profile returns the profile that a format tells, and its number.
func h264Profile(format string) (p profile264, number byte) {
	raw, err := hex.DecodeString(FormatParameter(format, "profile-level-id", h264Baseline))
	if err != nil || len(raw) != 3 {
		return h264Other, 0
	}
	const obeysBaseline, obeysMain = 0x80, 0x40 // constraint_set0_flag, constraint_set1_flag
	number = raw[0]
	switch {
	case number == 66, (number == 77 || number == 88) && raw[1]&obeysBaseline != 0:
		return h264ConstrainedBaseline, number
	case number == 77, number == 88 && raw[1]&obeysMain != 0:
		return h264Main, number
	case number == 100:
		return h264High, number
	}
	return h264Other, number
}
