// Package peer speaks WebRTC: it turns a publisher's offer into a Source of the
// hub and a viewer's offer into a Sink. It is the home of pion.
//
// A [Port] is one UDP port with everything that all sessions share: the certificate,
// and the goroutine that reads the socket, [Port.Run]. [Port.NewPublisher] and
// [Port.NewViewer] answer an offer; what they return is run by the hub.
//
// The server is an ICE-lite agent: it answers connectivity checks and never
// sends any, so candidates that a client offers are not used, and nobody can
// make the server send to an address that has not proved itself. In DTLS it is the
// server, unless the client wants to be that (a=setup:passive): then it says hello
// where a check has shown the client to be, up to four times, 137 bytes each.
//
// Package sdp reads offers and writes answers, the latter in one way for publishers and
// viewers.
//
// # Clients
//
// Publishers and viewers have the same way through the socket, a client. What comes for
// it is handled by the goroutine that reads the socket:
//
//	demux     reads the socket, and tells whose a datagram is
//	path      by what a client's datagrams come and go
//	client    one client's way: where it is, what it may send, whether it is there
//	state     connecting, connected, closed
//	binding   a connectivity check and its answer (STUN)
//	agent     which checks are whose, and where to send (ICE-lite)
//	records   what of a datagram of DTLS may be the client's
//	greeting  the hello of a client that is the DTLS server
//	secrets   what the keys are derived from
//	keys      what is encrypted with: RTP (seal), RTCP (srtcp), alerts
//	pipe      the socket of a handshake, in memory
//
// Each check is verified once, by the agent. The handshake is made by pion. What does
// that lives until the client has our last flight, and gets nothing but handshake
// records, of which at most a few wait; goodbyes need the keys alone:
//
//	link        pion/dtls, for a viewer
//	connection  a PeerConnection, for a publisher: it checks what was negotiated, too
//
// So a connected client costs one goroutine, that of Run of its session.
//
// # Publishers
//
// A publisher's media are taken in from the first packet on:
//
//	ingress     takes in what the client has decrypted
//	section     by what each track is told from the others
//	router      which packet is of which track (RFC 9143 section 9.2, RFC 8852)
//	encoding    one RTP stream, which goes on when its SSRC changes
//	input       one track on its way to the hub, where packets go as they are
//	            (of several sizes those of one: package simulcast)
//	arrivals    feedback by which the browser estimates its bandwidth
//
// Numbers, times, what is lost and what is reported are package rtp's.
//
// # Viewers
//
//	output       one track on its way to one viewer
//	feedback     what a viewer asks for
//	shard_batch  what the viewers of a shard send together
//
// A viewer is sent its packets by a shard of the hub, which calls it with those of its
// tracks; it makes the headers (package forward) and encrypts, from the ring's memory
// straight to the socket's. What a viewer lost is sent again from the track's own ring,
// so that a viewer holds no packet.
package peer
