package ebml

// Flags of a block (RFC 9559 sections 10.1 and 10.2).
const (
	FlagKey     = 0x80 // in SimpleBlocks only
	FlagLacing  = 0x06
	FlagDiscard = 0x01 // in SimpleBlocks only: "discardable". Here: no medium, see webm.Block.Filler
)

// KeyFlag returns FlagKey if key, else no flag.
func KeyFlag(key bool) byte {
	if key {
		return FlagKey
	}
	return 0
}

// Kinds of lacing (RFC 9559 section 10.3).
const (
	LacingNone  = 0x00
	LacingXiph  = 0x02
	LacingFixed = 0x04
	LacingEBML  = 0x06
)

// MaxLaced is the most frames that a block holds: one byte tells their number.
const MaxLaced = 256

// BlockHead is what precedes the frames in the data of a SimpleBlock or Block (RFC
// 9559 sections 10.1 and 10.2).
type BlockHead struct {
	Number uint64 // of the track
	Offset int16  // ticks from the Cluster's Timestamp
	Flags  byte
	Bytes  int // of the head itself
}

// MaxBlockHead is the length of the longest such head: number, time and flags.
const MaxBlockHead = MaxSizeBytes + 2 + 1

// ParseBlockHead parses the head at the front of b. It returns false if b is shorter.
func ParseBlockHead(b []byte) (BlockHead, bool) {
	number, n, _, ok := ParseVint(b)
	if !ok || len(b) < n+3 {
		return BlockHead{}, false
	}
	return BlockHead{number, int16(uint16(b[n])<<8 | uint16(b[n+1])), b[n+2], n + 3}, true
}

// TimeBytes is how many bytes of such a head tell time and flags, as its last ones.
const TimeBytes = 2 + 1

// Unlace returns the frames in the data of a block behind its head, p, and in sizes,
// whose memory it takes, how long each is: one frame, or several that are laced (RFC
// 9559 section 10.3). It returns false if they do not fit or a frame is empty.
func Unlace(flags byte, p []byte, memory *[MaxLaced]int) (frames []byte, sizes []int, ok bool) {
	if flags&FlagLacing == LacingNone {
		memory[0] = len(p)
		return p, memory[:1], len(p) > 0
	}
	if len(p) == 0 {
		return nil, nil, false
	}
	sizes, p = memory[:int(p[0])+1], p[1:]
	told := sizes[:len(sizes)-1] // the last frame is the rest
	switch flags & FlagLacing {
	case LacingXiph:
		p, ok = xiphSizes(p, told)
	case LacingEBML:
		p, ok = ebmlSizes(p, told)
	case LacingFixed:
		ok = len(p)%len(sizes) == 0
		for i := range told {
			told[i] = len(p) / len(sizes)
		}
	}
	rest := len(p)
	for _, size := range told {
		if !ok || size <= 0 || size > rest {
			return nil, nil, false
		}
		rest -= size
	}
	sizes[len(told)] = rest
	return p, sizes, ok && rest > 0
}

// xiphSizes reads sizes as sums of bytes, of which all but the last are 255 (RFC
// 9559 section 10.3.2). It returns what follows them.
func xiphSizes(p []byte, sizes []int) ([]byte, bool) {
	for i := range sizes {
		sizes[i] = 0
		for more := true; more; {
			if len(p) == 0 {
				return nil, false
			}
			sizes[i] += int(p[0])
			more = p[0] == 255
			p = p[1:]
		}
	}
	return p, true
}

// ebmlSizes reads the first size as a variable-size integer and the others as
// differences, moved so as to be unsigned (RFC 9559 section 10.3.3). It returns
// what follows them.
func ebmlSizes(p []byte, sizes []int) ([]byte, bool) {
	size := int64(0)
	for i := range sizes {
		v, n, _, ok := ParseVint(p)
		if !ok {
			return nil, false
		}
		if i == 0 {
			size = int64(v)
		} else {
			size += int64(v) - (1<<(7*n-1) - 1)
		}
		p = p[n:]
		if size <= 0 || size > int64(len(p)) {
			return nil, false
		}
		sizes[i] = int(size)
	}
	return p, true
}

// LaceHead returns how many bytes at the front of the data of a block that is laced
// tell the number and the sizes of its frames (RFC 9559 section 10.3).
func LaceHead(flags byte, p []byte) int {
	n := 1
	for range int(p[0]) { // the size of the last frame is not told
		switch {
		case flags&FlagLacing == LacingXiph:
			for n < len(p) && p[n] == 255 {
				n++
			}
			n++
		case flags&FlagLacing == LacingEBML && n < len(p):
			_, size, _, ok := ParseVint(p[n:])
			if !ok {
				return len(p)
			}
			n += size
		}
	}
	return min(n, len(p))
}
