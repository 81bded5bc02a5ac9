package codec

// OpusHead is what the identification header of a file says of its sound (RFC 7845
// section 5.1).
type OpusHead struct {
	Channels int
	// Family is the mapping family: 0 for mono and stereo, 1 for surround.
	Family int
	// Single reports whether the packets are of one Opus stream, mono or stereo, which
	// is all that RTP carries (RFC 7587 section 4.2). Surround is several streams in
	// each packet (RFC 7845 section 5.1.1), which a decoder takes for noise that
	// does not know of it.
	Single bool
}

// ReadOpusHead reads the CodecPrivate of an Opus track. It returns false if that is
// no such header.
func ReadOpusHead(private []byte) (h OpusHead, ok bool) {
	const magic, plain = "OpusHead", 19
	if len(private) < plain || string(private[:len(magic)]) != magic {
		return h, false
	}
	h.Channels, h.Family = int(private[9]), int(private[18])
	if h.Family == 0 {
		h.Single = h.Channels == 1 || h.Channels == 2
		return h, true
	}
	// One stream, in the order of its channels, is the same as family 0.
	table := private[plain:]
	if len(table) < 2+h.Channels {
		return h, false
	}
	streams, coupled := table[0], table[1]
	h.Single = streams == 1 && coupled <= 1 && h.Channels == 1+int(coupled)
	for i := range h.Channels {
		h.Single = h.Single && int(table[2+i]) == i
	}
	return h, true
}
