// Package repair finds what is wrong with WebM files and mends them.
//
// [Verify] tells what is wrong with a file, of weir or of another program, and [Repair]
// mends it where it is: what a crash left has its end cut off behind the last whole
// block and gets sizes, a duration and an index, to the byte what Finish would have
// made of it, but for the last frame's guessed length. A file without room for that,
// like a browser's, is copied by [Rewrite]. [FillSound] copies too, and puts silence
// where a track of Opus has a hole.
//
// A file is walked through from head to head of its blocks, by a few bytes each, and
// what lies between is not read: an hour of 1.1 GB takes some 0.2 s from the cache.
// Memory is bounded: counts, at most 32768 cues, 100 damages. Where the chain of heads
// breaks, all bytes are searched for the next Cluster with a Timestamp and a first
// block. If that lies inside of the last block that was read, the block had a wrong
// size. Everything before and behind a damage is kept.
//
// Repair decides what to do by what the file is, and never by what it did before,
// so it can be stopped at any moment and started again, and leads to the same bytes.
// Its writes come in this order, and after each the file is one that plays:
//
//  1. The end is cut off. A prefix remains that ends with a whole block. From here on
//     the walk is one through that prefix.
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
package repair
