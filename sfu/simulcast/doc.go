// Package simulcast makes one RTP stream of the several in which a publisher sends
// one picture at a time, in several sizes (RFC 7656 section 3.6, RFC 8853). It only
// computes.
//
// A [Group] is told every packet of every encoding. It passes on those of the best
// encoding that is being sent, and has their numbers and times go on from one
// encoding to the next, so that the reader behind it sees one stream, without a hole
// and without a step in time.
//
// # Which one
//
// An encoding is ranked by the size that its keyframes tell, and of one size by its
// bit rate; its name and its place in the offer mean nothing. It is being sent as long
// as media come: padding does not count. It has stopped when nothing came for three
// of its own frames, and for 300 ms at least, while another one has had three frames:
// a still picture is none that has stopped. One that comes back has to last for a
// while, longer each time, before it is wanted again.
//
// # When
//
// Another encoding takes over with a keyframe, between two pictures of the one before,
// for which its packets are kept back; if that stopped in the middle of a picture, a
// number is left out, by which a decoder knows that the rest is missing. Of the one
// before, what is sent again afterwards still gets to its place.
//
// # What it is to become
//
// With encodings as tracks of their own, of which each reader asks for the best one
// that its link bears, ranking and liveness ([Group.Best]) stay as they are, for the
// readers that know nothing of encodings; the clock that all of them share stays
// here too; and joining moves to where a reader's headers are made.
package simulcast
