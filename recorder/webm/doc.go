// Package webm writes recordings as WebM (Matroska, RFC 9559), and reads WebM
// streams from the network.
//
// A [Writer] takes coded frames in the order in which they are to lie in the
// file and hands finished bytes to a [File]. It is synchronous: it starts no
// goroutine, reads no clock, takes no lock and logs nothing; a Writer belongs to
// one goroutine. It keeps no reference to the frames it is given.
//
// # The file while it is open
//
// The file only grows, so a crash at any moment leaves a prefix of it, and every
// prefix that holds the header is a playable live WebM: Segment and Clusters have
// unknown sizes (RFC 9559 section 5.1 and 5.1.3), there is no Duration and no
// index that could lie. Each Write to the File ends at a block's end.
//
//	EBML header
//	Segment (size unknown, 8 bytes)
//	  Void                  room for the SeekHead
//	  Info ... Void         room for the Duration, as Info's last child
//	  Tracks                one TrackEntry per declared track
//	  Void                  room for Cues (Config.IndexReserve)
//	  Cluster (size unknown, 8 bytes) Timestamp SimpleBlock SimpleBlock ...
//	  Cluster ...
//
// # The finished file
//
// [Writer.Finish] makes it a fully sized, seekable file. Nothing moves: each fact
// that is known only at the end has had its place since the beginning, and is put
// there by a positioned write of a few bytes that turns one valid file into
// another valid file. So a crash between any two of these writes is harmless as
// well; seal.go gives the order. A track that never got a frame must not stay
// declared, since players wait for its data: its TrackEntry becomes a Void of the
// same size by a change of its one ID byte.
//
// # Live streams
//
// A [Live] muxes frames once for all players that take the stream by Media
// Source Extensions, and fills every hole in the sound. Its units are the same
// for all of them; only the head of a Cluster, with the time on the player's own
// timeline, is made for each: see [Unit].
//
// # Invariants
//
//   - Clusters follow one another without a gap; a Cluster is never empty.
//   - Block times never decrease inside a Cluster and lie 0 to 32767 ms after the
//     Cluster's Timestamp; media source buffers of browsers reject anything else.
//   - Block times of one track never decrease over the whole file.
//   - A keyframe of a video track is the first block of a Cluster.
//   - After the first failed write the file is not touched again and every call
//     returns that error.
//
// # Reading
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
//     one element of at most ReaderConfig.MaxElement bytes; between elements at
//     most 256 KiB are kept, and of the header what TrackEntry has.
//   - Time is linear in the number of bytes: each is looked at a few times and
//     copied at most a few times. Allocations are at most 4 times the input.
//   - Once an error was returned, every later call returns it.
package webm
