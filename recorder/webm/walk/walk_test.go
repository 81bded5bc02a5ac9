package walk_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/walk"
	"weir/recorder/webm/webmtest"
)

// walked returns the pieces of b from a Cluster on, or from the start if at is 0.
func walked(t *testing.T, b []byte, at int64) (w *walk.Walker, out []walk.Piece) {
	t.Helper()
	w = walk.New(bytes.NewReader(b), int64(len(b)))
	if err := w.ReadStart(); err != nil {
		t.Fatal(err)
	}
	run := w.Run
	if at > 0 {
		head, _ := walked(t, b, 0)
		w.Head = head.Head
		run = func() error { return w.RunFrom(at) }
	}
	w.Give = func(p *walk.Piece) error {
		out = append(out, *p)
		return nil
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	return w, out
}

// TestPiecesFollow requires that pieces follow one another without a gap, whatever is
// damaged, and that each Cluster has an end.
func TestPiecesFollow(t *testing.T) {
	good := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(10*time.Second))
	random := rand.New(rand.NewPCG(7, 8))
	damages := 0
	for range 200 {
		b := bytes.Clone(good)
		for range random.IntN(5) {
			at := len(b)/4 + random.IntN(len(b)/2)
			copy(b[at:], make([]byte, random.IntN(500)))
		}
		w, pieces := walked(t, b, 0)
		end, clusters, ends := w.Head.Segment, 0, 0
		for _, p := range pieces {
			switch p.Kind {
			case walk.ClusterEnd:
				ends++
				continue
			case walk.ClusterHead:
				clusters++
			case walk.Damaged:
				damages++
			}
			if p.At != end || p.End <= p.At {
				t.Fatalf("%v at %d to %d follows %d", p.ID, p.At, p.End, end)
			}
			end = p.End
		}
		if clusters != ends || clusters == 0 {
			t.Fatalf("%d Clusters, %d ends", clusters, ends)
		}
	}
	if damages < 100 {
		t.Errorf("only %d damages", damages)
	}
}

// TestRunFrom requires the same pieces from any Cluster on.
func TestRunFrom(t *testing.T) {
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(5*time.Second))
	_, all := walked(t, b, 0)
	n := 0
	for i, p := range all {
		if p.Kind != walk.ClusterHead {
			continue
		}
		if _, rest := walked(t, b, p.At); !reflect.DeepEqual(rest, all[i:]) {
			t.Errorf("from %d: %d pieces, want %d", p.At, len(rest), len(all)-i)
		}
		n++
	}
	if n < 5 {
		t.Errorf("only %d Clusters", n)
	}
}

// TestIndexIsRead requires what Cues and SeekHead say, and false where something else is
// in them.
func TestIndexIsRead(t *testing.T) {
	place := func(track, position uint64) []byte {
		return webmtest.El(ebml.CueTrackPositionsID, webmtest.Number(ebml.CueTrackID, track), webmtest.Number(ebml.CueClusterPositionID, position))
	}
	cues := webmtest.Join(
		webmtest.El(ebml.CRC32ID, make([]byte, 4)),
		webmtest.El(ebml.CuePointID, webmtest.Number(ebml.CueTimeID, 0), place(1, 500)),
		webmtest.El(ebml.CuePointID, place(1, 900), place(2, 901), webmtest.Number(ebml.CueTimeID, 70)))
	var got []walk.CueEntry
	read := func(b []byte) bool {
		src := walk.NewWindow(bytes.NewReader(b), int64(len(b)))
		got = nil
		ok, err := src.EachCue(0, int64(len(b)), func(c walk.CueEntry) (bool, error) {
			got = append(got, c)
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	want := []walk.CueEntry{{Ticks: 0, Track: 1, Position: 500}, {Ticks: 70, Track: 1, Position: 900}, {Ticks: 70, Track: 2, Position: 901}}
	if !read(cues) || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if read(cues[:len(cues)-1]) || read(webmtest.Join(cues, webmtest.El(ebml.VoidID, []byte{1}))) {
		t.Error("Cues with something else in them are good")
	}
	head := webmtest.El(ebml.SeekID, webmtest.El(ebml.SeekIDID, webmtest.IDBytes(ebml.CuesID)), webmtest.Number(ebml.SeekPositionID, 77))
	src := walk.NewWindow(bytes.NewReader(head), int64(len(head)))
	ok, err := src.EachSeek(0, int64(len(head)), func(id ebml.ElementID, position uint64) (bool, error) {
		return id == ebml.CuesID && position == 77, nil
	})
	if !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
