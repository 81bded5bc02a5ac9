package read_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
)

// spent pushes b in pieces of size and returns how many bytes were allocated
// meanwhile, how many the lookout went through, and what was found.
func spent(t testing.TB, b []byte, size int) (allocated uint64, work int64, got tally, err error) {
	t.Helper()
	r := read.NewReader(&got, read.Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for rest := b; len(rest) > 0 && err == nil; rest = rest[min(size, len(rest)):] {
		if err = r.Push(rest[:min(size, len(rest))]); r.Buffered() > webmtest.Slack {
			t.Fatalf("%d bytes are held", r.Buffered())
		}
	}
	if end := r.Close(); err == nil {
		err = end
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, r.Work(), got, err
}

// tally is a Receiver that counts.
type tally struct {
	headers, frames, damages int
	bytes                    int64
}

func (c *tally) Header(read.Header) error { c.headers++; return nil }

func (c *tally) Damage(ebml.Damage) { c.damages++ }

func (c *tally) Frame(f read.Frame) error {
	c.frames++
	c.bytes += int64(len(f.Data))
	return nil
}

// hostile are streams that were deadly to other readers, or try to be. Those of
// some length double in it with n.
func hostile(n int) map[string][]byte {
	cluster := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0))
	deep := func(id ebml.ElementID) []byte {
		var heads []byte
		for i := n / 8; i > 0; i-- { // each holds all the others
			heads = append(heads, webmtest.IDBytes(id)...)
			heads = ebml.AppendWideSize(heads, uint64(min(i*8, read.DefaultMaxElement)), 4)
		}
		return heads
	}
	nested := func() []byte { // as deep, but with the right sizes
		var heads []byte
		for i := n / 8; i > 0; i-- {
			heads = ebml.AppendWideSize(append(heads, 0x67, 0xC8), uint64(i*6-6), 4)
		}
		return heads
	}
	random := rand.New(rand.NewPCG(15, 16))
	noise := make([]byte, n)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), n/len(s)) }
	group := claim(ebml.BlockGroupID, 8<<20)
	return map[string][]byte{
		"Void of 1 GiB":          webmtest.Join(cluster, claim(ebml.VoidID, 1<<30)),
		"Void of 2^48":           webmtest.Join(cluster, claim(ebml.VoidID, 1<<48)),
		"Void of 2^48 in front":  webmtest.Join(webmtest.LiveStart[:52], claim(ebml.VoidID, 1<<48)),
		"block of 1 GiB":         webmtest.Join(cluster, claim(ebml.SimpleBlockID, 1<<30), noise),
		"block of 2^49":          webmtest.Join(cluster, claim(ebml.SimpleBlockID, 1<<49), noise),
		"block of 8 MiB":         webmtest.Join(cluster, claim(ebml.SimpleBlockID, 8<<20), []byte{1}),
		"unsized block":          webmtest.Join(cluster, webmtest.Open(ebml.SimpleBlockID), noise),
		"lacing of nothing":      webmtest.Join(cluster, []byte("\xA3\x84\x81\x00\x00\x24\x00")),
		"empty blocks":           webmtest.Join(cluster, fill("\xA3\x80")),
		"empty groups":           webmtest.Join(cluster, fill("\xA0\x80")),
		"tiny blocks":            webmtest.Join(cluster, fill("\xA3\x85\x85\x00\x00\x80\x01")),
		"tiny groups":            webmtest.Join(cluster, fill("\xA0\x87\xA1\x85\x85\x00\x00\x80\x01")),
		"A3 10":                  webmtest.Join(cluster, fill("\xA3\x10")),
		"256 laced":              webmtest.Join(cluster, bytes.Repeat(webmtest.El(ebml.SimpleBlockID, webmtest.BlockData(webmtest.LiveVideo, 0, ebml.LacingFixed, append([]byte{255}, make([]byte, 256)...)...)), n/270)),
		"bad lacing":             webmtest.Join(cluster, bytes.Repeat(webmtest.El(ebml.SimpleBlockID, webmtest.BlockData(webmtest.LiveVideo, 0, ebml.LacingXiph, bytes.Repeat([]byte{255}, 1000)...)), n/1000)),
		"nested SimpleTags":      webmtest.Join(cluster, webmtest.El(ebml.TagsID, nested())),
		"deep Tags":              webmtest.Join(cluster, deep(0x67C8)),
		"deep BlockGroups":       webmtest.Join(cluster, deep(ebml.BlockGroupID)),
		"deep Clusters":          webmtest.Join(webmtest.LiveStart, deep(ebml.ClusterID)),
		"claims in a group":      webmtest.Join(cluster, bytes.Repeat(webmtest.Join(group, claim(ebml.BlockID, 7<<20), []byte{1, 2, 3}, webmtest.LiveCluster(0)), n/50)),
		"claims in Clusters":     webmtest.Join(cluster, bytes.Repeat(webmtest.Join(claim(ebml.SimpleBlockID, 7<<20), webmtest.LiveCluster(0)), n/20)),
		"Clusters":               webmtest.Join(webmtest.LiveStart, bytes.Repeat(webmtest.LiveCluster(0), n/15)),
		"half Clusters":          webmtest.Join(cluster, fill(read.ClusterMagic)),
		"half Clusters in block": webmtest.Join(cluster, claim(ebml.SimpleBlockID, 8<<20), fill(read.ClusterMagic+"\x01")),
		"starts":                 webmtest.Join(cluster, []byte{0}, fill("\x1F\x1F\x43\x1A\x45\xDF")),
		"headers":                bytes.Repeat(webmtest.LiveStart, n/len(webmtest.LiveStart)),
		"EBML headers":           bytes.Repeat(webmtest.EBMLStart, n/len(webmtest.EBMLStart)),
		"Tracks again":           webmtest.Join(cluster, bytes.Repeat(webmtest.LiveTracks, n/len(webmtest.LiveTracks))),
		"noise":                  webmtest.Join(cluster, noise),
		"zeros":                  webmtest.Join(cluster, make([]byte, n)),
		"Voids":                  webmtest.Join(cluster, fill("\xEC\x80")),
		"many children":          webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID), webmtest.El(ebml.TracksID, bytes.Repeat(webmtest.El(ebml.VoidID), min(n, 60_000)/2))),
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
		got, err := sameInPieces(t, read.Config{}, b)
		checkDamage(t, got.Damages, len(b))
		if strings.HasPrefix(name, "tiny") && (err != nil || len(got.Frames) < 300) {
			t.Errorf("%s: %d frames, %v", name, len(got.Frames), err)
		}
	}
}

// TestReaderTakesLargeFrames reads frames up to the bound, in one piece and many,
// and keeps no large buffer.
func TestReaderTakesLargeFrames(t *testing.T) {
	for _, n := range []int{read.KeepCollected - 100, read.KeepCollected, 1 << 20, 8<<20 - 4} {
		frame := webmtest.VP8(n, true, n)
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, frame...),
			webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 1, 0, frame[:n-100]...)))))
		for _, size := range []int{len(b), 70_000, 999} {
			var got webmtest.Received
			r := read.NewReader(&got, read.Config{})
			for rest := b; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if err := r.Push(rest[:min(size, len(rest))]); err != nil || r.Buffered() > webmtest.Slack {
					t.Fatalf("%v, %d bytes held", err, r.Buffered())
				}
			}
			if r.Buffered() > read.KeepCollected || len(got.Frames) != 2 ||
				!bytes.Equal(got.Frames[0].Data, frame) || !bytes.Equal(got.Frames[1].Data, frame[:n-100]) {
				t.Errorf("%d bytes in pieces of %d: %d frames, %d bytes held, damage %v", n, size, len(got.Frames), r.Buffered(), got.Damages)
			}
		}
	}
}
