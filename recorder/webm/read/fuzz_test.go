package read_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
)

// FuzzReader reads any bytes, whole and cut at places that seed says, and requires
// the same of both. The lowest bits of seed choose what the bytes are put behind
// and whether the bounds are small ones, which short inputs can reach.
func FuzzReader(f *testing.F) {
	const behindTracks, behindCluster, smallBounds = 1, 2, 4
	for _, b := range hostile(64) {
		f.Add(b, uint64(smallBounds))
	}
	for _, tc := range webmtest.Lacings {
		if len(tc.Frames) < 10 {
			f.Add(webmtest.El(ebml.SimpleBlockID, webmtest.Laced(tc.Kind, tc.Frames...)), uint64(behindCluster))
		}
	}
	a := webmtest.SimpleBlock(webmtest.LiveVideo, -1, ebml.FlagKey, 1, 2, 3)
	group := webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveAudio, 5, 0, 4, 5)), webmtest.El(ebml.BlockAdditionsID, []byte{6}),
		webmtest.Number(ebml.BlockDurationID, 7), webmtest.El(ebml.ReferenceBlockID, []byte{8}))
	f.Add(webmtest.Join(a, group, webmtest.El(ebml.VoidID, []byte{9}), a, webmtest.LiveCluster(5, group)), uint64(behindCluster))
	f.Add(webmtest.Join(a, claim(ebml.SimpleBlockID, 300), a, webmtest.LiveCluster(5, a)), uint64(behindCluster))
	f.Add(webmtest.Join(a, []byte{0}, webmtest.LiveStart, webmtest.LiveCluster(5, a)), uint64(behindCluster|smallBounds))
	f.Add(webmtest.Join(webmtest.LiveCluster(5, a), webmtest.El(ebml.CuesID), webmtest.El(ebml.TagsID), webmtest.Open(ebml.SegmentID), webmtest.LiveTracks), uint64(behindTracks))
	f.Add(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, a), []byte{0xA3}, webmtest.LiveStart, webmtest.LiveCluster(0, a)), uint64(0))

	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if seed&(behindTracks|behindCluster) != 0 {
			start := webmtest.LiveStart
			if seed&behindCluster != 0 {
				start = webmtest.Join(start, webmtest.LiveCluster(1000))
			}
			b = webmtest.Join(start, b)
		}
		c := read.Config{}
		if seed&smallBounds != 0 {
			c = read.Config{MaxElement: 40, MaxHeader: 400}
		}
		whole, err := webmtest.ReadAll(t, c, b)
		random := rand.New(rand.NewPCG(seed, 1))
		for _, sizes := range [][]int{randomSizes(random, len(b)), {1 + int(seed>>3%30)}} {
			got, gotErr := webmtest.ReadAll(t, c, b, sizes...)
			if fmt.Sprint(gotErr) != fmt.Sprint(err) || !reflect.DeepEqual(got, whole) {
				t.Fatalf("in pieces of %v: %s, %v; whole: %s, %v", sizes, got.Order, gotErr, whole.Order, err)
			}
		}
		checkDamage(t, whole.Damages, len(b))
		total := int64(0)
		for _, fr := range whole.Frames {
			total += int64(len(fr.Data))
		}
		for _, d := range whole.Damages {
			total += d.Length
		}
		if total > int64(len(b)) {
			t.Fatalf("%d bytes of frames and damage in %d", total, len(b))
		}
	})
}
