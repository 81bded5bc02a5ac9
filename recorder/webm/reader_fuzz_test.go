package webm

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// FuzzReader reads any bytes, whole and cut at places that seed says, and requires
// the same of both. The lowest bits of seed choose what the bytes are put behind
// and whether the bounds are small ones, which short inputs can reach.
func FuzzReader(f *testing.F) {
	const behindTracks, behindCluster, smallBounds = 1, 2, 4
	for _, b := range hostile(64) {
		f.Add(b, uint64(smallBounds))
	}
	for _, tc := range lacings {
		if len(tc.frames) < 10 {
			f.Add(el(simpleBlockID, laced(tc.kind, tc.frames...)), uint64(behindCluster))
		}
	}
	a := simpleBlock(liveVideo, -1, flagKey, 1, 2, 3)
	group := el(blockGroupID, el(blockID, blockData(liveAudio, 5, 0, 4, 5)), el(blockAdditionsID, []byte{6}),
		number(blockDurationID, 7), el(referenceBlockID, []byte{8}))
	f.Add(join(a, group, el(voidID, []byte{9}), a, liveCluster(5, group)), uint64(behindCluster))
	f.Add(join(a, claim(simpleBlockID, 300), a, liveCluster(5, a)), uint64(behindCluster))
	f.Add(join(a, []byte{0}, liveStart, liveCluster(5, a)), uint64(behindCluster|smallBounds))
	f.Add(join(liveCluster(5, a), el(cuesID), el(tagsID), open(segmentID), liveTracks), uint64(behindTracks))
	f.Add(join(liveStart, liveCluster(0, a), []byte{0xA3}, liveStart, liveCluster(0, a)), uint64(0))

	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if seed&(behindTracks|behindCluster) != 0 {
			start := liveStart
			if seed&behindCluster != 0 {
				start = join(start, liveCluster(1000))
			}
			b = join(start, b)
		}
		c := ReaderConfig{}
		if seed&smallBounds != 0 {
			c = ReaderConfig{MaxElement: 40, MaxHeader: 400}
		}
		whole, err := readAll(t, c, b)
		random := rand.New(rand.NewPCG(seed, 1))
		for _, sizes := range [][]int{randomSizes(random, len(b)), {1 + int(seed>>3%30)}} {
			got, gotErr := readAll(t, c, b, sizes...)
			if fmt.Sprint(gotErr) != fmt.Sprint(err) || !reflect.DeepEqual(got, whole) {
				t.Fatalf("in pieces of %v: %s, %v; whole: %s, %v", sizes, got.order, gotErr, whole.order, err)
			}
		}
		checkDamage(t, whole.damages, len(b))
		total := int64(0)
		for _, fr := range whole.frames {
			total += int64(len(fr.Data))
		}
		for _, d := range whole.damages {
			total += d.Length
		}
		if total > int64(len(b)) {
			t.Fatalf("%d bytes of frames and damage in %d", total, len(b))
		}
	})
}
