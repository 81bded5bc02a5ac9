// Package transport is a client's path through the one UDP socket: ICE-lite, DTLS, SRTP
// and SRTCP, and whether the client is there. Publishers and viewers have the same one.
//
// A [Demux] reads the socket and hands to each [Client] what has come for it: checks by
// their user name, all else by the [Path] that it came by, which must be one that a
// valid check of the client has come by. That happens on the goroutine that reads, which
// a client must not hold up; so what a client takes in never waits, and what finds no
// room is dropped and counted.
//
//	demux     reads the socket, and tells whose a datagram is
//	path      by what a client's datagrams come and go
//	client    where a client is, what it may send, whether it is there
//	state     connecting, connected, closed
//	binding   a connectivity check and its answer (STUN)
//	agent     which checks are whose, and where to send (ICE-lite)
//	records   what of a datagram of DTLS may be the client's
//	greeting  the hello of a client that is the DTLS server
//	secrets   what the keys are derived from
//	early     media that come before the handshake is over
//	keys      what is encrypted with: RTP (seal), RTCP (srtcp), alerts
//	pipe      the socket of a handshake, in memory
//	link      a handshake by pion/dtls
//
// agent, binding, records, greeting and seal only compute. Each check is verified once,
// by the agent. The handshake's side, a [Link] or the reader of a [Pipe], lives until
// the client has our last flight; a goodbye, which may come later, needs the keys
// alone. So a connected client costs no goroutine here.
//
// An address that has not proved itself by a check gets no more than came from there,
// and nothing at all unless that was made with the session's password.
package transport
