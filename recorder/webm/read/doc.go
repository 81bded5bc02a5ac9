// Package read reads WebM: streams from the network, and files.
//
// # Files
//
// A [File] gives the frames of a file one by one, from its start or from the keyframe
// that a time needs: [File.Seek]. It finds that by the file's Cues, and believes them
// only as far as where to begin to look: from there package walk goes from head to head
// of the blocks, so a seek is exact where an index is thin, and right where it lies. A
// file without an index, as one that is still being written or was cut off, is looked
// through once, heads only. The frames come out of the same Reader that reads streams,
// set down at a Cluster: what is true of that is true of them, damage included.
//
// # Streams
//
// A [Reader] is given the bytes of a stream as they come, cut anywhere, and gives
// a [Receiver] the tracks, the frames and what was damaged. It is made for bytes
// that an enemy chose, so it shares nothing with ebml-go, whose reader allocates
// what a size claims. It too is synchronous and belongs to one goroutine.
//
// It does not build a tree. Elements outside of Clusters, in Clusters and in
// BlockGroups have different IDs, so the IDs alone tell where the Reader is; the
// sizes of Segment and Clusters, which live streams do not have, are not used.
// Data are collected of the few elements that matter and passed over of all
// others. There is no recursion into what the Reader does not know, so nesting
// has no depth that could hurt: the deepest that it enters is Segment, Tracks,
// TrackEntry, Video.
//
// All bytes also pass a lookout for the start of a Cluster or an EBML header. One
// that appears in the middle of something else is believed: the something had a
// wrong size, or was cut off when the recorder was started anew. So damage costs
// what lies between it and the next Cluster, and is reported as [Damage]. Damage
// inside of a block whose size is right costs only that block. A stream whose
// header is damaged ends with an error, since its frames mean nothing.
//
// Invariants of a Reader:
//
//   - What it finds does not depend on where the stream is cut, and a frame is
//     given out as soon as the last byte of its SimpleBlock or BlockGroup is there.
//   - A claimed size costs nothing. Buffers grow with the bytes that arrived, up to
//     one element of at most Config.MaxElement bytes; between elements at
//     most 256 KiB are kept, and of the header what TrackEntry has.
//   - Time is linear in the number of bytes: each is looked at a few times and
//     copied at most a few times. Allocations are at most 4 times the input.
//   - Once an error was returned, every later call returns it.
package read
