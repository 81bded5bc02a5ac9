// Package mp4 makes fragmented MP4 (ISO/IEC 14496-12) for players that take a
// stream by Media Source Extensions: H.264 and Opus, which no browser takes
// together in WebM.
//
// A [Muxer] is given samples in the order of their times, as webm.Live has ordered them
// and filled their holes, and makes a fragment of each unit: a moof and an mdat, for
// all players at once. Players differ only in where their time zero lies, so
// [MovieFragment.AppendHead] makes the moof for each of them, with other times, and the
// data are shared.
//
// A fragment has to tell how long each sample lasts: what follows it is placed by
// that. So webm.Live has a picture wait for the next one, and nothing waits here.
//
// Pictures are told in the order in which they are decoded, which is the one in
// which they are shown: there are no B-frames here, and no composition offsets.
//
// Like webm, the package only computes: no goroutine, no clock, no I/O.
package mp4
