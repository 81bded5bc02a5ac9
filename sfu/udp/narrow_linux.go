package udp

import (
	"net/netip"
	"time"
)

const (
	// narrowFor is how long a path is held to be narrow: as long as the kernel
	// remembers its MTU (net.ipv4.route.mtu_expires; RFC 8201, section 4).
	narrowFor = 10 * time.Minute
	// maxNarrow bounds how many are remembered, in some 20 KiB: twice the viewers of
	// a shard.
	maxNarrow = 256
)

// narrow remembers the destinations whose path has a smaller MTU than segments
// need, so that not each run to them begins with a refusal. It belongs to one
// batch: no other goroutine waits for it.
type narrow struct {
	now   func() time.Time
	paths map[netip.Addr]narrowPath // nil until there is one: most servers never see any
}

type narrowPath struct {
	segment int // the smallest that was refused, in bytes
	until   time.Time
}

// refuses reports whether r is known not to go as segments.
func (n *narrow) refuses(r *run) bool {
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
func (n *narrow) remember(r *run) {
	to, segment := r.to.Addr(), r.segment
	p, ok := n.paths[to]
	switch {
	case ok:
		segment = min(segment, p.segment)
	case n.paths == nil:
		n.paths = make(map[netip.Addr]narrowPath)
	case len(n.paths) == maxNarrow:
		clear(n.paths)
	}
	n.paths[to] = narrowPath{segment, n.now().Add(narrowFor)}
}
