// Package media is the vocabulary of the hub: what a codec, a track, a packet
// and a frame are, and how their times relate.
//
// A track is seen in two forms. A [Packet] is one RTP payload, the form that
// WebRTC moves; a [Frame] is one coded picture or one coded piece of sound, the
// form that a file holds. Package codec turns one into the other.
//
// All times of one stream are durations on that stream's clock, which starts at
// zero when the stream does and never steps back.
//
// The package does no I/O: no goroutine, no clock, no lock, no logger.
package media
