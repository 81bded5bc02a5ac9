// Package rtp takes in RTP streams (RFC 3550) and makes packets of the hub out of
// them: with numbers that do not wrap and times on the stream's clock, which both go on
// where the publisher begins anew. It only computes.
//
// # One packet
//
// An [Intake] is one RTP stream. A packet passes it once, and what is known of its
// number serves everything:
//
//	numbers    the sequence number unwrapped, and the rule by which a sender is
//	           known to count anew under the same SSRC
//	losses     what is missing, and when to ask for it (NACK, RFC 4585 section 6.2.1)
//	reception  what a receiver report tells the sender (RFC 3550 section 6.4.1)
//	sets       whether a decoder can start at the packet, and with which parameter sets
//	Placer     number and time in the track
//
// Of a picture that is sent in several sizes at a time (simulcast) each encoding has an
// Intake without a Placer; the one stream that package simulcast makes of them has a
// Placer of its own.
//
// # Times
//
// A [Placer] belongs to a track. It extends RTP times (stamps) and has a [Timeline] put
// them on the stream's clock: by arrival at first, by sender reports as soon as there
// are some. A [Session] is what the placers of one publisher share: the publisher's
// clock as its sender reports tell it, and when each track last came on time, by which
// a clock that stood still is told from a network that held up everything.
//
// # Going on
//
// Where another RTP stream follows (another SSRC, counters that begin anew), the track's
// numbers go on with one left out, and its times by what has passed; the first packet is
// a discontinuity. A placer that takes over a track which another publisher has written
// is told where that one has ended ([Placer.Continue]).
package rtp
