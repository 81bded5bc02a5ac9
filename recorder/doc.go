// Package recorder keeps what is published: the recording Sink of the hub, and
// the catalogue of recordings.
//
// A recording is a file and a sidecar, side by side below Config.Dir:
//
//	{stream name}/{start, UTC}-{id}.webm       while open with the suffix .part
//	{stream name}/{start, UTC}-{id}.json       what is known about it
//
// The sidecars are the truth: the catalogue in memory is read from them at start.
//
// Frames go from the hub's ring through an interleaver, which holds them for at
// most 150 ms to bring the tracks into one order, to a synchronous writer (package
// webm). All of that is one goroutine per recording with a cursor of its own, so
// a slow disk holds up nobody: the cursor is lapped, and the recording goes on at
// the next keyframe with a gap that is on record. When the stream ends, what is
// left is written, the file gets its index and its final name.
package recorder
