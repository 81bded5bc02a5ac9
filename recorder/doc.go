// Package recorder keeps what is published: the recording Sink of the hub, and
// the catalogue of recordings.
//
// A recording is a file and a sidecar, side by side below Config.Dir:
//
//	{stream name}/{start, UTC}-{id}.webm       while open with the suffix .part
//	{stream name}/{start, UTC}-{id}.json       what is known about it
//	{stream name}/{start, UTC}-{id}.jpg        a picture of it, if there is one
//
// The sidecars are the truth: an SQLite index answers queries, and is made again from
// them when it is missing or damaged. Recordings that go on are in memory.
//
// Every stream has a session, which is its standing sink: a state machine that records
// when that is wanted, pauses, and tries again after a failure; the table of its states
// is in session_state.go. While there is something to be read, a capture moves frames
// from the hub's rings through an interleave.Order, which holds them to bring the
// tracks into one order, for at most 150 ms if nothing comes of the other track, to the
// open part: a file with a synchronous writer (package webm). Where sound is missing it
// puts silence (fill.go). All of that is one goroutine per stream with cursors of its
// own, so a slow disk holds up no other reader: the rings are the queue, a cursor that
// is lapped goes on at the next keyframe, and the gap is on record. A second goroutine
// forces the file to the disk.
//
// The pictures are those that others have of the live stream (Config.Poster): one from
// the recording's second half is kept (poster.go).
//
// A part ends when the stream does, when it is stopped, at a keyframe when it is
// to be rotated, or when writing fails; then it is repaired in place, and the next
// part begins with the last keyframe before the failure, if the rings still have
// it. Parts of a broadcast name one another.
//
// All that a session has to know of its stream, its tracks, gaps and end, comes with its
// subscription, in the order of the frames. It does not read sfu.Hub.Watch: a watcher
// that is slow misses events, and a recording must not miss the end of its stream.
//
// Run repairs what an earlier program left open, while streams are recorded
// already, and deletes what is not to be kept any more.
package recorder
