package webmtest

import (
	"fmt"
	"testing"

	"weir/recorder/webm/ebml"
)

// element is one element as the test's own scanner finds it.
type element struct {
	ID       uint32
	At, data int // offsets of the element and of its data in the file
	size     int // of the data; -1 if unknown
	Children []*element
}

func (e *element) End() int { return e.data + e.size }

// Find returns the first child of e with id.
func (e *element) Find(id uint32) *element {
	for _, c := range e.Children {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (e *element) All(id uint32) []*element {
	var out []*element
	for _, c := range e.Children {
		if c.ID == id {
			out = append(out, c)
		}
	}
	return out
}

// masters are the elements that the scanner enters.
var masters = map[uint32]bool{
	0x1A45DFA3: true, 0x18538067: true, 0x114D9B74: true, 0x4DBB: true, 0x1549A966: true,
	0x1654AE6B: true, 0xAE: true, 0xE0: true, 0xE1: true, 0x1F43B675: true,
	0x1C53BB6B: true, 0xBB: true, 0xB7: true,
}

// Vint reads a variable-length integer, with its marker bit if keep.
func Vint(b []byte, keep bool) (v uint64, n int, unknown bool, err error) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0, false, fmt.Errorf("no vint")
	}
	n = 1
	for mask := byte(0x80); b[0]&mask == 0; mask >>= 1 {
		n++
	}
	if len(b) < n {
		return 0, 0, false, fmt.Errorf("short vint")
	}
	for _, c := range b[:n] {
		v = v<<8 | uint64(c)
	}
	if !keep {
		v &= 1<<(7*n) - 1
	}
	return v, n, v == 1<<(7*n)-1, nil
}

// Scan reads the elements of b from offset at to end, which they must fill to
// the byte. It knows no unknown sizes but the Segment's, so it passes finished
// files and nothing else.
func Scan(b []byte, at, end int) ([]*element, error) {
	var out []*element
	for at < end {
		id, n, _, err := Vint(b[at:end], true)
		if err != nil {
			return out, fmt.Errorf("id at %d: %w", at, err)
		}
		size, m, unknown, err := Vint(b[at+n:end], false)
		if err != nil {
			return out, fmt.Errorf("size at %d: %w", at, err)
		}
		e := &element{ID: uint32(id), At: at, data: at + n + m, size: int(size)}
		if unknown {
			return out, fmt.Errorf("element %x at %d has no size", id, at)
		}
		if e.End() > end {
			return out, fmt.Errorf("element %x at %d ends at %d, its parent at %d", id, at, e.End(), end)
		}
		if masters[e.ID] {
			if e.Children, err = Scan(b, e.data, e.End()); err != nil {
				return out, err
			}
		}
		out = append(out, e)
		at = e.End()
	}
	return out, nil
}

func UintAt(b []byte, e *element) int64 {
	var v int64
	for _, c := range b[e.data:e.End()] {
		v = v<<8 | int64(c)
	}
	return v
}

// MustSegment scans a finished file and returns its Segment.
func MustSegment(t testing.TB, b []byte) *element {
	t.Helper()
	top, err := Scan(b, 0, len(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(top) != 2 || top[0].ID != 0x1A45DFA3 || top[1].ID != 0x18538067 {
		t.Fatalf("top level is %v", top)
	}
	return top[1]
}

// CheckFinished holds everything that is true of every finished file.
func CheckFinished(t testing.TB, b []byte) *element {
	t.Helper()
	seg := MustSegment(t, b)
	checkSeekHead(t, b, seg)
	last := map[byte]int64{}
	for i, c := range seg.All(0x1F43B675) {
		if len(c.Children) < 2 || c.Children[0].ID != uint32(ebml.TimestampID) {
			t.Fatalf("cluster %d has no timestamp first or no block", i)
		}
		base, prev := UintAt(b, c.Children[0]), int64(0)
		for _, e := range c.Children[1:] {
			if e.ID != uint32(ebml.SimpleBlockID) {
				t.Fatalf("cluster %d holds %x", i, e.ID)
			}
			number, offset := b[e.data]&0x7F, int64(int16(uint16(b[e.data+1])<<8|uint16(b[e.data+2])))
			if offset < prev {
				t.Fatalf("cluster %d: offset %d after %d", i, offset, prev)
			}
			prev = offset
			if base+offset < last[number] {
				t.Fatalf("cluster %d: track %d steps back to %d from %d", i, number, base+offset, last[number])
			}
			last[number] = base + offset
		}
	}
	entries := seg.Find(0x1654AE6B).All(0xAE)
	if len(entries) != len(last) && len(last) > 0 {
		t.Fatalf("%d tracks declared, %d have frames", len(entries), len(last))
	}
	checkCues(t, b, seg)
	return seg
}

// checkSeekHead requires that each entry leads to the element that it names.
func checkSeekHead(t testing.TB, b []byte, seg *element) {
	t.Helper()
	head := seg.Children[0]
	if head.ID != 0x114D9B74 {
		t.Fatalf("the Segment begins with %x, not with a SeekHead", head.ID)
	}
	named := map[uint32]bool{}
	for _, s := range head.Children {
		id := uint32(UintAt(b, s.Find(0x53AB)))
		at := seg.data + int(UintAt(b, s.Find(0x53AC)))
		e := seg.Find(id)
		if e == nil || e.At != at {
			t.Fatalf("SeekHead has %x at %d, the file has %+v", id, at, e)
		}
		named[id] = true
	}
	if !named[0x1549A966] || !named[0x1654AE6B] || named[0x1C53BB6B] != (seg.Find(0x1C53BB6B) != nil) {
		t.Fatalf("SeekHead names %v", named)
	}
}

// checkCues requires that each cue leads to a Cluster that begins with a
// keyframe of the cue's track and time.
func checkCues(t testing.TB, b []byte, seg *element) {
	t.Helper()
	cues := seg.Find(0x1C53BB6B)
	if cues == nil {
		return
	}
	starts := map[int]*element{}
	for _, c := range seg.All(0x1F43B675) {
		starts[c.At-seg.data] = c
	}
	prev := int64(-1)
	for i, p := range cues.Children {
		ms := UintAt(b, p.Find(0xB3))
		where := p.Find(0xB7)
		c := starts[int(UintAt(b, where.Find(0xF1)))]
		if c == nil {
			t.Fatalf("cue %d leads to no cluster", i)
		}
		block := c.Children[1]
		if ms < prev || ms != UintAt(b, c.Children[0]) ||
			int64(b[block.data]&0x7F) != UintAt(b, where.Find(0xF7)) || b[block.data+3]&0x80 == 0 {
			t.Fatalf("cue %d at %d ms does not match its cluster", i, ms)
		}
		prev = ms
	}
}
