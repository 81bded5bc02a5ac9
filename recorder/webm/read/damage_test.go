package read_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
)

// clustersOf returns the offsets of the Clusters in b.
func clustersOf(b []byte) []int {
	var out []int
	for at := 0; ; at++ {
		n := bytes.Index(b[at:], []byte(read.ClusterMagic))
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
	out := map[string][]byte{"live": webmtest.Join(webmtest.LiveStart, bytes.Repeat(webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'),
		webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 9, 0, 'b')), webmtest.El(ebml.BlockAdditionsID, make([]byte, 9)))), 20))}
	for name, file := range map[string]string{"SimpleBlocks": "av_ts100ms", "BlockGroups": "av_canvas_2s"} {
		b, err := os.ReadFile("../testdata/mediarecorder/" + file + ".webm")
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b[:min(len(b), 100_000)]
	}
	random := rand.New(rand.NewPCG(5, 6)) // Clusters of 8 to 40 frames, of known size
	var frames []webmtest.Fed
	for _, f := range webmtest.Interleaved(20 * time.Second) {
		f.Sync = f.Track == webmtest.VideoTrack && random.IntN(20) == 0
		f.Data = f.Data[:min(len(f.Data), 60)]
		frames = append(frames, f)
	}
	out["finished"] = webmtest.Written(t, webm.Config{IndexReserve: 500}, webmtest.AVTracks(), frames)
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
			got, err := webmtest.ReadAll(t, read.Config{}, bad, randomSizes(random, len(b))...)
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
			if !isPrefix(got.Frames, whole.Frames[:before]) || !isSuffix(got.Frames, whole.Frames[after:]) {
				t.Fatalf("%s: run %d, bytes %d to %d: %d frames of %d; want the first %d and the last %d; damage %v",
					name, n, first, last, len(got.Frames), len(ends), before, len(ends)-after, got.Damages)
			}
			checkDamage(t, got.Damages, len(b))
		}
	}
}

func isPrefix(frames, want []read.Frame) bool {
	return len(frames) >= len(want) && reflect.DeepEqual(frames[:len(want)], append([]read.Frame{}, want...))
}

func isSuffix(frames, want []read.Frame) bool {
	return len(frames) >= len(want) && reflect.DeepEqual(frames[len(frames)-len(want):], append([]read.Frame{}, want...))
}

// checkDamage requires that pieces of damage are in order and lie in the stream.
func checkDamage(t testing.TB, damages []ebml.Damage, total int) {
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
	b, err := os.ReadFile("../testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	b = b[:20_000]
	header := clustersOf(b)[0]
	failed, good := 0, 0
	for range 2000 {
		bad := bytes.Clone(b)
		bad[random.IntN(header)] = byte(random.Uint32())
		got, err := webmtest.ReadAll(t, read.Config{}, bad, 1+random.IntN(5000))
		if err != nil {
			failed++
		} else if len(got.Frames) > 0 {
			good++
		}
		checkDamage(t, got.Damages, len(b))
	}
	t.Logf("%d streams ended with an error, %d were read", failed, good)
	if failed == 0 || good < 500 {
		t.Errorf("%d streams ended with an error, %d were read", failed, good)
	}
}

// TestReaderLosesOnlyTheCluster spoils one Cluster in each way that a Reader can
// notice.
func TestReaderLosesOnlyTheCluster(t *testing.T) {
	a, z := webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'z')
	good := webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0, 'g'))
	for name, tc := range map[string]struct {
		bad    []byte
		reason string
	}{
		"zero byte":             {[]byte{0}, ebml.ReasonNoElement},
		"ID of 5 bytes":         {[]byte{0x08, 1, 2, 3, 4, 0x80}, ebml.ReasonNoElement},
		"ID of all ones":        {[]byte{0xFF, 0x80}, ebml.ReasonNoElement},
		"long ID":               {[]byte{0x40, 0x11, 0x80}, ebml.ReasonNoElement},
		"size of 9 bytes":       {[]byte{0xA3, 0}, ebml.ReasonNoElement},
		"unsized block":         {webmtest.Open(ebml.SimpleBlockID), ebml.ReasonNoSize},
		"unsized group":         {webmtest.Open(ebml.BlockGroupID), ebml.ReasonNoSize},
		"unsized Void":          {webmtest.Open(ebml.VoidID), ebml.ReasonNoSize},
		"unsized unknown":       {webmtest.Open(0x4FFF), ebml.ReasonNoSize},
		"Block without group":   {good, ebml.ReasonNotHere},
		"child overruns":        {webmtest.Join(webmtest.El(ebml.BlockGroupID, claim(ebml.BlockID, 6), good), z), ebml.ReasonOverrun},
		"group in group":        {webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockGroupID, good)), ebml.ReasonNotHere},
		"SimpleBlock in group":  {webmtest.El(ebml.BlockGroupID, z, good), ebml.ReasonNotHere},
		"Timestamp in group":    {webmtest.El(ebml.BlockGroupID, webmtest.Number(ebml.TimestampID, 1)), ebml.ReasonNotHere},
		"Tracks in group":       {webmtest.El(ebml.BlockGroupID, webmtest.LiveTracks), ebml.ReasonNotHere},
		"block swallows":        {claim(ebml.SimpleBlockID, 500), ebml.ReasonCutShort},
		"group swallows":        {claim(ebml.BlockGroupID, 500), ebml.ReasonNotHere},
		"Block swallows":        {webmtest.Join(claim(ebml.BlockGroupID, 900), claim(ebml.BlockID, 500)), ebml.ReasonCutShort},
		"Void swallows":         {claim(ebml.VoidID, 500), ebml.ReasonCutShort},
		"unknown swallows":      {claim(0x4FFF, 100_000), ebml.ReasonCutShort},
		"large Void swallows":   {claim(ebml.VoidID, 1<<40), ebml.ReasonTooLarge},
		"large block swallows":  {claim(ebml.SimpleBlockID, 1<<50), ebml.ReasonTooLarge},
		"large group swallows":  {claim(ebml.BlockGroupID, ebml.MaxSize), ebml.ReasonTooLarge},
		"half a block's head":   {[]byte{0xA3}, ebml.ReasonTooLarge}, // and the Cluster's ID is a size
		"half a Cluster's head": {webmtest.Open(ebml.ClusterID)[:3], ebml.ReasonCutShort},
		"block behind Cues":     {webmtest.Join(webmtest.El(ebml.CuesID), z), ebml.ReasonNotHere},
		"end of a group":        {claim(ebml.BlockGroupID, 12), ebml.ReasonNotHere}, // just into the Cluster
	} {
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, a, tc.bad), webmtest.LiveCluster(5, z), webmtest.LiveCluster(6, a))
		got, err := sameInPieces(t, read.Config{}, b)
		if err != nil || len(got.Damages) != 1 {
			t.Errorf("%s: %s, %v, damage %v", name, got.Order, err, got.Damages)
			continue
		}
		got.Want(t, "a", "z", "a")
		at := len(webmtest.LiveStart) + len(webmtest.LiveCluster(0, a))
		d := got.Damages[0]
		if d.Reason != tc.reason || d.Offset < int64(at) || d.Offset > int64(at+len(tc.bad)) || d.Offset+d.Length != int64(at+len(tc.bad)) {
			t.Errorf("%s: %v, of %d bytes at %d", name, d, len(tc.bad), at)
		}
	}
}

// TestReaderFindsTheEndOfLargeElements has elements above the bound that are what
// they claim: nothing but them is lost.
func TestReaderFindsTheEndOfLargeElements(t *testing.T) {
	a, z := webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'z')
	fill := bytes.Repeat([]byte{0x1F, 0x43, 0xB6, 0x1A}, 3000)
	for name, large := range map[string][]byte{
		"block": webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, fill...), "Void": webmtest.El(ebml.VoidID, fill), "tags": webmtest.El(ebml.TagsID, fill),
		"group": webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0, fill...))),
	} {
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, a, large))
		if name == "tags" {
			b = webmtest.Join(b, webmtest.LiveCluster(0))
		}
		got, err := sameInPieces(t, read.Config{MaxElement: 10_000}, webmtest.Join(b, z))
		if err != nil || len(got.Damages) != 1 || got.Damages[0].Reason != ebml.ReasonTooLarge || got.Damages[0].Length != int64(len(large)) {
			t.Errorf("%s: %v, damage %v", name, err, got.Damages)
			continue
		}
		got.Want(t, "a", "z")
	}
}

// TestReaderTimestamps has Clusters whose time is missing or too late.
func TestReaderTimestamps(t *testing.T) {
	a := webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a')
	z := webmtest.LiveCluster(uint64(ebml.MaxTime/1e6), webmtest.SimpleBlock(webmtest.LiveVideo, 32767, 0, 'z'))
	for name, bad := range map[string][]byte{
		"no time":   webmtest.Join(webmtest.Open(ebml.ClusterID), a, webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 0, 0, 'a')))),
		"too late":  webmtest.LiveCluster(uint64(ebml.MaxTime/1e6)+1, a),
		"very late": webmtest.LiveCluster(1<<64-1, a),
	} {
		got, err := sameInPieces(t, read.Config{}, webmtest.Join(webmtest.LiveStart, bad, z))
		if err != nil || string(got.Order) != "hddf" {
			t.Errorf("%s: %s, %v, damage %v", name, got.Order, err, got.Damages)
			continue
		}
		got.Want(t, "z")
	}
}

// TestReaderGap takes bytes out of a stream. With Gap no frame is glued together.
func TestReaderGap(t *testing.T) {
	b := damaged(t)["SimpleBlocks"]
	whole, ends := endsOf(t, b)
	clusters := clustersOf(b)
	known := map[string]bool{}
	for _, p := range webmtest.Packets(whole.Frames) {
		known[p] = true
	}
	random := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		from := clusters[0] + random.IntN(len(b)-clusters[0])
		to := min(from+random.IntN(9000), len(b))
		var got webmtest.Received
		r := read.NewReader(&got, read.Config{})
		for _, err := range []error{r.Push(b[:from]), r.Gap(), r.Gap(), r.Push(b[to:]), r.Close()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range webmtest.Packets(got.Frames) {
			if !known[p] {
				t.Fatalf("gap from %d to %d: %s", from, to, p)
			}
		}
		before, _ := slices.BinarySearch(ends, from+1)
		after := len(ends)
		if next, _ := slices.BinarySearch(clusters, to); next < len(clusters) {
			after, _ = slices.BinarySearch(ends, clusters[next]+1)
		}
		cut := len(got.Damages) == 2 && got.Damages[1].Reason == ebml.ReasonEnd
		if len(got.Frames) != before+len(ends)-after || len(got.Damages) != 1 && !cut || got.Damages[0].Reason != ebml.ReasonGap {
			t.Fatalf("gap from %d to %d: %d frames, want %d and %d; damage %v",
				from, to, len(got.Frames), before, len(ends)-after, got.Damages)
		}
	}
	r := read.NewReader(&webmtest.Received{}, read.Config{})
	if err := r.Push(webmtest.LiveStart[:60]); err != nil {
		t.Fatal(err)
	}
	if err := r.Gap(); err == nil {
		t.Error("a gap in the header is no error")
	}

	// The halves of a Cluster's head, on both sides of a gap, are none.
	head := webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'))
	var got webmtest.Received
	r = read.NewReader(&got, read.Config{})
	for _, err := range []error{r.Push(webmtest.Join(webmtest.LiveStart, head[:2])), r.Gap(), r.Push(head[2:]), r.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got.Want(t)
}

// TestReaderRestThatIsNothing: MediaRecorder's bytes end one byte inside of the next
// element. That is no damage, at the end as little as before the recorder that is
// started anew; as soon as a byte of a frame may be missing, it is.
func TestReaderRestThatIsNothing(t *testing.T) {
	block := webmtest.SimpleBlock(webmtest.LiveVideo, 20, 0, 'a', 'b', 'c')
	group := webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 20, 0, 'c')))
	next := webmtest.LiveCluster(1000, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'd'))
	whole := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'x')))
	for name, rest := range map[string][]byte{"SimpleBlock": block, "BlockGroup": group, "Cluster": next} {
		for n := range read.LeastBlock + 2 {
			got, err := sameInPieces(t, read.Config{}, webmtest.Join(whole, rest[:n]))
			if err != nil || (len(got.Damages) > 0) != (n >= read.LeastBlock) {
				t.Errorf("%d bytes of a %s at the end: %v, damage %v", n, name, err, got.Damages)
			}
		}
		anew := webmtest.Join(rest[:1], webmtest.LiveStart, next)
		got, err := sameInPieces(t, read.Config{}, webmtest.Join(whole, anew, anew, rest[:1]))
		if err != nil || len(got.Damages) > 0 || len(got.Headers) != 3 || len(got.Frames) != 3 {
			t.Errorf("a byte of a %s before a recorder that starts anew: %v, %+v", name, err, got)
		}
	}
	if got, err := sameInPieces(t, read.Config{}, webmtest.Join(whole, block[:1], next)); err != nil || len(got.Damages) != 1 || !strings.Contains(got.Damages[0].String(), "1 byte is lost") {
		t.Errorf("a byte before a Cluster: %v, %v", got.Damages, err)
	}
}
