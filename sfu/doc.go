// Package sfu is the hub: it brings the streams of publishers to viewers and recorders,
// by whatever transport each came. It knows streams, tracks, rings and cursors; it
// knows no protocol, no socket and no file.
//
// # Model
//
// A stream is a named broadcast: a set of tracks. A [Track] is one ring with one writer
// and any number of reading cursors, seen in two forms: packets (RTP) and frames. A
// [Source] writes the form that it has; the other form is derived once per track, and
// only while a reader wants it, by the codec's packetizer or depacketizer. A [Sink]
// reads the form that it wants. So sources and sinks are N + M pieces of code, not N x
// M. Where a publisher that was lost comes back by another transport, the form that the
// source writes becomes the other one, and its readers read on (forms.go).
//
// Where a stream stands is its [State]. [Hub.Watch] tells what happens to streams and
// viewers.
//
//	Hub.Publish -> Publication.AddTracks -> TrackWriter ==ring==> Cursor -> Sink (recorder)
//	                                                   \=ring==> shard -> PacketWriter (viewers)
//
// Viewers of packets are served by shards, one goroutine for 32 of them or more;
// each shard reads the ring once and calls every viewer's [PacketWriter].
//
// # The path of one packet
//
//  1. Demux.Run (peer/transport), on the one goroutine that reads the socket, hands a
//     datagram to the client of its path (Demux.Receive, Client.ReceiveMedia):
//     mediaIntake.ReceiveRTP (peer) decrypts it into a slab. The offer tells its track,
//     or the packet itself (router.find); receiver.receive takes it in.
//  2. Intake.Receive (rtp) extends sequence number and timestamp to 64 bits, notes what
//     is missing, places the packet on the stream's clock and asks the codec whether a
//     decoder can start here (Format.Inspect): a media.Packet that is finished.
//     TrackWriter.AddPacket (writer.go) puts it into the ring. When the socket is read
//     empty, TrackWriter.Flush wakes the readers, without waiting for them: once for a
//     burst. This is the only hand-off between goroutines, and few viewers are served
//     without it (shard.serveInline).
//  3. shard.run (shard.go) serves 32 viewers or more from one goroutine, one for each
//     core at most. lane.forward takes up to 64 packets and calls each viewer in turn;
//     a viewer that has just joined first gets the packets since the newest keyframe
//     (lane.catchUp in behind.go), as fast as a link bears that carries half as much
//     again as the stream (package catchup).
//  4. Viewer.WritePackets and sender.write (peer) let Forwarder.Forward (forward) make
//     the viewer's own header, and sender.send encrypts the shared payload from the
//     ring's memory straight to the memory that the kernel reads. When the shard has
//     served all of its viewers it sends their packets.
//
// In return: a packet that a viewer lost (NACK) is answered by Viewer.resend from the
// track's ring, so a viewer stores no packet; a picture that cannot be shown (PLI, FIR)
// becomes [Track.RequestKeyframe], and the publisher is asked at most once a second
// however many viewers want one (keyframe.go).
//
// # Invariants
//
//   - A packet or frame in a ring never changes, so readers share it without copy
//     or lock.
//   - A slow reader never slows the writer or another reader: a cursor that is
//     lapped resumes at the newest point where a decoder can start, and says so.
//   - Continuity is made once, where packets come in (package rtp): sequence numbers
//     and times of a track go on when the publisher's RTP starts anew. A source of
//     packets that have numbers and times already writes them as they are.
//   - No Source, Sink, PacketWriter or callback is called with a lock held.
//
// Lock order: hub, events, stream, track, ring. A lock may be taken while holding one
// to its left, never the other way.
package sfu
