// Package forward rewrites RTP headers for one viewer of one track: sequence
// number, timestamp, SSRC and payload type, so that whatever happens at the
// source (a join in mid-stream, a stretch that was skipped) the viewer sees one
// RTP stream without a hole.
//
// A [Forwarder] is pure: no I/O, no clock, no lock, and no allocation per packet.
// It starts at a packet where a decoder can start; when it has to skip, it waits
// for the next such packet. Each stretch of the source that was sent without a
// skip is a segment with one constant distance between the source's sequence
// numbers and the viewer's, so that a NACK can be answered from the track's ring
// with nothing remembered per packet. What is Ahead of a packet gets numbers of its
// own between two segments, if nothing of the second one has been sent yet.
//
// # Catching up
//
// A joiner starts at a keyframe that may be some seconds old, and is sent what
// has come since in a burst. With its real timestamps that burst would make the
// viewer show the past: a receiver takes the first frame for the present and
// plays on from there, for ever behind. So the timestamps up to the live edge
// are squeezed into about the time that the burst takes, and end at the live
// edge's own: the first frame shows at once, and a moment later the viewer is
// live.
package forward
