package udp

import (
	"net/netip"
	"time"
)

const (
	// mtuKept is how long a path MTU is believed: as long as the kernel
	// remembers its MTU (net.ipv4.route.mtu_expires; RFC 8201, section 4).
	mtuKept = 10 * time.Minute
	// maxPaths bounds how many are remembered, in some 20 KiB: twice the viewers of
	// a shard.
	maxPaths = 256
)

// pathMTUs remembers the destinations whose path has a smaller MTU than segments
// need, so that not each run to them begins with a refusal. It belongs to one
// batch: no other goroutine waits for it.
type pathMTUs struct {
	now   func() time.Time
	paths map[netip.Addr]pathMTU // nil until there is one: most servers never see any
}

type pathMTU struct {
	segment int // the smallest that was refused, in bytes
	until   time.Time
}

// refuses reports whether r is known not to go as segments.
func (n *pathMTUs) refuses(r *run) bool {
	if r.count == 1 || len(n.paths) == 0 {
		return false
	}
	p, ok := n.paths[r.to.Addr()]
	if !ok || r.segment < p.segment {
		return false
	}
	if n.now().Before(p.until) {
		return true
	}
	delete(n.paths, r.to.Addr())
	return false
}

// remember notes that r was refused. When the table is full it begins anew, which
// costs each destination one refusal.
func (n *pathMTUs) remember(r *run) {
	to, segment := r.to.Addr(), r.segment
	p, ok := n.paths[to]
	switch {
	case ok:
		segment = min(segment, p.segment)
	case n.paths == nil:
		n.paths = make(map[netip.Addr]pathMTU)
	case len(n.paths) == maxPaths:
		clear(n.paths)
	}
	n.paths[to] = pathMTU{segment, n.now().Add(mtuKept)}
}
