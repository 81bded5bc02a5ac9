package webm

import (
	"bytes"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// clustersOf returns the offsets of the Clusters in b.
func clustersOf(b []byte) []int {
	var out []int
	for at := 0; ; at++ {
		n := bytes.Index(b[at:], []byte(clusterMagic))
		if n < 0 {
			return out
		}
		at += n
		out = append(out, at)
	}
}

// damaged are real and made streams for tests that spoil them.
func damaged(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"live": join(liveStart, bytes.Repeat(liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a'),
		el(blockGroupID, el(blockID, blockData(liveVideo, 9, 0, 'b')), el(blockAdditionsID, make([]byte, 9)))), 20))}
	for name, file := range map[string]string{"SimpleBlocks": "av_ts100ms", "BlockGroups": "av_canvas_2s"} {
		b, err := os.ReadFile("testdata/mediarecorder/" + file + ".webm")
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b[:min(len(b), 100_000)]
	}
	random := rand.New(rand.NewPCG(5, 6)) // Clusters of 8 to 40 frames, of known size
	var frames []fed
	for _, f := range interleaved(20 * time.Second) {
		f.Sync = f.track == videoTrack && random.IntN(20) == 0
		f.Data = f.Data[:min(len(f.Data), 60)]
		frames = append(frames, f)
	}
	out["finished"] = written(t, Config{IndexReserve: 500}, avTracks(), frames)
	return out
}

// TestReaderSurvivesFlips changes some bytes at random places behind the header.
// What lies before them, and all from the next Cluster on, must be read.
func TestReaderSurvivesFlips(t *testing.T) {
	for name, b := range damaged(t) {
		random := rand.New(rand.NewPCG(7, uint64(len(b))))
		whole, ends := endsOf(t, b)
		clusters := clustersOf(b)
		for n := range 600 {
			first := clusters[0] + random.IntN(len(b)-clusters[0])
			last := min(first+random.IntN(1<<random.IntN(12)), len(b)-1)
			bad := bytes.Clone(b)
			for range 1 + random.IntN(8) {
				bad[first+random.IntN(last-first+1)] = byte(random.Uint32())
			}
			for first < last && bad[first] == b[first] {
				first++
			}
			got, err := readAll(t, ReaderConfig{}, bad, randomSizes(random, len(b))...)
			if err != nil {
				t.Fatalf("%s: run %d, bytes %d to %d: %v", name, n, first, last, err)
			}
			before := 0
			for before < len(ends) && ends[before] <= first {
				before++
			}
			after := len(ends) // frames in Clusters that begin behind the last change
			if next, _ := slices.BinarySearch(clusters, last+1); next < len(clusters) {
				after, _ = slices.BinarySearch(ends, clusters[next]+1)
			}
			if !isPrefix(got.frames, whole.frames[:before]) || !isSuffix(got.frames, whole.frames[after:]) {
				t.Fatalf("%s: run %d, bytes %d to %d: %d frames of %d; want the first %d and the last %d; damage %v",
					name, n, first, last, len(got.frames), len(ends), before, len(ends)-after, got.damages)
			}
			checkDamage(t, got.damages, len(b))
		}
	}
}

func isPrefix(frames, want []Frame) bool {
	return len(frames) >= len(want) && reflect.DeepEqual(frames[:len(want)], append([]Frame{}, want...))
}

func isSuffix(frames, want []Frame) bool {
	return len(frames) >= len(want) && reflect.DeepEqual(frames[len(frames)-len(want):], append([]Frame{}, want...))
}

// checkDamage requires that pieces of damage are in order and lie in the stream.
func checkDamage(t testing.TB, damages []Damage, total int) {
	t.Helper()
	for i, d := range damages {
		if d.Length < 0 || d.Offset < 0 || d.Offset+d.Length > int64(total) || d.Reason == "" ||
			i > 0 && d.Offset+d.Length < damages[i-1].Offset {
			t.Fatalf("damage %v of %d bytes", damages, total)
		}
	}
}

// TestReaderSurvivesFlippedHeader changes bytes in the header: any outcome is
// good that is an outcome.
func TestReaderSurvivesFlippedHeader(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	b, err := os.ReadFile("testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	b = b[:20_000]
	header := clustersOf(b)[0]
	failed, read := 0, 0
	for range 2000 {
		bad := bytes.Clone(b)
		bad[random.IntN(header)] = byte(random.Uint32())
		got, err := readAll(t, ReaderConfig{}, bad, 1+random.IntN(5000))
		if err != nil {
			failed++
		} else if len(got.frames) > 0 {
			read++
		}
		checkDamage(t, got.damages, len(b))
	}
	t.Logf("%d streams ended with an error, %d were read", failed, read)
	if failed == 0 || read < 500 {
		t.Errorf("%d streams ended with an error, %d were read", failed, read)
	}
}

// TestReaderLosesOnlyTheCluster spoils one Cluster in each way that a Reader can
// notice.
func TestReaderLosesOnlyTheCluster(t *testing.T) {
	a, z := simpleBlock(liveVideo, 0, 0, 'a'), simpleBlock(liveVideo, 0, 0, 'z')
	good := el(blockID, blockData(liveVideo, 0, 0, 'g'))
	for name, tc := range map[string]struct {
		bad    []byte
		reason string
	}{
		"zero byte":             {[]byte{0}, reasonNoElement},
		"ID of 5 bytes":         {[]byte{0x08, 1, 2, 3, 4, 0x80}, reasonNoElement},
		"ID of all ones":        {[]byte{0xFF, 0x80}, reasonNoElement},
		"long ID":               {[]byte{0x40, 0x11, 0x80}, reasonNoElement},
		"size of 9 bytes":       {[]byte{0xA3, 0}, reasonNoElement},
		"unsized block":         {open(simpleBlockID), reasonNoSize},
		"unsized group":         {open(blockGroupID), reasonNoSize},
		"unsized Void":          {open(voidID), reasonNoSize},
		"unsized unknown":       {open(0x4FFF), reasonNoSize},
		"Block without group":   {good, reasonNotHere},
		"child overruns":        {join(el(blockGroupID, claim(blockID, 6), good), z), reasonOverrun},
		"group in group":        {el(blockGroupID, el(blockGroupID, good)), reasonNotHere},
		"SimpleBlock in group":  {el(blockGroupID, z, good), reasonNotHere},
		"Timestamp in group":    {el(blockGroupID, number(timestampID, 1)), reasonNotHere},
		"Tracks in group":       {el(blockGroupID, liveTracks), reasonNotHere},
		"block swallows":        {claim(simpleBlockID, 500), reasonCutShort},
		"group swallows":        {claim(blockGroupID, 500), reasonNotHere},
		"Block swallows":        {join(claim(blockGroupID, 900), claim(blockID, 500)), reasonCutShort},
		"Void swallows":         {claim(voidID, 500), reasonCutShort},
		"unknown swallows":      {claim(0x4FFF, 100_000), reasonCutShort},
		"large Void swallows":   {claim(voidID, 1<<40), reasonTooLarge},
		"large block swallows":  {claim(simpleBlockID, 1<<50), reasonTooLarge},
		"large group swallows":  {claim(blockGroupID, maxSize), reasonTooLarge},
		"half a block's head":   {[]byte{0xA3}, reasonTooLarge}, // and the Cluster's ID is a size
		"half a Cluster's head": {open(clusterID)[:3], reasonCutShort},
		"block behind Cues":     {join(el(cuesID), z), reasonNotHere},
		"end of a group":        {claim(blockGroupID, 12), reasonNotHere}, // just into the Cluster
	} {
		b := join(liveStart, liveCluster(0, a, tc.bad), liveCluster(5, z), liveCluster(6, a))
		got, err := sameInPieces(t, ReaderConfig{}, b)
		if err != nil || len(got.damages) != 1 {
			t.Errorf("%s: %s, %v, damage %v", name, got.order, err, got.damages)
			continue
		}
		got.want(t, "a", "z", "a")
		at := len(liveStart) + len(liveCluster(0, a))
		d := got.damages[0]
		if d.Reason != tc.reason || d.Offset < int64(at) || d.Offset > int64(at+len(tc.bad)) || d.Offset+d.Length != int64(at+len(tc.bad)) {
			t.Errorf("%s: %v, of %d bytes at %d", name, d, len(tc.bad), at)
		}
	}
}

// TestReaderFindsTheEndOfLargeElements has elements above the bound that are what
// they claim: nothing but them is lost.
func TestReaderFindsTheEndOfLargeElements(t *testing.T) {
	a, z := simpleBlock(liveVideo, 0, 0, 'a'), simpleBlock(liveVideo, 0, 0, 'z')
	fill := bytes.Repeat([]byte{0x1F, 0x43, 0xB6, 0x1A}, 3000)
	for name, large := range map[string][]byte{
		"block": simpleBlock(liveVideo, 0, 0, fill...), "Void": el(voidID, fill), "tags": el(tagsID, fill),
		"group": el(blockGroupID, el(blockID, blockData(liveVideo, 0, 0, fill...))),
	} {
		b := join(liveStart, liveCluster(0, a, large))
		if name == "tags" {
			b = join(b, liveCluster(0))
		}
		got, err := sameInPieces(t, ReaderConfig{MaxElement: 10_000}, join(b, z))
		if err != nil || len(got.damages) != 1 || got.damages[0].Reason != reasonTooLarge || got.damages[0].Length != int64(len(large)) {
			t.Errorf("%s: %v, damage %v", name, err, got.damages)
			continue
		}
		got.want(t, "a", "z")
	}
}

// TestReaderTimestamps has Clusters whose time is missing or too late.
func TestReaderTimestamps(t *testing.T) {
	a := simpleBlock(liveVideo, 0, 0, 'a')
	z := liveCluster(uint64(maxTime/1e6), simpleBlock(liveVideo, 32767, 0, 'z'))
	for name, bad := range map[string][]byte{
		"no time":   join(open(clusterID), a, el(blockGroupID, el(blockID, blockData(liveVideo, 0, 0, 'a')))),
		"too late":  liveCluster(uint64(maxTime/1e6)+1, a),
		"very late": liveCluster(1<<64-1, a),
	} {
		got, err := sameInPieces(t, ReaderConfig{}, join(liveStart, bad, z))
		if err != nil || string(got.order) != "hddf" {
			t.Errorf("%s: %s, %v, damage %v", name, got.order, err, got.damages)
			continue
		}
		got.want(t, "z")
	}
}

// TestReaderGap takes bytes out of a stream. With Gap no frame is glued together.
func TestReaderGap(t *testing.T) {
	b := damaged(t)["SimpleBlocks"]
	whole, ends := endsOf(t, b)
	clusters := clustersOf(b)
	known := map[string]bool{}
	for _, p := range packets(whole.frames) {
		known[p] = true
	}
	random := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		from := clusters[0] + random.IntN(len(b)-clusters[0])
		to := min(from+random.IntN(9000), len(b))
		var got received
		r := NewReader(&got, ReaderConfig{})
		for _, err := range []error{r.Push(b[:from]), r.Gap(), r.Gap(), r.Push(b[to:]), r.Close()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range packets(got.frames) {
			if !known[p] {
				t.Fatalf("gap from %d to %d: %s", from, to, p)
			}
		}
		before, _ := slices.BinarySearch(ends, from+1)
		after := len(ends)
		if next, _ := slices.BinarySearch(clusters, to); next < len(clusters) {
			after, _ = slices.BinarySearch(ends, clusters[next]+1)
		}
		cut := len(got.damages) == 2 && got.damages[1].Reason == reasonEnd
		if len(got.frames) != before+len(ends)-after || len(got.damages) != 1 && !cut || got.damages[0].Reason != reasonGap {
			t.Fatalf("gap from %d to %d: %d frames, want %d and %d; damage %v",
				from, to, len(got.frames), before, len(ends)-after, got.damages)
		}
	}
	r := NewReader(&received{}, ReaderConfig{})
	if err := r.Push(liveStart[:60]); err != nil {
		t.Fatal(err)
	}
	if err := r.Gap(); err == nil {
		t.Error("a gap in the header is no error")
	}

	// The halves of a Cluster's head, on both sides of a gap, are none.
	head := liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a'))
	var got received
	r = NewReader(&got, ReaderConfig{})
	for _, err := range []error{r.Push(join(liveStart, head[:2])), r.Gap(), r.Push(head[2:]), r.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got.want(t)
}

// TestReaderRestThatIsNothing: MediaRecorder's bytes end one byte inside of the next
// element. That is no damage, at the end as little as before the recorder that is
// started anew; as soon as a byte of a frame may be missing, it is.
func TestReaderRestThatIsNothing(t *testing.T) {
	block := simpleBlock(liveVideo, 20, 0, 'a', 'b', 'c')
	group := el(blockGroupID, el(blockID, blockData(liveVideo, 20, 0, 'c')))
	next := liveCluster(1000, simpleBlock(liveVideo, 0, 0, 'd'))
	whole := join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, 0, 'x')))
	for name, rest := range map[string][]byte{"SimpleBlock": block, "BlockGroup": group, "Cluster": next} {
		for n := range leastBlock + 2 {
			got, err := sameInPieces(t, ReaderConfig{}, join(whole, rest[:n]))
			if err != nil || (len(got.damages) > 0) != (n >= leastBlock) {
				t.Errorf("%d bytes of a %s at the end: %v, damage %v", n, name, err, got.damages)
			}
		}
		anew := join(rest[:1], liveStart, next)
		got, err := sameInPieces(t, ReaderConfig{}, join(whole, anew, anew, rest[:1]))
		if err != nil || len(got.damages) > 0 || len(got.headers) != 3 || len(got.frames) != 3 {
			t.Errorf("a byte of a %s before a recorder that starts anew: %v, %+v", name, err, got)
		}
	}
	if got, err := sameInPieces(t, ReaderConfig{}, join(whole, block[:1], next)); err != nil || len(got.damages) != 1 || !strings.Contains(got.damages[0].String(), "1 byte is lost") {
		t.Errorf("a byte before a Cluster: %v, %v", got.damages, err)
	}
}
