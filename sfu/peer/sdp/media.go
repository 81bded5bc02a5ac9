package sdp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

const (
	// maxEncodings bounds the sizes in which a picture may be sent at a time (simulcast):
	// OBS sends up to four.
	maxEncodings = 6
	// maxSources bounds the SSRCs of a section that are kept in mind: six encodings and
	// their retransmissions are 12.
	maxSources = 16
)

// NoType is no payload type (RFC 3550 section 5.1: they have 7 bits).
const NoType = 0xff

// Media is an m-section of audio or video that is taken, as it was negotiated.
type Media struct {
	Codec         media.Codec
	Format        string   // as media.TrackInfo.Format
	Stereo        bool     // as media.TrackInfo.Stereo: what the client sends
	ParameterSets [][]byte // NAL units that the offer tells ahead of the media (RFC 6184 section 8.1)
	MID           string   // "" if the section has none
	PayloadType   uint8    // of its packets
	RepairType    uint8    // of their retransmissions (RFC 4588), or NoType

	NACK bool // lost packets are sent again
	FIR  bool // the client makes a keyframe for a FIR, but not for a PLI

	// Of a publisher's streams, by what its packets are told from those of others.
	RIDs     []string          // of its encodings (RFC 8851), none if there is but one
	Layers   []uint32          // their SSRCs, from a client that names no RIDs (a=ssrc-group:SIM)
	Declared map[uint32]uint32 // SSRCs that the offer names, to that which they retransmit, or 0

	row Codec
}

// newMedia returns what is negotiated by a section that was narrowed to a choice.
func newMedia(m *sdp.MediaDescription, c choice, want Direction) (Media, error) {
	pt, err := readPayloadType(c.payloadType)
	if err != nil {
		return Media{}, err
	}
	n := Media{
		Codec: c.row.Codec, Format: c.format, Stereo: isStereo(m, c), ParameterSets: parameterSets(m),
		PayloadType: pt, RepairType: NoType, row: c.row,
	}
	n.MID, _ = m.Attribute("mid")
	for _, number := range m.MediaName.Formats {
		if number == c.payloadType || c.row.Repair == 0 {
			continue
		}
		if n.RepairType, err = readPayloadType(number); err != nil {
			return Media{}, err
		}
		break
	}
	feedback := c.row.feedbackOf(m, c.payloadType, want == ClientReceives)
	n.NACK = slices.Contains(feedback, Feedback{Type: "nack"})
	n.FIR = slices.Contains(feedback, Feedback{"ccm", "fir"}) && !slices.Contains(feedback, Feedback{"nack", "pli"})
	if want == ClientReceives {
		return n, nil
	}
	return n, n.readStreams(m)
}

// readPayloadType reads a format of an m-line (RFC 3551 section 6: 7 bits).
func readPayloadType(number string) (uint8, error) {
	n, err := strconv.ParseUint(number, 10, 7)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no payload type", ErrOffer, clip(number))
	}
	return uint8(n), nil
}

// readStreams takes in what the section of an offer tells of its streams (RFC 5576,
// RFC 8851).
func (n *Media) readStreams(m *sdp.MediaDescription) error {
	n.Declared = map[uint32]uint32{}
	for _, value := range values(m.Attributes, "rid") {
		if fields := strings.Fields(value); len(fields) >= 2 && fields[1] == "send" && !slices.Contains(n.RIDs, fields[0]) {
			n.RIDs = append(n.RIDs, fields[0])
		}
	}
	for _, value := range values(m.Attributes, "ssrc") {
		if ssrc, ok := ssrcOf(value); ok && len(n.Declared) < maxSources {
			n.Declared[ssrc] = 0
		}
	}
	for _, value := range values(m.Attributes, "ssrc-group") {
		semantics, list, _ := strings.Cut(value, " ")
		var members []uint32
		for _, field := range strings.Fields(list) {
			if ssrc, ok := ssrcOf(field); ok {
				members = append(members, ssrc)
			}
		}
		switch {
		case semantics == "FID" && len(members) == 2 && len(n.Declared) < maxSources:
			n.Declared[members[1]] = members[0]
		case semantics == "SIM" && len(n.RIDs) == 0 && len(members) > 1:
			n.Layers = members
		}
	}
	if count := max(len(n.RIDs), len(n.Layers)); count > maxEncodings {
		return fmt.Errorf("%w: the %s section has %d layers; offer at most %d", ErrUnsupported, m.MediaName.Media, count, maxEncodings)
	}
	return nil
}

// ssrcOf reads the number at the start of the value of a=ssrc.
func ssrcOf(value string) (uint32, bool) {
	number, _, _ := strings.Cut(value, " ")
	ssrc, err := strconv.ParseUint(number, 10, 32)
	return uint32(ssrc), err == nil
}
