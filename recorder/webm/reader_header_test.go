package webm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

// liveWith returns a stream of one frame with the given children in its header.
func liveWith(children ...[]byte) []byte {
	return join(ebmlStart, open(segmentID), join(children...), liveCluster(0, simpleBlock(liveVideo, 0, 0, 'a')))
}

// entryWith returns Tracks of one track with the given children.
func entryWith(children ...[]byte) []byte {
	return el(tracksID, el(trackEntryID, number(trackNumberID, liveVideo), join(children...)))
}

func TestReaderHeaderErrors(t *testing.T) {
	ebml := func(children ...[]byte) []byte {
		return join(el(ebmlID, children...), liveStart[len(ebmlStart):])
	}
	nine := bytes.Repeat(el(trackEntryID, number(trackNumberID, 1)), 1)
	for i := byte(2); i <= 9; i++ {
		nine = append(nine, el(trackEntryID, []byte{0xD7, 0x81, i})...)
	}
	docType := text(docTypeID, "webm")
	for name, tc := range map[string]struct {
		b    []byte
		want error
		says string // the element and where it is
	}{
		"nothing":            {nil, ErrNotWebM, "element at byte 0"},
		"one byte":           {ebmlStart[:1], ErrNotWebM, "element at byte 0"},
		"text":               {[]byte("GET / HTTP/1.1\r\n\r\n"), ErrNotWebM, "at byte 0"},
		"MP4":                {[]byte("\x00\x00\x00\x18ftypmp42"), ErrNotWebM, "element at byte 0"},
		"ID of all ones":     {[]byte{0xFF, 0x80}, ErrNotWebM, "at byte 0"},
		"no EBML header":     {liveStart[len(ebmlStart):], ErrNotWebM, "Segment at byte 0"},
		"unsized EBML":       {join(open(ebmlID), liveStart), ErrNotWebM, "EBML header at byte 0"},
		"DocType mp4":        {ebml(text(docTypeID, "mp4")), ErrNotWebM, "DocType at byte 5"},
		"DocType of noise":   {ebml(text(docTypeID, "webm\x01")), ErrHeader, "DocType at byte 5"},
		"long DocType":       {ebml(text(docTypeID, strings.Repeat("a", 65))), ErrHeader, "DocType at byte 5"},
		"no DocType":         {ebml(number(ebmlReadVersionID, 1)), ErrNotWebM, "EBML header at byte 0"},
		"EBML 2":             {ebml(docType, number(ebmlReadVersionID, 2)), ErrNotWebM, "EBMLReadVersion at byte 12"},
		"IDs of 5":           {ebml(docType, number(ebmlMaxIDLengthID, 5)), ErrNotWebM, "EBMLMaxIDLength at byte 12"},
		"sizes of 9":         {ebml(docType, number(ebmlMaxSizeLengthID, 9)), ErrNotWebM, "EBMLMaxSizeLength at byte 12"},
		"Matroska 5":         {ebml(docType, number(docTypeReadVersionID, 5)), ErrNotWebM, "DocTypeReadVersion at byte 12"},
		"version of 9 bytes": {ebml(docType, el(docTypeReadVersionID, make([]byte, 9))), ErrNotWebM, "DocTypeReadVersion at byte 12"},
		"child overruns":     {ebml(claim(docTypeID, 5), []byte("webm")), ErrHeader, "DocType at byte 5"},
		"no tracks":          {liveWith(), ErrHeader, "Cluster at byte 44"},
		"only a header":      {ebmlStart, ErrHeader, "element at byte 32"},
		"ends in Tracks":     {liveStart[:len(liveStart)-1], ErrHeader, "Tracks at byte"},
		"empty Tracks":       {liveWith(el(tracksID)), ErrHeader, "Tracks at byte"},
		"unsized Tracks":     {liveWith(open(tracksID)), ErrHeader, "Tracks at byte 44"},
		"no number":          {liveWith(el(tracksID, el(trackEntryID))), ErrHeader, "TrackEntry at byte 49"},
		"number 0":           {liveWith(el(tracksID, el(trackEntryID, number(trackNumberID, 0)))), ErrHeader, "TrackEntry at byte 49"},
		"number of 9 bytes":  {liveWith(entryWith(el(trackNumberID, make([]byte, 9)))), ErrHeader, "TrackNumber at byte 54"},
		"number twice":       {liveWith(el(tracksID, bytes.Repeat(el(trackEntryID, number(trackNumberID, 7)), 2))), ErrHeader, "TrackEntry at byte 54"},
		"9 tracks":           {liveWith(el(tracksID, nine)), ErrTooManyTracks, "TrackEntry at byte 89"},
		"CodecID of noise":   {liveWith(entryWith(text(codecIDID, "V_\xFF"))), ErrHeader, "CodecID at byte 54"},
		"unsized child":      {liveWith(entryWith(open(videoID))), ErrHeader, "Video at byte 54"},
		"child is none":      {liveWith(entryWith([]byte{0x00})), ErrHeader, "element at byte 54"},
		"child is cut":       {liveWith(entryWith([]byte{0x42})), ErrHeader, "element at byte 54"},
		"long ID":            {liveWith(entryWith([]byte{0x40, 0x01, 0x80})), ErrHeader, "element at byte 54"},
		"deep child is none": {liveWith(entryWith(el(videoID, []byte{0x08}))), ErrHeader, "element at byte 56"},
		"deep child is odd":  {liveWith(entryWith(el(audioID, []byte{0x9F}))), ErrHeader, "element at byte 56"},
		"delay of 2 s":       {liveWith(entryWith(number(codecDelayID, 2e9))), ErrHeader, "CodecDelay at byte 54"},
		"ticks of zero":      {liveWith(el(infoID, number(timestampScaleID, 0))), ErrHeader, "TimestampScale at byte 49"},
		"ticks of 2 s":       {liveWith(el(infoID, number(timestampScaleID, 2e9))), ErrHeader, "TimestampScale at byte 49"},
		"Info is none":       {liveWith(el(infoID, []byte{0})), ErrHeader, "element at byte 49"},
		"block before":       {liveWith(simpleBlock(1, 0, 0, 1)), ErrHeader, "SimpleBlock at byte 44"},
		"garbage":            {liveWith([]byte{0}), ErrHeader, "element at byte 44"},
		"unknown unsized":    {liveWith(open(0x4FFF)), ErrHeader, "element 0x4FFF at byte 44"},
	} {
		got, err := sameInPieces(t, ReaderConfig{}, tc.b)
		if !errors.Is(err, tc.want) || !strings.Contains(fmt.Sprint(err), " "+tc.says) || len(got.frames) > 0 {
			t.Errorf("%s: %v, want %v, %q", name, err, tc.want, tc.says)
		}
	}
}

func TestReaderTracks(t *testing.T) {
	long := make([]byte, 9)
	for name, tc := range map[string]struct {
		entry []byte
		want  TrackEntry
	}{
		"nothing known": {nil, TrackEntry{}},
		"other codec":   {text(codecIDID, "V_FFV1"), TrackEntry{CodecID: "V_FFV1"}},
		"padded string": {text(codecIDID, "V_VP8\x00\x00"), TrackEntry{CodecID: "V_VP8", Codec: media.VP8}},
		"compressed":    {join(text(codecIDID, "V_VP8"), el(contentEncodingsID)), TrackEntry{CodecID: "V_VP8"}},
		"one channel":   {join(text(codecIDID, "A_OPUS"), el(audioID)), TrackEntry{CodecID: "A_OPUS", Codec: media.Opus, Channels: 1}},
		"300 channels":  {el(audioID, number(channelsID, 300)), TrackEntry{}},
		"no height":     {el(videoID, number(pixelWidthID, 640)), TrackEntry{}},
		"huge picture":  {el(videoID, number(pixelWidthID, 1<<16), number(pixelHeightID, 2)), TrackEntry{}},
		"private":       {el(codecPrivateID, long), TrackEntry{CodecPrivate: long}},
		"delay":         {number(codecDelayID, 6500000), TrackEntry{CodecDelay: 6500 * time.Microsecond}},
		"duration":      {number(defaultDurationID, 40e6), TrackEntry{DefaultDuration: 40 * time.Millisecond}},
		"two hours":     {number(defaultDurationID, 7200e9), TrackEntry{}},
	} {
		got, err := sameInPieces(t, ReaderConfig{}, liveWith(entryWith(tc.entry)))
		tc.want.Number = liveVideo
		if err != nil || fmt.Sprintf("%+v", got.headers) != fmt.Sprintf("%+v", []Header{{[]TrackEntry{tc.want}}}) {
			t.Errorf("%s: %v, %+v, want %+v", name, err, got.headers, tc.want)
			continue
		}
		if f := got.frames[0]; f.Time != -tc.want.CodecDelay || f.Duration != tc.want.DefaultDuration {
			t.Errorf("%s: frame at %v for %v", name, f.Time, f.Duration)
		}
	}
}

// TestReaderBlockNumbers has tracks whose numbers take 1 to 8 bytes.
func TestReaderBlockNumbers(t *testing.T) {
	var entries, blocks [][]byte
	for n := 1; n <= 8; n++ {
		v := uint64(1)<<(7*n) - 2
		entries = append(entries, el(trackEntryID, number(trackNumberID, v)))
		blocks = append(blocks, simpleBlock(v, int16(n), 0, byte(n)))
	}
	got := mustReadAll(t, join(ebmlStart, open(segmentID), el(tracksID, entries...), liveCluster(0, blocks...)))
	for i, f := range got.frames {
		if f.Track != i || int(f.Data[0]) != i+1 {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	if len(got.frames) != 8 {
		t.Errorf("%d frames", len(got.frames))
	}
}

func TestReaderHeaderSize(t *testing.T) {
	for name, tc := range map[string]struct {
		c    ReaderConfig
		room int // of a Void in the header
		want error
	}{
		"64 KiB": {ReaderConfig{}, 64<<10 - len(ebmlStart) - 12 - len(liveTracks) - 4, nil},
		"more":   {ReaderConfig{}, 64<<10 - len(ebmlStart) - 12 - len(liveTracks) - 3, ErrHeaderSize},
		"1 MiB":  {ReaderConfig{MaxHeader: 2 << 20}, 1 << 20, nil},
		"little": {ReaderConfig{MaxHeader: 100}, 50, ErrHeaderSize},
	} {
		b := liveWith(el(voidID, make([]byte, tc.room)), liveTracks)
		if got, err := readAll(t, tc.c, b, 1000); !errors.Is(err, tc.want) || err == nil && len(got.frames) != 1 {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	// The bound holds behind Tracks as well, for many small elements, and for an
	// EBML header.
	small := bytes.Repeat(el(voidID), 33000)
	for name, b := range map[string][]byte{
		"many": liveWith(liveTracks, small), "EBML": join(claim(ebmlID, 1<<20), make([]byte, 100)),
	} {
		if _, err := readAll(t, ReaderConfig{}, b, 1000); !errors.Is(err, ErrHeaderSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVints(t *testing.T) {
	for _, n := range []uint64{0, 1, 126, 127, 1<<14 - 2, 1<<14 - 1, 1<<35 - 1, 1<<49 - 2, maxSize} {
		b := appendSize(nil, n)
		if v, m, ones, ok := parseVint(append(b, 0xFF)); v != n || m != len(b) || ones || !ok {
			t.Errorf("%d: %d in %d bytes, %v, %v", n, v, m, ones, ok)
		}
		if _, _, _, ok := parseVint(b[:len(b)-1]); ok {
			t.Errorf("%d: a part is whole", n)
		}
	}
	for _, s := range []string{"\xFF", "\x7F\xFF", unknownSize} {
		if _, _, ones, ok := parseVint([]byte(s)); !ones || !ok {
			t.Errorf("%x is not all ones", s)
		}
	}
	for s, want := range map[string]bool{
		"\xEC\x80": true, "\x81\x80": true, "\xFE\x80": true, "\x80\x80": false, "\xFF\x80": false,
		"\x40\x7F\x80": true, "\x40\x7E\x80": false, "\x7F\xFF\x80": false, "\x7F\xFE\x80": true,
		"\x20\x3F\xFF\x80": true, "\x20\x3F\xFE\x80": false, "\x10\x1F\xFF\xFF\x80": true, "\x10\x1F\xFF\xFE\x80": false,
	} {
		if more, ok := headNeeds([]byte(s)); more != 0 || !ok {
			t.Errorf("% x needs %d more", s, more)
		}
		if _, ok := parseHead([]byte(s)); ok != want {
			t.Errorf("% x is an ID: %v", s, ok)
		}
	}
}
