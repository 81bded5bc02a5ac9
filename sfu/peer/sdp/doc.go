// Package sdp reads the offers of WebRTC clients and writes the answers (RFC 9429,
// RFC 9725). It only computes.
//
// [Parse] checks an offer for a publisher or for a viewer and narrows it: what is left
// in an [Offer] are the sections that are taken, each with one codec, and the one
// transport of all of them. An [Answerer] writes the answer for both kinds of clients;
// they differ in what a [Source] adds to a section that we send.
//
//	offer      which sections of an offer are taken
//	check      whether one section can be taken
//	choose     by which payload type
//	codecs     the codecs, a row for each
//	variant    what one decoder of a codec takes and another does not
//	media      what was negotiated by a section
//	transport  credentials, fingerprints, our role in DTLS, the bundle
//	answer     the answer
//	fragment   what PATCH carries (RFC 8840)
//
// A section that carries nothing (a data channel, port 0, inactive), or that a viewer
// does not need, is answered with port 0 and left out of all else: an offer knows it
// by its layout only.
//
// Errors wrap [ErrOffer] or [ErrUnsupported], and their texts, which users see, say
// what to change. The client's own words are clipped in them.
package sdp
