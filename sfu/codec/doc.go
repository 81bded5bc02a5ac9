// Package codec holds what weir knows of each coding format: where a decoder
// can start, how frames become RTP payloads and how RTP payloads become frames.
//
// A codec is a row in the table of [For]: VP8 (RFC 7741) and Opus (RFC 7587).
// Everything here is pure: no goroutine, no clock, no lock, no logger. Time
// passes only as far as packets say so (their Arrival).
//
// Invariants:
//   - A frame that comes out of a [Depacketizer] is byte for byte the frame that
//     the publisher's encoder made, or it does not come out at all.
//   - After a missing frame no video frame comes out until one that can be
//     decoded without it.
//   - No payload, however malformed, makes anything here panic, loop or hold
//     more than a bounded number of bytes.
package codec
