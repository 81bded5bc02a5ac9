// Package load is a load generator for servers that speak WHIP (RFC 9725) and
// WHEP (draft-ietf-wish-whep-03), this one or any other: it publishes synthetic
// streams, watches them with many viewers, and tells what arrived, when, and
// what it cost.
//
// It is a client and no part of the server, so it shares nothing with package
// peer. Publishers are few and are plain PeerConnections. Viewers are many, and
// have to be cheap enough to run beside the server that they measure:
//
//   - A viewer is a UDP socket, an ICE agent of two functions, a DTLS handshake
//     and some counters. One goroutine, on a thread of its own, reads all sockets
//     (epoll, recvmmsg), many packets at a time. It may be late: the kernel says
//     when a packet came (SO_TIMESTAMPNS).
//   - A packet is not decrypted. Its header, which is in the clear (RFC 3711
//     section 3.1), tells what is missing. Publishers put the time of sending
//     into the first bytes of the payload, where two AES blocks of key stream
//     make it readable. Of every so many packets one is authenticated and
//     decrypted whole.
//   - Each viewer has a socket of its own: a server with one UDP port knows its
//     clients by their address.
//
// Latency is the receiver's clock minus the sender's. Both are one clock when
// publishers and viewers run in one process, as here.
//
// Everything that belongs to a viewer's media is owned by the reading goroutine;
// others hand it functions to call (fleet.do). It is Linux only.
package load
