package read

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"weir/recorder/webm/ebml"
)

// TestLookout holds the streaming search against a plain one.
func TestLookout(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	alphabet := slices.Concat([]byte(clusterMagic), []byte(ebmlMagic), []byte{0xE7, 0x81, 0x84, 0xBF, 0x42, 0x86, 0x01, 0xFF, 0x40, 0x9F})
	starts := [][]byte{
		append(ebml.AppendCluster(nil, 0)[:ebml.ClusterHead], 0xE7, 0x80), ebml.AppendSize(ebml.AppendID(nil, ebml.ClusterID), 5),
		append(ebml.AppendSize(ebml.AppendID(nil, ebml.HeaderID), 27), 0x42, 0x86), ebml.AppendSize(ebml.AppendID(nil, ebml.HeaderID), 1<<20),
	}
	found := 0
	for range 3000 {
		b := make([]byte, 60)
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		for range 3 {
			at := random.IntN(len(b) - 8)
			copy(b[at:], starts[random.IntN(4)])
		}
		var want, have []string
		l := newLookout(defaultMaxHeader)
		for at := 0; at < len(b); at++ {
			if n := headStarts(&l, b[at:]); n > 0 {
				want = append(want, fmt.Sprint(at, n))
				at += n - 1
			}
		}
		for rest := b; len(rest) > 0; {
			n := min(1+random.IntN(20), len(rest))
			taken, ok := l.scan(rest[:n])
			if rest = rest[taken:]; ok {
				have = append(have, fmt.Sprint(int(l.end)-l.n, l.n))
				l.restart()
			}
		}
		if !slices.Equal(have, want) {
			t.Fatalf("% x: found %v, want %v", b, have, want)
		}
		found += len(want)
		if l.end != int64(len(b)) || l.work > 4*int64(len(b)) {
			t.Fatalf("% x: at %d after %d steps", b, l.end, l.work)
		}
	}
	if found < 1000 {
		t.Errorf("only %d found", found)
	}
}

// headStarts returns the length of the good candidate that b begins with, or 0.
func headStarts(l *lookout, b []byte) int {
	for n := range b {
		whole, possible := l.judge(b[:n+1])
		if whole {
			return n + 1
		}
		if !possible {
			break
		}
	}
	return 0
}
