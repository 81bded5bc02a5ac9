// Package poster keeps a picture of each stream, a small JPEG that says what is on.
//
// # Model
//
// A [Gallery] reads the hub as any sink does, with one goroutine for all streams. It
// takes the newest keyframe of the smallest track that is being sent (sfu.Smallest,
// sfu.Track.Keyframe), which costs the track nothing while no picture is due, and makes a
// JPEG of it (package picture). That can be done of VP8; for other codecs publishers send
// a picture of their own ([Gallery.Put]).
//
// The first picture of a stream is taken at once, then one a minute. What that costs is
// bounded in the processor's time, as it is measured (budget.go): 2 % of a core in all,
// and streams with large pictures wait longer for their turn, but no longer than 5
// minutes, as long as that takes no more than 10 % of a core. On a machine that is busy
// no picture is taken: a decode that had to wait for the processor longer than it ran
// tells of that, and the next one is put off.
//
// # Invariants
//
//   - No packet waits for a picture: the goroutine reads what is in a ring, and no lock
//     of the hub is held while it decodes.
//   - A publisher is asked for a keyframe for a picture at most once a minute, and only
//     if it has sent none since the last picture.
//   - There is one picture for each stream that has a name, and none of others.
package poster
