package webm

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
)

// oracleSegment is what ebml-go reads of a file: a second opinion by code that
// shares nothing with the Writer's block path.
type oracleSegment struct {
	SeekHead *struct {
		Seek []struct {
			SeekID       []byte `ebml:"SeekID"`
			SeekPosition uint64 `ebml:"SeekPosition"`
		} `ebml:"Seek"`
	} `ebml:"SeekHead"`
	Info struct {
		TimecodeScale uint64    `ebml:"TimecodeScale"`
		Title         string    `ebml:"Title"`
		MuxingApp     string    `ebml:"MuxingApp"`
		WritingApp    string    `ebml:"WritingApp"`
		DateUTC       time.Time `ebml:"DateUTC"`
		Duration      float64   `ebml:"Duration"`
	} `ebml:"Info"`
	Tracks struct {
		TrackEntry []trackEntry `ebml:"TrackEntry"`
	} `ebml:"Tracks"`
	Cluster []oracleCluster `ebml:"Cluster"`
	Cues    *struct {
		CuePoint []struct {
			CueTime uint64 `ebml:"CueTime"`
			Where   struct {
				Track    uint64 `ebml:"CueTrack"`
				Position uint64 `ebml:"CueClusterPosition"`
			} `ebml:"CueTrackPositions"`
		} `ebml:"CuePoint"`
	} `ebml:"Cues"`
}

type oracleCluster struct {
	Timecode    uint64       `ebml:"Timecode"`
	SimpleBlock []ebml.Block `ebml:"SimpleBlock"`
	BlockGroup  []struct {
		Block          ebml.Block `ebml:"Block"`
		ReferenceBlock []int64    `ebml:"ReferenceBlock"`
	} `ebml:"BlockGroup"`
}

type oracleFile struct {
	EBML    ebmlHeader    `ebml:"EBML"`
	Segment oracleSegment `ebml:"Segment"`
}

// readOracle reads b. cut allows that b ends in the middle of an element.
func readOracle(b []byte, cut bool) (oracleFile, error) {
	var f oracleFile
	err := ebml.Unmarshal(bytes.NewReader(b), &f)
	if cut && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return f, err
}

// got is a block as it was read.
type got struct {
	number uint64
	ms     int64
	key    bool
	data   []byte
}

func (f *oracleFile) blocks() []got {
	var out []got
	for _, c := range f.Segment.Cluster {
		for _, b := range c.SimpleBlock {
			if len(b.Data) != 1 {
				continue // a block that the file's end cuts
			}
			out = append(out, got{b.TrackNumber, int64(c.Timecode) + int64(b.Timecode), b.Keyframe, b.Data[0]})
		}
	}
	return out
}

// compare holds blocks read against the frames that were written.
func compare(t testing.TB, blocks []got, frames []fed) {
	t.Helper()
	if len(blocks) != len(frames) {
		t.Fatalf("read %d blocks, wrote %d", len(blocks), len(frames))
	}
	for i, g := range blocks {
		f := frames[i]
		ms := f.Time.Round(time.Millisecond).Milliseconds()
		if g.number != uint64(f.track+1) || g.ms != ms || g.key != f.Sync || !bytes.Equal(g.data, f.Data) {
			t.Fatalf("block %d: track %d at %d ms, key %v, %d bytes; want track %d at %d ms, key %v, %d bytes",
				i, g.number, g.ms, g.key, len(g.data), f.track+1, ms, f.Sync, len(f.Data))
		}
	}
}

// mustRead reads a whole file.
func mustRead(t testing.TB, b []byte) oracleFile {
	t.Helper()
	f, err := readOracle(b, false)
	if err != nil {
		t.Fatalf("ebml-go: %v", err)
	}
	return f
}
