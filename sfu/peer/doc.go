// Package peer speaks WebRTC: it turns a publisher's offer into a Source of the
// hub and a viewer's offer into a Sink. It is the home of pion.
//
// A [Port] is one UDP port with everything that all sessions share: the ICE mux,
// the certificate, the table of codecs. [Port.NewPublisher] and [Port.NewViewer]
// answer an offer; what they return is run by the hub.
//
// The server is an ICE-lite agent: it answers connectivity checks and never
// sends any, so candidates that a client offers are not used, and nobody can
// make the server send to an address that has not proved itself.
//
// A publisher's packets are read into slabs and handed to the hub as they are;
// losses are asked for again (NACK), and transport-wide feedback lets the
// browser estimate its bandwidth. A viewer is called by a shard of the hub with
// the packets of its tracks; it makes the headers (package forward) and writes
// them to SRTP. What a viewer lost is sent again from the track's own ring, so
// that a viewer holds no packet.
package peer
