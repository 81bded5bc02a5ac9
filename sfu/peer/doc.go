// Package peer speaks WebRTC: it turns a publisher's offer into a Source of the
// hub and a viewer's offer into a Sink. It is the home of pion.
//
// A [Port] is one UDP port with everything that all sessions share: the certificate,
// and the goroutine that reads the socket, [Port.Run]. [Port.NewPublisher] and
// [Port.NewViewer] answer an offer; what they return is run by the hub.
//
// The server is an ICE-lite agent: it answers connectivity checks and never sends any,
// so candidates that a client offers are not used, and no host can make the server send
// to an address that has not proved itself. In DTLS it is the server, unless the client
// wants to be that (a=setup:passive): then it says hello where a check has shown the
// client to be, up to four times, 137 bytes each.
//
// Package sdp reads offers and writes answers, the latter by the same code for
// publishers and viewers.
//
// Package transport is a client's path through the socket, the same for both: which
// datagrams are the client's, connectivity checks, keys, and whether it is there.
//
// The handshake is made by pion: for a viewer by pion/dtls (transport.Link), for a
// publisher by a PeerConnection (connection), which checks what was negotiated, too. It
// lives until the client has our last flight, and gets handshake records only. So a
// connected client costs one goroutine, that of Run of its session.
//
// # Publishers
//
// A publisher's media are taken in from the first packet on:
//
//	mediaIntake decrypts them, and finds the receiver of each packet
//	section     how packets of a track are told from those of others
//	router      which packet is of which track (RFC 9143 section 9.2, RFC 8852)
//	encoding    one RTP stream, which goes on when its SSRC changes
//	receiver    one track as it goes to the hub, where packets go as they are
//	            (of several sizes those of one: package simulcast)
//	arrivals    feedback by which the browser estimates its bandwidth
//
// Numbers, times, what is lost and what is reported are package rtp's.
//
// # Viewers
//
//	sender       one track as it goes to one viewer
//	feedback     what a viewer asks for
//	shard_batch  what the viewers of a shard send together
//
// A viewer is sent its packets by a shard of the hub, which calls it with those of its
// tracks; it makes the headers (package forward) and encrypts, from the ring's memory
// straight to the socket's. Packets that a viewer lost are sent again from the track's
// own ring, so that a viewer holds none.
package peer
