package webm

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

// received is a Receiver that keeps all it is given.
type received struct {
	headers []Header
	frames  []Frame
	damages []Damage
	order   []byte // h, f and d, as they came
	refuse  error  // what Frame returns, if not nil
}

func (r *received) Header(h Header) error {
	r.headers, r.order = append(r.headers, h), append(r.order, 'h')
	return nil
}

func (r *received) Frame(f Frame) error {
	if len(f.Data) == 0 || cap(f.Data) != len(f.Data) {
		return fmt.Errorf("data of %d bytes, room for %d", len(f.Data), cap(f.Data))
	}
	r.frames, r.order = append(r.frames, f), append(r.order, 'f')
	return r.refuse
}

func (r *received) Damage(d Damage) {
	r.damages, r.order = append(r.damages, d), append(r.order, 'd')
}

// slack is the most that a Reader with the default bounds may hold.
const slack = defaultMaxElement + 2<<20

// held returns how many bytes of buffers r holds.
func held(r *Reader) int { return cap(r.buf) + cap(r.group.block) }

// readAll pushes b in pieces of the given sizes, the last as often as needed, and
// closes the Reader. The error is that of the first call that failed.
func readAll(t testing.TB, c ReaderConfig, b []byte, sizes ...int) (received, error) {
	t.Helper()
	var got received
	r := NewReader(&got, c)
	for i, rest := 0, b; len(rest) > 0; i++ {
		n := len(rest)
		if len(sizes) > 0 {
			n = min(n, sizes[min(i, len(sizes)-1)])
		}
		piece := bytes.Clone(rest[:n])
		err := r.Push(piece)
		clear(piece) // it must not be kept
		if held(r) > slack {
			t.Fatalf("%d bytes are held", held(r))
		}
		if err != nil {
			if again := r.Push([]byte{1}); again != err || r.Close() != err || held(r) != 0 {
				t.Fatalf("after %v: %v, %d bytes held", err, again, held(r))
			}
			return got, err
		}
		rest = rest[n:]
	}
	err := r.Close()
	if again := r.Close(); again != err {
		t.Fatalf("closed again: %v, not %v", again, err)
	}
	if err == nil && !errors.Is(r.Push(nil), ErrClosed) {
		t.Fatal("a closed reader goes on")
	}
	return got, err
}

// mustReadAll is readAll of a stream without errors and damage.
func mustReadAll(t testing.TB, b []byte, sizes ...int) received {
	t.Helper()
	got, err := readAll(t, ReaderConfig{}, b, sizes...)
	if err != nil || len(got.damages) > 0 {
		t.Fatalf("%v, damage %v", err, got.damages)
	}
	return got
}

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
func sameInPieces(t testing.TB, c ReaderConfig, b []byte) (received, error) {
	t.Helper()
	whole, err := readAll(t, c, b)
	random := rand.New(rand.NewPCG(uint64(len(b)), 3))
	ways := [][]int{{1}, {2}, {7}, {0, 1, 5000}}
	for range 10 {
		ways = append(ways, randomSizes(random, len(b)))
	}
	for _, sizes := range ways {
		got, gotErr := readAll(t, c, b, sizes...)
		if fmt.Sprint(gotErr) != fmt.Sprint(err) || !reflect.DeepEqual(got, whole) {
			t.Fatalf("in pieces of %v: %s, %v; whole: %s, %v", sizes[:min(len(sizes), 9)], got.order, gotErr, whole.order, err)
		}
	}
	return whole, err
}

// want requires that frames were read whose data are the strings, in order.
func (r *received) want(t testing.TB, data ...string) {
	t.Helper()
	var have []string
	for _, f := range r.frames {
		have = append(have, string(f.Data))
	}
	if strings.Join(have, "|") != strings.Join(data, "|") {
		t.Fatalf("frames %q, want %q; damage %v", have, data, r.damages)
	}
}

func TestReaderReadsLiveStream(t *testing.T) {
	b := join(liveStart,
		liveCluster(0, simpleBlock(liveVideo, 0, flagKey, 'a'), simpleBlock(liveAudio, -7, flagKey, 'b')),
		liveCluster(1000, simpleBlock(liveVideo, 33, 0, 'c'), simpleBlock(liveAudio, 32767, 0, 'd')))
	got, err := sameInPieces(t, ReaderConfig{}, b)
	if err != nil || string(got.order) != "hffff" {
		t.Fatalf("%s, %v, %v", got.order, err, got.damages)
	}
	tracks := []TrackEntry{
		{Codec: media.VP8, Width: 640, Height: 360, Number: liveVideo, CodecID: "V_VP8"},
		{Codec: media.Opus, Channels: 2, Number: liveAudio, CodecID: "A_OPUS"},
	}
	if !reflect.DeepEqual(got.headers, []Header{{tracks}}) {
		t.Errorf("header %+v", got.headers)
	}
	frames := []Frame{
		{Track: 0, Time: 0, Key: true, Data: []byte{'a'}},
		{Track: 1, Time: -7 * time.Millisecond, Key: true, Data: []byte{'b'}},
		{Track: 0, Time: 1033 * time.Millisecond, Data: []byte{'c'}},
		{Track: 1, Time: 33767 * time.Millisecond, Data: []byte{'d'}},
	}
	if !reflect.DeepEqual(got.frames, frames) {
		t.Errorf("frames %+v", got.frames)
	}
}

// TestReaderReadsTheWriter reads what the Writer makes: known sizes, Voids and an
// index in front of or behind the Clusters.
func TestReaderReadsTheWriter(t *testing.T) {
	frames := interleaved(12 * time.Second)
	for name, c := range map[string]Config{"index in front": {}, "index at the end": {IndexReserve: -1}} {
		b := written(t, c, avTracks(), frames)
		got, err := sameInPieces(t, ReaderConfig{}, b)
		if err != nil || len(got.damages) > 0 || len(got.headers) != 1 {
			t.Fatalf("%s: %v, damage %v", name, err, got.damages)
		}
		if tracks := got.headers[0].Tracks; len(tracks) != 2 || tracks[0].Codec != media.Opus || tracks[0].Channels != 2 ||
			!bytes.Equal(tracks[0].CodecPrivate, opusHead(2)) || tracks[1].Width != 320 || tracks[1].Height != 240 {
			t.Errorf("%s: tracks %+v", name, tracks)
		}
		if len(got.frames) != len(frames) {
			t.Fatalf("%s: %d frames of %d", name, len(got.frames), len(frames))
		}
		for i, f := range got.frames {
			w := frames[i]
			if f.Track != w.track || f.Time != w.Time.Round(time.Millisecond) || f.Key != w.Sync || !bytes.Equal(f.Data, w.Data) {
				t.Fatalf("%s: frame %d is %v at %v", name, i, f.Track, f.Time)
			}
		}
	}
}

func TestReaderPassesOverWhatItDoesNotNeed(t *testing.T) {
	void, crc := el(voidID, make([]byte, 300)), el(crc32ID, []byte("crc!"))
	tags := el(tagsID, bytes.Repeat(el(0x7373, el(0x67C8, text(0x45A3, "A"))), 50))
	cues := el(cuesID, bytes.Repeat(el(0xBB, number(0xB3, 1)), 50))
	unknown := el(0x4FFF, make([]byte, 200))
	b := join(ebmlStart, void, open(segmentID), crc, el(seekHeadID, make([]byte, 30)), void, tags, unknown,
		liveTracks, liveTracks, el(infoID, number(timestampScaleID, 2e6)), el(infoID, number(timestampScaleID, 1)), el(voidID),
		open(clusterID), crc, void, number(positionID, 77), number(timestampID, 500), number(prevSizeID, 5),
		simpleBlock(liveVideo, 1, 0, 'a'), unknown, void, simpleBlock(liveVideo, 2, 0, 'b'),
		cues, tags, void, liveTracks,
		el(clusterID, number(timestampID, 1000), simpleBlock(liveVideo, 0, 0, 'c'), void), tags, cues,
		el(clusterID, crc, number(timestampID, 2000), simpleBlock(liveVideo, 0, 0, 'd')), el(clusterID))
	got, err := sameInPieces(t, ReaderConfig{}, b)
	if err != nil || string(got.order) != "hffff" {
		t.Fatalf("%s, %v, damage %v", got.order, err, got.damages)
	}
	got.want(t, "a", "b", "c", "d")
	for i, want := range []time.Duration{1002, 1004, 2000, 4000} {
		if got.frames[i].Time != want*time.Millisecond {
			t.Errorf("frame %d at %v", i, got.frames[i].Time)
		}
	}
}

// TestReaderRestart puts a second recording, with other tracks, behind a first
// one, cut at each of the last places.
func TestReaderRestart(t *testing.T) {
	first := join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, flagKey, 'a')),
		liveCluster(100, simpleBlock(liveVideo, 0, 0, 'b'), el(blockGroupID, el(blockID, blockData(liveVideo, 9, 0, 'c')),
			number(blockDurationID, 5))))
	second := join(ebmlStart, open(segmentID),
		el(tracksID, el(trackEntryID, number(trackNumberID, 1), text(codecIDID, "A_OPUS")),
			el(trackEntryID, number(trackNumberID, liveVideo), text(codecIDID, "V_VP8"),
				el(videoID, number(pixelWidthID, 1280), number(pixelHeightID, 720)))),
		liveCluster(7, simpleBlock(liveVideo, 0, flagKey, 'x'), simpleBlock(1, 1, 0, 'y')))
	start := len(liveStart)
	for at := start; at <= len(first); at++ {
		got, err := sameInPieces(t, ReaderConfig{}, join(first[:at], second))
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", at, len(first), err)
		}
		if len(got.headers) != 2 || got.headers[1].Tracks[0].Number != 1 || got.headers[1].Tracks[1].Width != 1280 {
			t.Fatalf("cut at %d: headers %+v, damage %v", at, got.headers, got.damages)
		}
		n := len(got.frames)
		if n < 2 || string(got.frames[n-2].Data) != "x" || string(got.frames[n-1].Data) != "y" ||
			got.frames[n-2].Time != 7*time.Millisecond || got.frames[n-2].Track != 1 || got.frames[n-1].Track != 0 {
			t.Fatalf("cut at %d: frames %+v, damage %v", at, got.frames, got.damages)
		}
		if at == len(first) && string(got.order) != "hfffhff" {
			t.Fatalf("uncut: %s, damage %v", got.order, got.damages)
		}
	}
}

// TestReaderSecondSegment is a restart without an EBML header.
func TestReaderSecondSegment(t *testing.T) {
	one := join(open(segmentID), liveTracks, liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a')))
	got := mustReadAll(t, join(ebmlStart, one, one))
	if string(got.order) != "hfhf" {
		t.Errorf("%s", got.order)
	}
}

func TestReaderTellsReceiverError(t *testing.T) {
	got := received{refuse: errDisk}
	r := NewReader(&got, ReaderConfig{})
	err := r.Push(join(liveStart, liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a'), simpleBlock(liveVideo, 0, 0, 'b'))))
	if err != errDisk || r.Push(nil) != errDisk || r.Gap() != errDisk || r.Close() != errDisk || len(got.frames) != 1 {
		t.Errorf("%v after %d frames", err, len(got.frames))
	}
}

// TestReaderHeaderIsTheReceivers changes a Header that was given out.
func TestReaderHeaderIsTheReceivers(t *testing.T) {
	var got received
	r := NewReader(&got, ReaderConfig{})
	if err := r.Push(liveStart); err != nil {
		t.Fatal(err)
	}
	clear(got.headers[0].Tracks)
	if err := r.Push(liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a'))); err != nil || len(got.frames) != 1 {
		t.Errorf("%v, damage %v", err, got.damages)
	}
}
