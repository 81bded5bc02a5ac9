// Package webm writes WebM (Matroska, RFC 9559): recordings, and live streams for
// players.
//
// It is one of several rooms. Package ebml is the vocabulary: elements, their IDs and
// how they are parsed. Package layout is what precedes the Clusters of a file, and how
// one is finished. Package walk goes through a file from head to head of its blocks.
// Package read reads streams as they come and files from any time on; package repair
// mends files.
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
// well; [layout.Seal] gives the order. A track that never got a frame must not stay
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
package webm
