// Package forward rewrites RTP headers for one viewer of one track: sequence
// number, timestamp, SSRC and payload type, so that whatever happens at the
// source (a join in mid-stream, a stretch that was skipped) the viewer sees one
// RTP stream without a hole.
//
// A [Forwarder] is pure: no I/O, no clock, no lock, and no allocation per packet. It
// starts at a packet where a decoder can start; when it has to skip, it waits for the
// next such packet. Each stretch of the source that was sent without a skip is a
// segment with one constant distance between the source's sequence numbers and the
// viewer's, so that a NACK can be answered from the track's ring with nothing
// remembered per packet. The payloads Ahead of a packet get numbers of their own
// between two segments, if nothing of the second one has been sent yet.
//
// # Catching up
//
// A joiner starts at a keyframe that may be some seconds old, and is sent what
// has come since faster than it came: in some ten milliseconds, or over seconds if
// its link bears no more. With its real timestamps that would make the viewer show
// the past: a receiver takes the first frame for the present and plays on from
// there, for ever behind. So a frame is labelled with about the time that the live
// edge has when the frame is sent, however fast that is: the first frame shows at
// once, those behind it as they come in, and when the last of them is sent the
// labels have become the frames' own times, without a step.
//
// Labels depend on when a frame was sent, and a packet that is sent again must have
// the same one. So the steps of the live edge are remembered, while a viewer is
// behind it: one for each frame, not for each packet.
package forward
