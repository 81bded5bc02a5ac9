// Package udp opens the one UDP socket that all media of a server goes through.
//
// Every WebRTC session shares it; the ICE mux of package peer tells them apart.
// A media server's socket gets bursts: a keyframe for a hundred viewers leaves,
// and a hundred publishers' packets arrive, within a millisecond. So its buffers
// are much larger than a system's default.
package udp
