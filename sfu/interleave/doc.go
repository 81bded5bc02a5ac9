// Package interleave puts the frames of several tracks into one order, that of their
// times. The recorder, the muxer of live WebM and the uploads share it.
//
// An [Order] holds the frames, each track's in the order in which they came. The
// frame with the lowest time is next; of frames with the same time, that of the first
// track. Its turn has come when no earlier one can follow: when every other track has
// a frame waiting, has ended, or is not waited for any more. How long that is differs
// from one user to the next, so each hands in the answer:
//
//   - a file is never corrected, so the recorder has [Patience]: 150 ms with a track
//     of which nothing comes, and up to 1.5 s with one that comes late;
//   - a live player loses by each wait, so webm.Live counts in media time, and puts
//     silence where sound does not come;
//   - an upload is delayed until its latest frame is in (pace.Release), and a frame
//     that is due is next.
//
// A frame that comes later still is put first, out of order; the caller decides what to
// do about that.
//
// The package only computes: no goroutine, no clock, no lock. An Order is not bounded:
// the caller of Push bounds what comes (by the ring of a track, or by bytes).
package interleave
