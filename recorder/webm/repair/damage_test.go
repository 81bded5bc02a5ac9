package repair_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/webmtest"
)

// mended returns b after Repair or Rewrite, or an error if it is no file any more.
func mended(t testing.TB, b []byte) ([]byte, repair.Report, error) {
	t.Helper()
	f := &webmtest.RepairMem{B: bytes.Clone(b)}
	r, err := repair.Repair(f, int64(len(b)))
	if errors.Is(err, repair.ErrRewrite) {
		out, r := rewrite(t, b)
		return out, r, nil
	}
	if err != nil {
		if !bytes.Equal(f.B, b) {
			t.Fatal("Repair failed and changed the file")
		}
		return nil, r, err
	}
	checkClean(t, f.B)
	return f.B, r, nil
}

// TestRepairDamage spoils files at random and requires of the repaired one each
// frame that the Reader, which looks at every byte, finds in the spoilt one.
func TestRepairDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	camera, err := os.ReadFile("../testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	open, finished, ends := unfinished(t, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(8*time.Second))
	const total = 450
	same, damaged, dead := 0, 0, 0
	for n := range total {
		b, start := bytes.Clone([][]byte{open, finished, camera}[n%3]), int(ends[0])
		if n%3 == 2 {
			start = 200
		}
		for range 1 + random.IntN(3) {
			at := start + random.IntN(len(b)-start)
			for i := range min(1<<random.IntN(10), len(b)-at) {
				b[at+i] = byte(random.Int())
			}
		}
		before, err := webmtest.ReadAll(t, read.Config{}, b)
		got, r, repairErr := mended(t, b)
		if (err != nil) != (repairErr != nil) {
			t.Fatalf("%d: Reader %v, Repair %v", n, err, repairErr)
		}
		if repairErr != nil {
			dead++
			continue
		}
		after, err := webmtest.ReadAll(t, read.Config{}, got)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Damages) > 0 {
			damaged++
		}
		a, z := webmtest.Packets(before.Frames), webmtest.Packets(after.Frames)
		kept := 0
		for i := range a {
			if kept < len(z) && z[kept] == a[i] {
				kept++
				continue
			}
			// The Reader goes on through nonsense that looks like elements.
			if len(r.Damages) == 0 {
				t.Fatalf("%d: frame %d is lost without damage", n, i)
			}
		}
		if kept < len(z) {
			t.Fatalf("%d: frame %d is not one of the damaged file", n, kept)
		}
		if len(a) == len(z) {
			same++
		}
	}
	t.Logf("%d of %d have the same frames, %d had damage that is seen, %d are no files", same, total, damaged, dead)
	if same+dead < total*98/100 {
		t.Error("too many frames are lost")
	}
}

// FuzzRepair repairs any bytes. What is left is clean, and copying the file leads
// to the same blocks.
func FuzzRepair(f *testing.F) {
	open, finished, ends := unfinished(f, webm.Config{IndexReserve: 200}, webmtest.AVTracks(), webmtest.Interleaved(300*time.Millisecond))
	f.Add(open[:ends[5]+10])
	f.Add(finished)
	spoilt := bytes.Clone(open)
	spoilt[ends[3]] = 0
	f.Add(spoilt)
	a := webmtest.SimpleBlock(webmtest.LiveVideo, -1, ebml.FlagKey, 1, 2, 3)
	group := webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveAudio, 5, 0, 4, 5)), webmtest.Number(ebml.BlockDurationID, 7), webmtest.El(ebml.ReferenceBlockID, []byte{8}))
	f.Add(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(5, a, group), webmtest.El(ebml.TagsID), webmtest.LiveCluster(9, a)))
	f.Add(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(5, a, webmtest.El(ebml.BlockGroupID, []byte{1}), a), []byte{0}, webmtest.LiveCluster(9, a)))
	f.Add(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(5, webmtest.El(ebml.CRC32ID, []byte{1, 2, 3, 4}), a), webmtest.El(ebml.VoidID, make([]byte, 200))))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := repair.Verify(bytes.NewReader(b), int64(len(b)))
		f := &webmtest.RepairMem{B: bytes.Clone(b)}
		again, repairErr := repair.Repair(f, int64(len(b)))
		if err != nil {
			if repairErr == nil || f.Calls > 0 {
				t.Fatalf("Verify: %v, Repair: %v", err, repairErr)
			}
			return
		}
		if again.Frames != r.Frames || r.Bytes+r.Cut != int64(len(b)) || r.Clean != (f.Calls == 0 && repairErr == nil) {
			t.Fatalf("Verify: %+v, Repair: %+v, %d calls", r, again, f.Calls)
		}
		if repairErr == nil {
			if after := checkClean(t, f.B); after.Frames != r.Frames || after.Bytes < r.Bytes {
				t.Fatalf("was %+v, is %+v", r, after)
			}
		} else if !errors.Is(repairErr, repair.ErrRewrite) || f.Calls > 0 {
			t.Fatal(repairErr)
		}
		to := &webmtest.MemFile{}
		if _, err := repair.Rewrite(bytes.NewReader(b), int64(len(b)), to); err != nil {
			t.Fatal(err)
		}
		if after := checkClean(t, to.B); after.Frames != r.Frames || after.Keyframes != r.Keyframes {
			t.Fatalf("was %+v, copy is %+v", r, after)
		}
	})
}
