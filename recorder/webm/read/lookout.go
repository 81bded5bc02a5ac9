package read

import (
	"weir/recorder/webm/ebml"
)

// A lookout watches all bytes of a stream for the start of a Cluster or of an EBML
// header, whatever the Reader believes to be reading meanwhile. That is how a Reader
// finds the stream again after damage, and how it notices that a size was wrong before
// it swallows what follows.
//
// The four bytes of an ID alone come about by chance once in 4 GiB of media. With a
// valid size and the head of the Timestamp, which comes first in a Cluster or right
// behind a CRC-32 (RFC 9559 section 5.1.3.1), it is once in 2^44 bytes, and costs a
// Cluster then. A client that puts them into a stream harms that stream only.
//
// Each byte is taken once, and dropped once, so time is linear in their number.
type lookout struct {
	maxHeader uint64 // most data of an EBML header
	candidate [maxCandidate]byte
	n         int   // bytes of candidate
	end       int64 // offset behind the last byte that was taken
	known     int64 // where the Reader itself found a Cluster or an EBML header last
	work      int64 // how often a candidate was judged, and bytes passed: for tests
}

// maxCandidate is the most bytes that a candidate has: an ID of 4, a size of 8
// and 2 bytes of the first child.
const maxCandidate = 4 + ebml.MaxSizeBytes + 2

func newLookout(maxHeader int) lookout {
	return lookout{maxHeader: uint64(maxHeader), known: -1}
}

// restart forgets the candidate: the next byte does not follow the last one.
func (l *lookout) restart() { l.n = 0 }

// scan takes p, or the part of it up to the end of a candidate that proved good at a
// place other than known. It returns how much it took; found reports whether
// l.candidate[:l.n] is good, and restart must be called before the next scan.
func (l *lookout) scan(p []byte) (taken int, found bool) {
	for i := 0; i < len(p); {
		if l.n == 0 {
			n := quiet(p[i:])
			l.work += int64(n)
			if i += n; i == len(p) {
				break
			}
		}
		l.candidate[l.n] = p[i]
		l.n++
		i++
		if l.settle(l.end + int64(i)) {
			l.end += int64(i)
			return i, true
		}
	}
	l.end += int64(len(p))
	return len(p), false
}

// quiet returns how many bytes at the front of p certainly begin no candidate.
func quiet(p []byte) int {
	for i, b := range p {
		if b != cluster0 && b != ebml0 {
			continue
		}
		if i+1 == len(p) || p[i+1] == cluster1 || p[i+1] == ebml1 {
			return i
		}
	}
	return len(p)
}

// settle drops bytes from the front of the candidate until it may become a good
// one or is empty. It returns true if it is good. end is the offset behind it.
func (l *lookout) settle(end int64) bool {
	for l.n > 0 {
		l.work++
		whole, possible := l.judge(l.candidate[:l.n])
		if whole && end-int64(l.n) != l.known {
			return true
		}
		if possible && !whole {
			return false
		}
		l.n = copy(l.candidate[:], l.candidate[1:l.n])
	}
	return false
}

// The bytes with which candidates begin.
var (
	clusterMagic = string(ebml.AppendID(nil, ebml.ClusterID))
	ebmlMagic    = string(ebml.AppendID(nil, ebml.HeaderID))
)

const (
	cluster0, cluster1 = byte(ebml.ClusterID >> 24), byte(ebml.ClusterID >> 16 & 0xFF)
	ebml0, ebml1       = byte(ebml.HeaderID >> 24), byte(ebml.HeaderID >> 16 & 0xFF)
)

// judge reports whether c is the start of a Cluster or EBML header and of its first
// child, or may become one with more bytes.
func (l *lookout) judge(c []byte) (whole, possible bool) {
	id := string(c[:min(len(c), len(clusterMagic))])
	cluster := id == clusterMagic[:len(id)]
	if !cluster && id != ebmlMagic[:len(id)] {
		return false, false
	}
	c = c[len(id):]
	if len(c) == 0 || ebml.VintBytes(c[0]) > len(c) {
		return false, len(c) == 0 || c[0] != 0
	}
	size, n, unknown, _ := ebml.ParseVint(c)
	c = c[n:]
	if !cluster && (unknown || size > l.maxHeader) {
		return false, false
	}
	return childStarts(c, cluster)
}

// childStarts reports whether c is, or may become, the two bytes with which the
// first child of a Cluster or EBML header begins.
func childStarts(c []byte, cluster bool) (whole, possible bool) {
	if len(c) == 0 {
		return false, true
	}
	first, second := c[0], byte(0)
	if len(c) > 1 {
		second = c[1]
	}
	if ebml.ElementID(first) == ebml.CRC32ID {
		return second == 0x84, len(c) == 1 || second == 0x84
	}
	if !cluster {
		// All children of an EBML header have IDs of two bytes, of which the first is
		// the same.
		switch ebml.ElementID(first)<<8 | ebml.ElementID(second) {
		case ebml.VersionID, ebml.ReadVersionID, ebml.MaxIDLengthID, ebml.MaxSizeLengthID,
			ebml.DocTypeID, ebml.DocTypeVersionID, ebml.DocTypeReadVersionID:
			return true, true
		}
		return false, len(c) == 1 && ebml.ElementID(first) == ebml.DocTypeID>>8
	}
	sized := 0x80 <= second && second <= 0x88 // an unsigned integer of 0 to 8 bytes
	return ebml.ElementID(first) == ebml.TimestampID && sized, ebml.ElementID(first) == ebml.TimestampID && (len(c) == 1 || sized)
}
