// Package catchup tells how fast a viewer may be sent what came before it did.
//
// A joiner begins at a keyframe that is some time old, and has to be sent what has come
// since faster than it came. How much faster its link bears is not known at that
// moment. A [Pace] is made for a link that carries half as much again as the stream
// needs, and has a small queue in front:
//
//   - It begins with what the stream sends in 60 ms: less than any queue holds.
//   - It goes on at 1.3 times the stream's own rate, which that link bears without a
//     queue: 1.3 times with the headers of lower layers, which are 5 % of a packet, and
//     the sound beside it are some 1.45 times what encoders call their rate. A
//     keyframe as large as 0.9 s of the stream is there within 0.7 s.
//   - From 0.5 s on it gets faster, first by 0.25 a second up to 1.5 times, then by
//     0.08 a second, so that no viewer stays behind, and one with a better link is live
//     sooner: after 1.6, 2.7 and 4 s if there are 0.5, 1 and 2 s to catch up with.
//   - When packets are lost it slows down by a quarter, to 1.2 times at least, so that
//     the queue runs empty, and gets faster again half a second later.
//
// That little is lost where the speed passes what the link bears: let s be by how much
// it grows a second, Q the queue in seconds of the stream and D the time until the
// server learns of a loss, which is Q and a round trip. When the queue is full the
// speed is sqrt(2sQ) too high, and until the loss is told that much of D seconds of the
// stream is lost: with s = 0.08, Q = 0.1 s and D = 0.15 s that is 19 ms of the stream,
// of the 3 s and more that were sent by then.
//
// A viewer on the same machine has no link in between, and is sent what its socket can
// take in at once, and then 60 Mbit/s.
//
// The package only computes. It knows no clock: instants are told, as distances
// from any fixed one.
package catchup
