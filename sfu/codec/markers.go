package codec

// markers is what is known of the marker bits of one RTP stream. The marker is on
// the last packet of a frame (RFC 7741 section 4.1, RFC 9628 section 4.1, RFC 6184
// section 5.1), but some senders never set it: then a frame ends where the next one
// begins. Of a sender that sets it, a frame without is cut off: Chromium throws away
// what it has queued when a keyframe is ready, in the middle of a frame too, and
// numbers on without a hole.
type markers struct {
	set  bool // the sender sets them
	bare int  // frames in a row that ended without one
}

// neverSet is how many frames in a row end without a marker when the sender does
// not set it on each frame, whatever it did before. Those that a sender cuts off
// are followed by a keyframe: there are never that many in a row.
const neverSet = 16

// ending is what is known of a frame that ended without a marker.
type ending uint8

const (
	untold ending = iota // the end of the next one tells
	whole                // as are all of this sender
	cutOff               // its sender threw away the rest of it
)

// seen notes that a frame ended with a marker. Where only some do, nothing is told
// by those that do not.
func (m *markers) seen() {
	if m.bare < neverSet {
		m.set, m.bare = true, 0
	}
}

// omitted notes that a frame ended without one.
func (m *markers) omitted() ending {
	m.bare = min(m.bare+1, neverSet)
	switch {
	case m.bare == neverSet:
		m.set = false
		return whole
	case m.set:
		return cutOff
	case m.bare == 1:
		return untold
	}
	return whole
}
