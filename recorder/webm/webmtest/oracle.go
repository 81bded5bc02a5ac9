package webmtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	ebmlgo "github.com/at-wat/ebml-go"
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
		TrackEntry []oracleTrack `ebml:"TrackEntry"`
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
	Timecode    uint64         `ebml:"Timecode"`
	SimpleBlock []ebmlgo.Block `ebml:"SimpleBlock"`
	BlockGroup  []struct {
		Block          ebmlgo.Block `ebml:"Block"`
		ReferenceBlock []int64      `ebml:"ReferenceBlock"`
	} `ebml:"BlockGroup"`
}

type OracleFile struct {
	EBML    oracleHeader  `ebml:"EBML"`
	Segment oracleSegment `ebml:"Segment"`
}

// ReadOracle reads b. cut allows that b ends in the middle of an element.
func ReadOracle(b []byte, cut bool) (OracleFile, error) {
	var f OracleFile
	err := ebmlgo.Unmarshal(bytes.NewReader(b), &f)
	if cut && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return f, err
}

// Got is a block as it was read.
type Got struct {
	number uint64
	MS     int64
	key    bool
	data   []byte
}

func (f *OracleFile) Blocks() []Got {
	var out []Got
	for _, c := range f.Segment.Cluster {
		for _, b := range c.SimpleBlock {
			if len(b.Data) != 1 {
				continue // a block that the file's end cuts
			}
			out = append(out, Got{b.TrackNumber, int64(c.Timecode) + int64(b.Timecode), b.Keyframe, b.Data[0]})
		}
	}
	return out
}

// Compare holds blocks read against the frames that were written.
func Compare(t testing.TB, blocks []Got, frames []Fed) {
	t.Helper()
	if len(blocks) != len(frames) {
		t.Fatalf("read %d blocks, wrote %d", len(blocks), len(frames))
	}
	for i, g := range blocks {
		f := frames[i]
		ms := f.Time.Round(time.Millisecond).Milliseconds()
		if g.number != uint64(f.Track+1) || g.MS != ms || g.key != f.Sync || !bytes.Equal(g.data, f.Data) {
			t.Fatalf("block %d: track %d at %d ms, key %v, %d bytes; want track %d at %d ms, key %v, %d bytes",
				i, g.number, g.MS, g.key, len(g.data), f.Track+1, ms, f.Sync, len(f.Data))
		}
	}
}

// MustRead reads a whole file.
func MustRead(t testing.TB, b []byte) OracleFile {
	t.Helper()
	f, err := ReadOracle(b, false)
	if err != nil {
		t.Fatalf("ebml-go: %v", err)
	}
	return f
}

type oracleHeader struct {
	EBMLVersion        uint64 `ebml:"EBMLVersion"`
	EBMLReadVersion    uint64 `ebml:"EBMLReadVersion"`
	EBMLMaxIDLength    uint64 `ebml:"EBMLMaxIDLength"`
	EBMLMaxSizeLength  uint64 `ebml:"EBMLMaxSizeLength"`
	DocType            string `ebml:"EBMLDocType"`
	DocTypeVersion     uint64 `ebml:"EBMLDocTypeVersion"`
	DocTypeReadVersion uint64 `ebml:"EBMLDocTypeReadVersion"`
}

type oracleTrack struct {
	TrackNumber     uint64       `ebml:"TrackNumber"`
	TrackUID        uint64       `ebml:"TrackUID"`
	TrackType       uint64       `ebml:"TrackType"`
	FlagLacing      uint64       `ebml:"FlagLacing"`
	Name            string       `ebml:"Name"`
	Language        string       `ebml:"Language"`
	CodecID         string       `ebml:"CodecID"`
	CodecPrivate    []byte       `ebml:"CodecPrivate"`
	SeekPreRoll     uint64       `ebml:"SeekPreRoll"`
	DefaultDuration uint64       `ebml:"DefaultDuration"`
	Audio           *oracleAudio `ebml:"Audio"`
	Void            []byte       `ebml:"Void"`
	Video           *OracleVideo `ebml:"Video"`
}

type oracleAudio struct {
	SamplingFrequency float64 `ebml:"SamplingFrequency"` // Hz
	Channels          uint64  `ebml:"Channels"`
}

type OracleVideo struct {
	PixelWidth  uint64 `ebml:"PixelWidth"`
	PixelHeight uint64 `ebml:"PixelHeight"`
}

// testdata returns where a file of webm's testdata lies, as seen from webm or a package
// below it.
func testdata(name string) string {
	const dir = "testdata"
	if _, err := os.Stat(filepath.Join(dir, "chromium.webm")); err == nil {
		return filepath.Join(dir, name)
	}
	return filepath.Join("..", dir, name)
}
