package media

import "time"

// Packet is one RTP packet of a track, without its header: what a viewer's own
// header is made from. It is shared by all readers and never changes once it
// was written to a track.
type Packet struct {
	// Seq is the extended sequence number. It does not wrap, and it goes on when
	// the publisher starts anew with another SSRC.
	Seq uint64
	// Time is the extended RTP timestamp in ticks of the codec's clock; like Seq
	// it neither wraps nor starts anew.
	Time uint64
	// PTS is the time at which the packet's frame is to be shown, on the
	// stream's clock.
	PTS time.Duration
	// Arrival is when the packet was received, on the stream's clock.
	Arrival time.Duration

	Start         bool // first packet of a frame
	Marker        bool // RTP marker bit: last packet of a frame, for video
	Sync          bool // a decoder can start at this packet; only with Start
	Discontinuity bool // first packet of another RTP stream: what is missing before it never comes
	Retransmitted bool // it was lost, and sent again

	// Payload is the RTP payload: the codec's payload descriptor, if it has one,
	// and media bytes.
	Payload []byte
	// Ahead is payloads that belong in front of this one, of the same frame: what the
	// publisher told a decoder once, and a reader that starts here has to be told again.
	// Nearly always there are none.
	Ahead [][]byte
}

// Frame is one coded picture, or one coded piece of sound. It is shared by all
// readers and never changes once it was written to a track.
type Frame struct {
	// PTS is when the frame is to be shown, on the stream's clock. Frames of a
	// track come in the order of their PTS.
	PTS time.Duration
	// Sync reports whether a decoder can start here.
	Sync bool
	// Gap reports whether frames are missing between the previous frame and this one. Where
	// a publisher goes on under another SSRC, their times tell.
	Gap bool
	// Lost is what the track had lost before this frame, if it was made of packets.
	Lost Losses
	// Data is the coded frame, without any RTP payload descriptor.
	Data []byte
}

// Losses counts what a track has lost since it began.
type Losses struct {
	Packets uint64 // that did not come in time
	Frames  uint64 // that were dropped for it, or because they were cut off
	CutOff  uint64 // of these, frames whose rest their sender threw away
}
