// Package webm writes recordings as WebM (Matroska, RFC 9559), repairs such files,
// and reads WebM streams from the network.
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
//
// # Repair
//
// [Verify] says what is wrong with a file, of weir or of another program, and
// [Repair] mends it where it is: what a crash left has its end cut off behind the
// last whole block and gets sizes, a duration and an index, to the byte what Finish
// would have made of it, but for the last frame's guessed length. A file without
// room for that, like a browser's, is copied by [Rewrite]. [FillSound] copies too, and
// puts silence where a track of Opus has a hole.
//
// A file is walked through from head to head of its blocks, by a few bytes each,
// and what lies between is not read: an hour of 1.1 GB takes some 0.2 s from the
// cache. What is kept of it is bounded: counts, at most 32768 cues, 100 damages.
// Where the chain of heads breaks, all bytes are searched for the next Cluster with
// a Timestamp and a first block. If that lies inside of the last block that was
// read, the block had a wrong size. Everything before and behind a damage is kept.
//
// Repair decides what to do by what the file is, and never by what it did before,
// so it can be stopped at any moment and started again, and leads to the same bytes.
// Its writes come in this order, and after each the file is one that plays:
//
//  1. The end is cut off. What remains is a prefix that ends with a whole block.
//     From here on the walk is one through what remains.
//  2. Cluster by cluster: a Void over each damage and each block that is none; the
//     Cluster's size. A CRC-32 that would be wrong by that becomes a Void first.
//     Players skip a Void; before, they stumbled over what it covers. In a Segment
//     of unknown size each Cluster may have a size or none.
//  3. A TrackEntry without blocks becomes a Void by a change of its ID, in files
//     that weir wrote.
//  4. Cues that lead astray become a Void. New ones go into a Void ahead of the
//     Clusters, first what lies behind the Void's head, which is not seen, then the
//     head; or to the end of the file, where a piece of them is cut off again.
//  5. The Segment's size. If it is still the old one, players stop there or look
//     for more and find none.
//  6. The Duration: a false one is made next to nothing, then changed behind its
//     first byte, then in it; a missing one is written into a Void behind the Void's
//     head, and then gets its own. So there is no moment with one that looks right
//     and is not.
//  7. The SeekHead, like Cues. Until then none leads to the new Cues, and players
//     that follow an old one find a Void and go on.
//
// No write touches a byte of a block that is whole. A write that is itself cut short
// within its few bytes can leave a head that is none; then that and what belongs to
// it is a damage, which the next Repair turns into a Void again and starts over.
package webm
