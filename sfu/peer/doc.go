// Package peer speaks WebRTC: it turns a publisher's offer into a Source of the
// hub and a viewer's offer into a Sink. It is the home of pion.
//
// A [Port] is one UDP port with everything that all sessions share: the ICE mux,
// the certificate, the table of codecs. [Port.NewPublisher] and [Port.NewViewer]
// answer an offer; what they return is run by the hub.
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
// # Publishers
//
// A publisher is a PeerConnection, for checks and handshake. Its media
// and reports never get there: they are taken in by the goroutine that reads the
// socket.
//
//	ingress     decrypts them, from the first one on
//	section     by what each track is told from the others
//	router      which packet is of which track (RFC 9143 section 9.2, RFC 8852)
//	encoding    one RTP stream, which goes on when its SSRC changes
//	input       one track on its way to the hub, where packets go as they are
//	            (of several sizes those of one: package simulcast)
//	loss        what is asked for again (NACK)
//	reception   what is reported
//	arrivals    feedback by which the browser estimates its bandwidth
//
// # Viewers
//
// There are many viewers to a publisher, and they need little: so a viewer is no
// PeerConnection, but these parts, each in a file of its own:
//
//	demux      takes viewers' datagrams out of what pion's mux reads
//	binding    a connectivity check and its answer (STUN)
//	agent      which checks are whose, and where to send (ICE-lite)
//	records    what of a datagram of DTLS may be the client's
//	greeting   the hello of a client that is the DTLS server
//	link       the handshake, by pion/dtls
//	alerts     what is left of it afterwards: goodbyes
//	seal       RTP, encrypted from the ring's memory straight to the socket's
//	srtcp      reports in both directions
//	transport  the above together: one viewer's way
//	output     one track on its way to one viewer
//	outbox     what the viewers of a shard send together
//
// The first five and seal only compute. A viewer has one goroutine, that
// of Run: what its client sends is handled by the one that reads the socket, and
// what it is sent by a shard of the hub, which calls it with the packets of its
// tracks; it makes the headers (package forward) and encrypts. What a viewer lost is
// sent again from the track's own ring, so that a viewer holds no packet.
package peer
