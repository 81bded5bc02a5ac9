// Package sfu is the hub: it brings the streams of publishers to viewers and
// recorders, whatever way each came by. It knows streams, tracks, rings and
// cursors; it knows no protocol, no socket and no file.
//
// # Model
//
// A stream is a named broadcast: a set of tracks. A [Track] is one ring with one
// writer and any number of reading cursors, seen in two forms: packets (RTP) and
// frames. A [Source] writes the form that it has; the other form is derived once
// per track, and only while somebody reads it, by the codec's packetizer or
// depacketizer. A [Sink] reads the form that it wants. So sources and sinks are
// N + M pieces of code, not N x M.
//
//	Hub.Publish -> Publication.AddTrack -> TrackWriter ==ring==> Cursor -> Sink (recorder)
//	                                                  \=ring==> shard -> PacketWriter (viewers)
//
// Viewers of packets are served by shards, one goroutine for 32 of them or more;
// each shard reads the ring once and calls every viewer's [PacketWriter].
//
// # Invariants
//
//   - A packet or frame in a ring never changes, so readers share it without copy
//     or lock.
//   - A slow reader never slows the writer or another reader: a cursor that is
//     lapped resumes at the newest point where a decoder can start, and says so.
//   - Continuity is made once, at the writer: sequence numbers and times of a
//     track go on when the publisher's RTP starts anew.
//   - No Source, Sink, PacketWriter or callback is called with a lock held.
//
// Lock order: hub, stream, track, ring. A lock may be taken while holding one to
// its left, never the other way.
package sfu
