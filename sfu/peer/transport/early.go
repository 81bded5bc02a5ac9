package transport

import "bytes"

// maxEarly bounds what is kept of media that come before the handshake is over, in
// bytes: 170 ms of 6 Mbit/s.
const maxEarly = 128 << 10

// early is media that have come before the handshake was over, in their order. A client
// sends them as soon as it has our last flight, which leaves before this side counts
// the handshake as over, and none must be missed. But until then it is not known whose
// the keys are: a host that sees what the client sends can begin a handshake in its
// place, and gets some without any certificate.
type early struct {
	datagrams []earlyDatagram
	size      int
}

type earlyDatagram struct {
	content []byte
	from    Path
}

// hold keeps a datagram, if there is room.
func (e *early) hold(datagram []byte, from Path) {
	if e.size+len(datagram) <= maxEarly {
		e.size += len(datagram)
		e.datagrams = append(e.datagrams, earlyDatagram{bytes.Clone(datagram), from})
	}
}

// release returns what was kept, and keeps it no more.
func (e *early) release() []earlyDatagram {
	datagrams := e.datagrams
	*e = early{}
	return datagrams
}
