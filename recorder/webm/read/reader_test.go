package read_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

// randomSizes returns sizes of pieces that add up to n.
func randomSizes(random *rand.Rand, n int) []int {
	var sizes []int
	for n > 0 {
		size := min(n, random.IntN(1<<random.IntN(15)))
		sizes = append(sizes, size)
		n -= size
	}
	return append(sizes, 1)
}

// sameInPieces requires that what is read of b does not depend on where it is cut,
// and returns it.
func sameInPieces(t testing.TB, c read.Config, b []byte) (webmtest.Received, error) {
	t.Helper()
	whole, err := webmtest.ReadAll(t, c, b)
	random := rand.New(rand.NewPCG(uint64(len(b)), 3))
	ways := [][]int{{1}, {2}, {7}, {0, 1, 5000}}
	for range 10 {
		ways = append(ways, randomSizes(random, len(b)))
	}
	for _, sizes := range ways {
		got, gotErr := webmtest.ReadAll(t, c, b, sizes...)
		if fmt.Sprint(gotErr) != fmt.Sprint(err) || !reflect.DeepEqual(got, whole) {
			t.Fatalf("in pieces of %v: %s, %v; whole: %s, %v", sizes[:min(len(sizes), 9)], got.Order, gotErr, whole.Order, err)
		}
	}
	return whole, err
}

func TestReaderReadsLiveStream(t *testing.T) {
	b := webmtest.Join(webmtest.LiveStart,
		webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, 'a'), webmtest.SimpleBlock(webmtest.LiveAudio, -7, ebml.FlagKey, 'b')),
		webmtest.LiveCluster(1000, webmtest.SimpleBlock(webmtest.LiveVideo, 33, 0, 'c'), webmtest.SimpleBlock(webmtest.LiveAudio, 32767, 0, 'd')))
	got, err := sameInPieces(t, read.Config{}, b)
	if err != nil || string(got.Order) != "hffff" {
		t.Fatalf("%s, %v, %v", got.Order, err, got.Damages)
	}
	tracks := []ebml.TrackEntry{
		{Codec: media.VP8, Width: 640, Height: 360, Number: webmtest.LiveVideo, CodecID: "V_VP8"},
		{Codec: media.Opus, Channels: 2, Number: webmtest.LiveAudio, CodecID: "A_OPUS"},
	}
	if !reflect.DeepEqual(got.Headers, []read.Header{{Tracks: tracks}}) {
		t.Errorf("header %+v", got.Headers)
	}
	frames := []read.Frame{
		{Track: 0, Time: 0, Key: true, Data: []byte{'a'}},
		{Track: 1, Time: -7 * time.Millisecond, Key: true, Data: []byte{'b'}},
		{Track: 0, Time: 1033 * time.Millisecond, Data: []byte{'c'}},
		{Track: 1, Time: 33767 * time.Millisecond, Data: []byte{'d'}},
	}
	if !reflect.DeepEqual(got.Frames, frames) {
		t.Errorf("frames %+v", got.Frames)
	}
}

// TestReaderReadsTheWriter reads what the Writer makes: known sizes, Voids and an
// index in front of or behind the Clusters.
func TestReaderReadsTheWriter(t *testing.T) {
	frames := webmtest.Interleaved(12 * time.Second)
	for name, c := range map[string]webm.Config{"index in front": {}, "index at the end": {IndexReserve: -1}} {
		b := webmtest.Written(t, c, webmtest.AVTracks(), frames)
		got, err := sameInPieces(t, read.Config{}, b)
		if err != nil || len(got.Damages) > 0 || len(got.Headers) != 1 {
			t.Fatalf("%s: %v, damage %v", name, err, got.Damages)
		}
		if tracks := got.Headers[0].Tracks; len(tracks) != 2 || tracks[0].Codec != media.Opus || tracks[0].Channels != 2 ||
			!bytes.Equal(tracks[0].CodecPrivate, layout.OpusHead(2)) || tracks[1].Width != 320 || tracks[1].Height != 240 {
			t.Errorf("%s: tracks %+v", name, tracks)
		}
		if len(got.Frames) != len(frames) {
			t.Fatalf("%s: %d frames of %d", name, len(got.Frames), len(frames))
		}
		for i, f := range got.Frames {
			w := frames[i]
			if f.Track != w.Track || f.Time != w.Time.Round(time.Millisecond) || f.Key != w.Sync || !bytes.Equal(f.Data, w.Data) {
				t.Fatalf("%s: frame %d is %v at %v", name, i, f.Track, f.Time)
			}
		}
	}
}

func TestReaderPassesOverWhatItDoesNotNeed(t *testing.T) {
	void, crc := webmtest.El(ebml.VoidID, make([]byte, 300)), webmtest.El(ebml.CRC32ID, []byte("crc!"))
	tags := webmtest.El(ebml.TagsID, bytes.Repeat(webmtest.El(0x7373, webmtest.El(0x67C8, webmtest.Text(0x45A3, "A"))), 50))
	cues := webmtest.El(ebml.CuesID, bytes.Repeat(webmtest.El(0xBB, webmtest.Number(0xB3, 1)), 50))
	unknown := webmtest.El(0x4FFF, make([]byte, 200))
	b := webmtest.Join(webmtest.EBMLStart, void, webmtest.Open(ebml.SegmentID), crc, webmtest.El(ebml.SeekHeadID, make([]byte, 30)), void, tags, unknown,
		webmtest.LiveTracks, webmtest.LiveTracks, webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 2e6)), webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 1)), webmtest.El(ebml.VoidID),
		webmtest.Open(ebml.ClusterID), crc, void, webmtest.Number(ebml.PositionID, 77), webmtest.Number(ebml.TimestampID, 500), webmtest.Number(ebml.PrevSizeID, 5),
		webmtest.SimpleBlock(webmtest.LiveVideo, 1, 0, 'a'), unknown, void, webmtest.SimpleBlock(webmtest.LiveVideo, 2, 0, 'b'),
		cues, tags, void, webmtest.LiveTracks,
		webmtest.El(ebml.ClusterID, webmtest.Number(ebml.TimestampID, 1000), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'c'), void), tags, cues,
		webmtest.El(ebml.ClusterID, crc, webmtest.Number(ebml.TimestampID, 2000), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'd')), webmtest.El(ebml.ClusterID))
	got, err := sameInPieces(t, read.Config{}, b)
	if err != nil || string(got.Order) != "hffff" {
		t.Fatalf("%s, %v, damage %v", got.Order, err, got.Damages)
	}
	got.Want(t, "a", "b", "c", "d")
	for i, want := range []time.Duration{1002, 1004, 2000, 4000} {
		if got.Frames[i].Time != want*time.Millisecond {
			t.Errorf("frame %d at %v", i, got.Frames[i].Time)
		}
	}
}

// TestReaderRestart puts a second recording, with other tracks, behind a first
// one, cut at each of the last places.
func TestReaderRestart(t *testing.T) {
	first := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, 'a')),
		webmtest.LiveCluster(100, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'b'), webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 9, 0, 'c')),
			webmtest.Number(ebml.BlockDurationID, 5))))
	second := webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID),
		webmtest.El(ebml.TracksID, webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, 1), webmtest.Text(ebml.CodecIDID, "A_OPUS")),
			webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, webmtest.LiveVideo), webmtest.Text(ebml.CodecIDID, "V_VP8"),
				webmtest.El(ebml.VideoID, webmtest.Number(ebml.PixelWidthID, 1280), webmtest.Number(ebml.PixelHeightID, 720)))),
		webmtest.LiveCluster(7, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, 'x'), webmtest.SimpleBlock(1, 1, 0, 'y')))
	start := len(webmtest.LiveStart)
	for at := start; at <= len(first); at++ {
		got, err := sameInPieces(t, read.Config{}, webmtest.Join(first[:at], second))
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", at, len(first), err)
		}
		if len(got.Headers) != 2 || got.Headers[1].Tracks[0].Number != 1 || got.Headers[1].Tracks[1].Width != 1280 {
			t.Fatalf("cut at %d: headers %+v, damage %v", at, got.Headers, got.Damages)
		}
		n := len(got.Frames)
		if n < 2 || string(got.Frames[n-2].Data) != "x" || string(got.Frames[n-1].Data) != "y" ||
			got.Frames[n-2].Time != 7*time.Millisecond || got.Frames[n-2].Track != 1 || got.Frames[n-1].Track != 0 {
			t.Fatalf("cut at %d: frames %+v, damage %v", at, got.Frames, got.Damages)
		}
		if at == len(first) && string(got.Order) != "hfffhff" {
			t.Fatalf("uncut: %s, damage %v", got.Order, got.Damages)
		}
	}
}

// TestReaderSecondSegment is a restart without an EBML header.
func TestReaderSecondSegment(t *testing.T) {
	one := webmtest.Join(webmtest.Open(ebml.SegmentID), webmtest.LiveTracks, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a')))
	got := webmtest.MustReadAll(t, webmtest.Join(webmtest.EBMLStart, one, one))
	if string(got.Order) != "hfhf" {
		t.Errorf("%s", got.Order)
	}
}

func TestReaderTellsReceiverError(t *testing.T) {
	got := webmtest.Received{Refuse: webmtest.ErrDisk}
	r := read.NewReader(&got, read.Config{})
	err := r.Push(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'), webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'b'))))
	if err != webmtest.ErrDisk || r.Push(nil) != webmtest.ErrDisk || r.Gap() != webmtest.ErrDisk || r.Close() != webmtest.ErrDisk || len(got.Frames) != 1 {
		t.Errorf("%v after %d frames", err, len(got.Frames))
	}
}

// TestReaderHeaderIsTheReceivers changes a Header that was given out.
func TestReaderHeaderIsTheReceivers(t *testing.T) {
	var got webmtest.Received
	r := read.NewReader(&got, read.Config{})
	if err := r.Push(webmtest.LiveStart); err != nil {
		t.Fatal(err)
	}
	clear(got.Headers[0].Tracks)
	if err := r.Push(webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a'))); err != nil || len(got.Frames) != 1 {
		t.Errorf("%v, damage %v", err, got.Damages)
	}
}
