// Package codec holds what weir knows of each coding format: where a decoder
// can start, how frames become RTP payloads and how RTP payloads become frames.
//
// A codec is a row in the table of [For]: VP8 (RFC 7741), VP9 (RFC 9628), AV1 (RTP
// Payload Format For AV1), H.264 (RFC 6184) and Opus (RFC 7587).
// Everything here is pure: no goroutine, no clock, no lock, no logger. Time
// passes only as far as packets say so (their Arrival).
//
// The Data of a frame is what Matroska and WebM want in a block:
//
//	Opus   a packet (RFC 6716)
//	VP8    a frame (RFC 6386)
//	VP9    a frame; a superframe (VP9 annex B) if the picture has spatial layers
//	AV1    a temporal unit in the low-overhead format: all OBUs with their size,
//	       without temporal delimiters
//	H264   an access unit: each NAL unit behind its length in 4 bytes, without
//	       delimiters, end marks and filler; with the parameter sets, if it is Sync
//
// Invariants:
//   - A frame that comes out of a [Depacketizer] is the frame that the publisher's
//     encoder made, byte for byte but for the form above, or it does not come out
//     at all.
//   - After a missing frame no video frame comes out until one that can be
//     decoded without it.
//   - No payload, however malformed, makes anything here panic, loop or hold
//     more than a bounded number of bytes.
package codec
