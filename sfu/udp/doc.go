// Package udp is the one UDP socket that all media of a server goes through.
//
// Every WebRTC session shares it; the demux of package peer tells them apart.
// A media server's socket gets bursts: a keyframe for a hundred viewers leaves,
// and a hundred publishers' packets arrive, within a millisecond. Three things
// follow:
//
//   - The buffers are much larger than a system's default, and what does not fit is
//     dropped and counted: sending never waits.
//   - A datagram's path through the kernel costs several times the system call, so
//     saving calls is not enough. A [Batch] hands the kernel runs of equal datagrams to
//     one destination as one message (UDP_SEGMENT), which is cut as late as possible,
//     and many messages by one call. Reading is the reverse: a call brings many
//     messages, each of many datagrams (UDP_GRO).
//   - On Linux the socket is not in Go's netpoller: a reader waits in the kernel, on
//     a thread of its own.
//
// A feature that the kernel or a network card does not have is found out, at the start
// or when it refuses, and done without: for all (see [Mode] and [Conn.OnFallback]), or
// for one destination whose path MTU is too small for segments. On other systems a
// [Conn] is a net.UDPConn, and a Batch sends its datagrams one by one.
//
// The files: listen.go opens; conn.go is the API; run.go finds the runs, and only
// computes; batch.go gathers; send, receive, socket and sockaddr are the system's side;
// fallback has what is refused for all, path_mtu what is for one.
package udp
