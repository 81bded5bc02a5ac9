package peer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// maxEncodings bounds the sizes in which a picture may be sent at a time (simulcast):
// OBS sends up to four.
const maxEncodings = 6

// noType is no payload type (RFC 3550 section 5.1: they have 7 bits).
const noType = 0xff

// section is an m-section of a publisher as it was negotiated: by what its packets
// are told from those of the others, and what is to be fed back of them.
type section struct {
	mid     string
	payload uint8 // type of its packets
	repair  uint8 // type of their retransmissions (RFC 4588), or noType

	nack bool // the client sends lost packets again
	fir  bool // it makes a keyframe for a FIR, but not for a PLI

	rids     []string          // of its encodings (RFC 8851), none if there is but one
	layers   []uint32          // their SSRCs, from a client that names no rids (a=ssrc-group:SIM)
	declared map[uint32]uint32 // SSRCs that the offer names, to that which they retransmit, or 0
}

// extensions are the numbers of the header extensions by which packets tell what
// they belong to (RFC 9143 section 15, RFC 8852); 0: not negotiated.
type extensions struct{ mid, rid, repaired uint8 }

// negotiated returns what was negotiated by the sections of an offer that were taken,
// by their MIDs. In the answer they are in the same order, among those that were not.
func negotiated(offered []*sdp.MediaDescription, rawAnswer string) (map[string]section, extensions, error) {
	answer := &offer{}
	if err := answer.description.UnmarshalString(rawAnswer); err != nil {
		return nil, extensions{}, fmt.Errorf("peer: read own answer: %w", err)
	}
	names := extensions{
		mid:      answer.extension(sdp.SDESMidURI),
		rid:      answer.extension(sdp.SDESRTPStreamIDURI),
		repaired: answer.extension(sdp.SDESRepairRTPStreamIDURI),
	}
	sections := map[string]section{}
	for _, m := range answer.description.MediaDescriptions {
		if m.MediaName.Port.Value == 0 || len(offered) == 0 {
			continue // RFC 3264 section 6
		}
		s, err := newSection(offered[0], m)
		if err != nil {
			return nil, names, err
		}
		offered = offered[1:]
		sections[s.mid] = s
	}
	return sections, names, nil
}

// newSection returns what was negotiated by the section offered, which answered
// answers.
func newSection(offered, answered *sdp.MediaDescription) (section, error) {
	pt, rtx, hasRTX, err := payloadTypes(answered)
	if err != nil {
		return section{}, err
	}
	s := section{payload: pt, repair: noType, declared: map[uint32]uint32{}}
	s.mid, _ = offered.Attribute("mid")
	if hasRTX {
		s.repair = rtx
	}
	takes := func(feedback string) bool {
		lines := values(answered.Attributes, "rtcp-fb")
		return slices.Contains(lines, fmt.Sprintf("%d %s", pt, feedback)) || slices.Contains(lines, "* "+feedback)
	}
	s.nack = takes("nack")
	s.fir = !takes("nack pli") && takes("ccm fir")
	return s, s.readStreams(offered)
}

// readStreams takes in what the section of an offer tells of its streams (RFC 5576,
// RFC 8851).
func (s *section) readStreams(m *sdp.MediaDescription) error {
	for _, value := range values(m.Attributes, "rid") {
		if fields := strings.Fields(value); len(fields) >= 2 && fields[1] == "send" && !slices.Contains(s.rids, fields[0]) {
			s.rids = append(s.rids, fields[0])
		}
	}
	for _, value := range values(m.Attributes, "ssrc") {
		if ssrc, ok := ssrcOf(value); ok && len(s.declared) < maxRoutes {
			s.declared[ssrc] = 0
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
		case semantics == "FID" && len(members) == 2 && len(s.declared) < maxRoutes:
			s.declared[members[1]] = members[0]
		case semantics == "SIM" && len(s.rids) == 0 && len(members) > 1:
			s.layers = members
		}
	}
	if n := max(len(s.rids), len(s.layers)); n > maxEncodings {
		return fmt.Errorf("%w: the %s section has %d layers; offer at most %d", ErrUnsupported, m.MediaName.Media, n, maxEncodings)
	}
	return nil
}

// ssrcOf reads the number at the begin of the value of a=ssrc.
func ssrcOf(value string) (uint32, bool) {
	number, _, _ := strings.Cut(value, " ")
	ssrc, err := strconv.ParseUint(number, 10, 32)
	return uint32(ssrc), err == nil
}

// detach returns the offer's sections as they are, and takes the SSRCs out of what is
// left: pion would wait for their packets, which it will not see.
func (o *offer) detach() []*sdp.MediaDescription {
	var whole []*sdp.MediaDescription
	for _, m := range o.description.MediaDescriptions {
		as := *m
		as.Attributes = slices.Clone(m.Attributes)
		whole = append(whole, &as)
		m.Attributes = without(m.Attributes, isSource)
	}
	return whole
}

func isSource(key string) bool { return key == "ssrc" || key == "ssrc-group" }
