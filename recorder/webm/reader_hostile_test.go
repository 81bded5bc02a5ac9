package webm

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// spent pushes b in pieces of size and returns how many bytes were allocated
// meanwhile, how many the lookout went through, and what was found.
func spent(t testing.TB, b []byte, size int) (allocated uint64, work int64, got tally, err error) {
	t.Helper()
	r := NewReader(&got, ReaderConfig{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for rest := b; len(rest) > 0 && err == nil; rest = rest[min(size, len(rest)):] {
		if err = r.Push(rest[:min(size, len(rest))]); held(r) > slack {
			t.Fatalf("%d bytes are held", held(r))
		}
	}
	if end := r.Close(); err == nil {
		err = end
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, r.look.work, got, err
}

// tally is a Receiver that counts.
type tally struct {
	headers, frames, damages int
	bytes                    int64
}

func (c *tally) Header(Header) error { c.headers++; return nil }
func (c *tally) Damage(Damage)       { c.damages++ }
func (c *tally) Frame(f Frame) error {
	c.frames++
	c.bytes += int64(len(f.Data))
	return nil
}

// hostile are streams that were deadly to other readers, or try to be. Those of
// some length double in it with n.
func hostile(n int) map[string][]byte {
	cluster := join(liveStart, liveCluster(0))
	deep := func(id ElementID) []byte {
		var heads []byte
		for i := n / 8; i > 0; i-- { // each holds all the others
			heads = append(heads, idBytes(id)...)
			heads = appendWideSize(heads, uint64(min(i*8, defaultMaxElement)), 4)
		}
		return heads
	}
	nested := func() []byte { // as deep, but with the right sizes
		var heads []byte
		for i := n / 8; i > 0; i-- {
			heads = appendWideSize(append(heads, 0x67, 0xC8), uint64(i*6-6), 4)
		}
		return heads
	}
	random := rand.New(rand.NewPCG(15, 16))
	noise := make([]byte, n)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), n/len(s)) }
	group := claim(blockGroupID, 8<<20)
	return map[string][]byte{
		"Void of 1 GiB":          join(cluster, claim(voidID, 1<<30)),
		"Void of 2^48":           join(cluster, claim(voidID, 1<<48)),
		"Void of 2^48 in front":  join(liveStart[:52], claim(voidID, 1<<48)),
		"block of 1 GiB":         join(cluster, claim(simpleBlockID, 1<<30), noise),
		"block of 2^49":          join(cluster, claim(simpleBlockID, 1<<49), noise),
		"block of 8 MiB":         join(cluster, claim(simpleBlockID, 8<<20), []byte{1}),
		"unsized block":          join(cluster, open(simpleBlockID), noise),
		"lacing of nothing":      join(cluster, []byte("\xA3\x84\x81\x00\x00\x24\x00")),
		"empty blocks":           join(cluster, fill("\xA3\x80")),
		"empty groups":           join(cluster, fill("\xA0\x80")),
		"tiny blocks":            join(cluster, fill("\xA3\x85\x85\x00\x00\x80\x01")),
		"tiny groups":            join(cluster, fill("\xA0\x87\xA1\x85\x85\x00\x00\x80\x01")),
		"A3 10":                  join(cluster, fill("\xA3\x10")),
		"256 laced":              join(cluster, bytes.Repeat(el(simpleBlockID, blockData(liveVideo, 0, lacingFixed, append([]byte{255}, make([]byte, 256)...)...)), n/270)),
		"bad lacing":             join(cluster, bytes.Repeat(el(simpleBlockID, blockData(liveVideo, 0, lacingXiph, bytes.Repeat([]byte{255}, 1000)...)), n/1000)),
		"nested SimpleTags":      join(cluster, el(tagsID, nested())),
		"deep Tags":              join(cluster, deep(0x67C8)),
		"deep BlockGroups":       join(cluster, deep(blockGroupID)),
		"deep Clusters":          join(liveStart, deep(clusterID)),
		"claims in a group":      join(cluster, bytes.Repeat(join(group, claim(blockID, 7<<20), []byte{1, 2, 3}, liveCluster(0)), n/50)),
		"claims in Clusters":     join(cluster, bytes.Repeat(join(claim(simpleBlockID, 7<<20), liveCluster(0)), n/20)),
		"Clusters":               join(liveStart, bytes.Repeat(liveCluster(0), n/15)),
		"half Clusters":          join(cluster, fill(clusterMagic)),
		"half Clusters in block": join(cluster, claim(simpleBlockID, 8<<20), fill(clusterMagic+"\x01")),
		"starts":                 join(cluster, []byte{0}, fill("\x1F\x1F\x43\x1A\x45\xDF")),
		"headers":                bytes.Repeat(liveStart, n/len(liveStart)),
		"EBML headers":           bytes.Repeat(ebmlStart, n/len(ebmlStart)),
		"Tracks again":           join(cluster, bytes.Repeat(liveTracks, n/len(liveTracks))),
		"noise":                  join(cluster, noise),
		"zeros":                  join(cluster, make([]byte, n)),
		"Voids":                  join(cluster, fill("\xEC\x80")),
		"many children":          join(ebmlStart, open(segmentID), el(tracksID, bytes.Repeat(el(voidID), min(n, 60_000)/2))),
	}
}

// TestReaderBoundsMemory requires at most 4 times the input and 2 MiB, whatever
// the input claims.
func TestReaderBoundsMemory(t *testing.T) {
	for name, b := range hostile(1 << 19) {
		for _, size := range []int{len(b), 1000} {
			allocated, _, got, err := spent(t, b, size)
			if limit := uint64(4*len(b) + 2<<20); allocated > limit {
				t.Errorf("%s in pieces of %d: %d bytes allocated for %d; %+v, %v", name, size, allocated, len(b), got, err)
			}
		}
	}
}

// TestReaderMemoryOfSmallStreams does so for streams of a few bytes, where nothing
// but their claims is large.
func TestReaderMemoryOfSmallStreams(t *testing.T) {
	for name, b := range hostile(100) {
		if allocated, _, _, _ := spent(t, b, 10); allocated > 100<<10 {
			t.Errorf("%s: %d bytes allocated for %d", name, allocated, len(b))
		}
	}
}

// TestReaderTimeIsLinear counts steps instead of time: twice the input may cost
// twice the steps and allocations, and each byte at most a few.
func TestReaderTimeIsLinear(t *testing.T) {
	small, large := hostile(1<<18), hostile(1<<19)
	for name := range small {
		_, a, _, _ := spent(t, small[name], 4096)
		_, b, _, _ := spent(t, large[name], 4096)
		if limit := 4 * int64(len(large[name])); b > limit || b > 2*a+a/4+10000 {
			t.Errorf("%s: %d steps for %d bytes, %d for %d", name, a, len(small[name]), b, len(large[name]))
		}
	}
}

// TestHostileStreamsInPieces requires of all of them that cuts do not matter.
func TestHostileStreamsInPieces(t *testing.T) {
	for name, b := range hostile(3000) {
		got, err := sameInPieces(t, ReaderConfig{}, b)
		checkDamage(t, got.damages, len(b))
		if strings.HasPrefix(name, "tiny") && (err != nil || len(got.frames) < 300) {
			t.Errorf("%s: %d frames, %v", name, len(got.frames), err)
		}
	}
}

// TestReaderTakesLargeFrames reads frames up to the bound, in one piece and many,
// and keeps no large buffer.
func TestReaderTakesLargeFrames(t *testing.T) {
	for _, n := range []int{keepCollected - 100, keepCollected, 1 << 20, 8<<20 - 4} {
		frame := vp8(n, true, n)
		b := join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, flagKey, frame...),
			el(blockGroupID, el(blockID, blockData(liveVideo, 1, 0, frame[:n-100]...)))))
		for _, size := range []int{len(b), 70_000, 999} {
			var got received
			r := NewReader(&got, ReaderConfig{})
			for rest := b; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if err := r.Push(rest[:min(size, len(rest))]); err != nil || held(r) > slack {
					t.Fatalf("%v, %d bytes held", err, held(r))
				}
			}
			if held(r) > keepCollected || len(got.frames) != 2 ||
				!bytes.Equal(got.frames[0].Data, frame) || !bytes.Equal(got.frames[1].Data, frame[:n-100]) {
				t.Errorf("%d bytes in pieces of %d: %d frames, %d bytes held, damage %v", n, size, len(got.frames), held(r), got.damages)
			}
		}
	}
}
