package read_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

// liveWith returns a stream of one frame with the given children in its header.
func liveWith(children ...[]byte) []byte {
	return webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID), webmtest.Join(children...), webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a')))
}

// entryWith returns Tracks of one track with the given children.
func entryWith(children ...[]byte) []byte {
	return webmtest.El(ebml.TracksID, webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, webmtest.LiveVideo), webmtest.Join(children...)))
}

func TestReaderHeaderErrors(t *testing.T) {
	header := func(children ...[]byte) []byte {
		return webmtest.Join(webmtest.El(ebml.HeaderID, children...), webmtest.LiveStart[len(webmtest.EBMLStart):])
	}
	nine := bytes.Repeat(webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, 1)), 1)
	for i := byte(2); i <= 9; i++ {
		nine = append(nine, webmtest.El(ebml.TrackEntryID, []byte{0xD7, 0x81, i})...)
	}
	docType := webmtest.Text(ebml.DocTypeID, "webm")
	for name, tc := range map[string]struct {
		b    []byte
		want error
		says string // the element and where it is
	}{
		"nothing":            {nil, ebml.ErrNotWebM, "element at byte 0"},
		"one byte":           {webmtest.EBMLStart[:1], ebml.ErrNotWebM, "element at byte 0"},
		"text":               {[]byte("GET / HTTP/1.1\r\n\r\n"), ebml.ErrNotWebM, "at byte 0"},
		"MP4":                {[]byte("\x00\x00\x00\x18ftypmp42"), ebml.ErrNotWebM, "element at byte 0"},
		"ID of all ones":     {[]byte{0xFF, 0x80}, ebml.ErrNotWebM, "at byte 0"},
		"no EBML header":     {webmtest.LiveStart[len(webmtest.EBMLStart):], ebml.ErrNotWebM, "Segment at byte 0"},
		"unsized EBML":       {webmtest.Join(webmtest.Open(ebml.HeaderID), webmtest.LiveStart), ebml.ErrNotWebM, "EBML header at byte 0"},
		"DocType mp4":        {header(webmtest.Text(ebml.DocTypeID, "mp4")), ebml.ErrNotWebM, "DocType at byte 5"},
		"DocType of noise":   {header(webmtest.Text(ebml.DocTypeID, "webm\x01")), ebml.ErrHeader, "DocType at byte 5"},
		"long DocType":       {header(webmtest.Text(ebml.DocTypeID, strings.Repeat("a", 65))), ebml.ErrHeader, "DocType at byte 5"},
		"no DocType":         {header(webmtest.Number(ebml.ReadVersionID, 1)), ebml.ErrNotWebM, "EBML header at byte 0"},
		"EBML 2":             {header(docType, webmtest.Number(ebml.ReadVersionID, 2)), ebml.ErrNotWebM, "EBMLReadVersion at byte 12"},
		"IDs of 5":           {header(docType, webmtest.Number(ebml.MaxIDLengthID, 5)), ebml.ErrNotWebM, "EBMLMaxIDLength at byte 12"},
		"sizes of 9":         {header(docType, webmtest.Number(ebml.MaxSizeLengthID, 9)), ebml.ErrNotWebM, "EBMLMaxSizeLength at byte 12"},
		"Matroska 5":         {header(docType, webmtest.Number(ebml.DocTypeReadVersionID, 5)), ebml.ErrNotWebM, "DocTypeReadVersion at byte 12"},
		"version of 9 bytes": {header(docType, webmtest.El(ebml.DocTypeReadVersionID, make([]byte, 9))), ebml.ErrNotWebM, "DocTypeReadVersion at byte 12"},
		"child overruns":     {header(claim(ebml.DocTypeID, 5), []byte("webm")), ebml.ErrHeader, "DocType at byte 5"},
		"no tracks":          {liveWith(), ebml.ErrHeader, "Cluster at byte 44"},
		"only a header":      {webmtest.EBMLStart, ebml.ErrHeader, "element at byte 32"},
		"ends in Tracks":     {webmtest.LiveStart[:len(webmtest.LiveStart)-1], ebml.ErrHeader, "Tracks at byte"},
		"empty Tracks":       {liveWith(webmtest.El(ebml.TracksID)), ebml.ErrHeader, "Tracks at byte"},
		"unsized Tracks":     {liveWith(webmtest.Open(ebml.TracksID)), ebml.ErrHeader, "Tracks at byte 44"},
		"no number":          {liveWith(webmtest.El(ebml.TracksID, webmtest.El(ebml.TrackEntryID))), ebml.ErrHeader, "TrackEntry at byte 49"},
		"number 0":           {liveWith(webmtest.El(ebml.TracksID, webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, 0)))), ebml.ErrHeader, "TrackEntry at byte 49"},
		"number of 9 bytes":  {liveWith(entryWith(webmtest.El(ebml.TrackNumberID, make([]byte, 9)))), ebml.ErrHeader, "TrackNumber at byte 54"},
		"number twice":       {liveWith(webmtest.El(ebml.TracksID, bytes.Repeat(webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, 7)), 2))), ebml.ErrHeader, "TrackEntry at byte 54"},
		"9 tracks":           {liveWith(webmtest.El(ebml.TracksID, nine)), ebml.ErrTooManyTracks, "TrackEntry at byte 89"},
		"CodecID of noise":   {liveWith(entryWith(webmtest.Text(ebml.CodecIDID, "V_\xFF"))), ebml.ErrHeader, "CodecID at byte 54"},
		"unsized child":      {liveWith(entryWith(webmtest.Open(ebml.VideoID))), ebml.ErrHeader, "Video at byte 54"},
		"child is none":      {liveWith(entryWith([]byte{0x00})), ebml.ErrHeader, "element at byte 54"},
		"child is cut":       {liveWith(entryWith([]byte{0x42})), ebml.ErrHeader, "element at byte 54"},
		"long ID":            {liveWith(entryWith([]byte{0x40, 0x01, 0x80})), ebml.ErrHeader, "element at byte 54"},
		"deep child is none": {liveWith(entryWith(webmtest.El(ebml.VideoID, []byte{0x08}))), ebml.ErrHeader, "element at byte 56"},
		"deep child is odd":  {liveWith(entryWith(webmtest.El(ebml.AudioID, []byte{0x9F}))), ebml.ErrHeader, "element at byte 56"},
		"delay of 2 s":       {liveWith(entryWith(webmtest.Number(ebml.CodecDelayID, 2e9))), ebml.ErrHeader, "CodecDelay at byte 54"},
		"ticks of zero":      {liveWith(webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 0))), ebml.ErrHeader, "TimestampScale at byte 49"},
		"ticks of 2 s":       {liveWith(webmtest.El(ebml.InfoID, webmtest.Number(ebml.TimestampScaleID, 2e9))), ebml.ErrHeader, "TimestampScale at byte 49"},
		"Info is none":       {liveWith(webmtest.El(ebml.InfoID, []byte{0})), ebml.ErrHeader, "element at byte 49"},
		"block before":       {liveWith(webmtest.SimpleBlock(1, 0, 0, 1)), ebml.ErrHeader, "SimpleBlock at byte 44"},
		"garbage":            {liveWith([]byte{0}), ebml.ErrHeader, "element at byte 44"},
		"unknown unsized":    {liveWith(webmtest.Open(0x4FFF)), ebml.ErrHeader, "element 0x4FFF at byte 44"},
	} {
		got, err := sameInPieces(t, read.Config{}, tc.b)
		if !errors.Is(err, tc.want) || !strings.Contains(fmt.Sprint(err), " "+tc.says) || len(got.Frames) > 0 {
			t.Errorf("%s: %v, want %v, %q", name, err, tc.want, tc.says)
		}
	}
}

func TestReaderTracks(t *testing.T) {
	long := make([]byte, 9)
	for name, tc := range map[string]struct {
		entry []byte
		want  ebml.TrackEntry
	}{
		"nothing known": {nil, ebml.TrackEntry{}},
		"other codec":   {webmtest.Text(ebml.CodecIDID, "V_FFV1"), ebml.TrackEntry{CodecID: "V_FFV1"}},
		"padded string": {webmtest.Text(ebml.CodecIDID, "V_VP8\x00\x00"), ebml.TrackEntry{CodecID: "V_VP8", Codec: media.VP8}},
		"compressed":    {webmtest.Join(webmtest.Text(ebml.CodecIDID, "V_VP8"), webmtest.El(ebml.ContentEncodingsID)), ebml.TrackEntry{CodecID: "V_VP8"}},
		"one channel":   {webmtest.Join(webmtest.Text(ebml.CodecIDID, "A_OPUS"), webmtest.El(ebml.AudioID)), ebml.TrackEntry{CodecID: "A_OPUS", Codec: media.Opus, Channels: 1}},
		"300 channels":  {webmtest.El(ebml.AudioID, webmtest.Number(ebml.ChannelsID, 300)), ebml.TrackEntry{}},
		"no height":     {webmtest.El(ebml.VideoID, webmtest.Number(ebml.PixelWidthID, 640)), ebml.TrackEntry{}},
		"huge picture":  {webmtest.El(ebml.VideoID, webmtest.Number(ebml.PixelWidthID, 1<<16), webmtest.Number(ebml.PixelHeightID, 2)), ebml.TrackEntry{}},
		"private":       {webmtest.El(ebml.CodecPrivateID, long), ebml.TrackEntry{CodecPrivate: long}},
		"delay":         {webmtest.Number(ebml.CodecDelayID, 6500000), ebml.TrackEntry{CodecDelay: 6500 * time.Microsecond}},
		"duration":      {webmtest.Number(ebml.DefaultDurationID, 40e6), ebml.TrackEntry{DefaultDuration: 40 * time.Millisecond}},
		"two hours":     {webmtest.Number(ebml.DefaultDurationID, 7200e9), ebml.TrackEntry{}},
	} {
		got, err := sameInPieces(t, read.Config{}, liveWith(entryWith(tc.entry)))
		tc.want.Number = webmtest.LiveVideo
		if err != nil || fmt.Sprintf("%+v", got.Headers) != fmt.Sprintf("%+v", []read.Header{{Tracks: []ebml.TrackEntry{tc.want}}}) {
			t.Errorf("%s: %v, %+v, want %+v", name, err, got.Headers, tc.want)
			continue
		}
		if f := got.Frames[0]; f.Time != -tc.want.CodecDelay || f.Duration != tc.want.DefaultDuration {
			t.Errorf("%s: frame at %v for %v", name, f.Time, f.Duration)
		}
	}
}

// TestReaderBlockNumbers has tracks whose numbers take 1 to 8 bytes.
func TestReaderBlockNumbers(t *testing.T) {
	var entries, blocks [][]byte
	for n := 1; n <= 8; n++ {
		v := uint64(1)<<(7*n) - 2
		entries = append(entries, webmtest.El(ebml.TrackEntryID, webmtest.Number(ebml.TrackNumberID, v)))
		blocks = append(blocks, webmtest.SimpleBlock(v, int16(n), 0, byte(n)))
	}
	got := webmtest.MustReadAll(t, webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID), webmtest.El(ebml.TracksID, entries...), webmtest.LiveCluster(0, blocks...)))
	for i, f := range got.Frames {
		if f.Track != i || int(f.Data[0]) != i+1 {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	if len(got.Frames) != 8 {
		t.Errorf("%d frames", len(got.Frames))
	}
}

func TestReaderHeaderSize(t *testing.T) {
	for name, tc := range map[string]struct {
		c    read.Config
		room int // of a Void in the header
		want error
	}{
		"64 KiB": {read.Config{}, 64<<10 - len(webmtest.EBMLStart) - 12 - len(webmtest.LiveTracks) - 4, nil},
		"more":   {read.Config{}, 64<<10 - len(webmtest.EBMLStart) - 12 - len(webmtest.LiveTracks) - 3, read.ErrHeaderSize},
		"1 MiB":  {read.Config{MaxHeader: 2 << 20}, 1 << 20, nil},
		"little": {read.Config{MaxHeader: 100}, 50, read.ErrHeaderSize},
	} {
		b := liveWith(webmtest.El(ebml.VoidID, make([]byte, tc.room)), webmtest.LiveTracks)
		if got, err := webmtest.ReadAll(t, tc.c, b, 1000); !errors.Is(err, tc.want) || err == nil && len(got.Frames) != 1 {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	// The bound holds behind Tracks as well, for many small elements, and for an
	// EBML header.
	small := bytes.Repeat(webmtest.El(ebml.VoidID), 33000)
	for name, b := range map[string][]byte{
		"many": liveWith(webmtest.LiveTracks, small), "EBML": webmtest.Join(claim(ebml.HeaderID, 1<<20), make([]byte, 100)),
	} {
		if _, err := webmtest.ReadAll(t, read.Config{}, b, 1000); !errors.Is(err, read.ErrHeaderSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVints(t *testing.T) {
	for _, n := range []uint64{0, 1, 126, 127, 1<<14 - 2, 1<<14 - 1, 1<<35 - 1, 1<<49 - 2, ebml.MaxSize} {
		b := ebml.AppendSize(nil, n)
		if v, m, ones, ok := ebml.ParseVint(append(b, 0xFF)); v != n || m != len(b) || ones || !ok {
			t.Errorf("%d: %d in %d bytes, %v, %v", n, v, m, ones, ok)
		}
		if _, _, _, ok := ebml.ParseVint(b[:len(b)-1]); ok {
			t.Errorf("%d: a part is whole", n)
		}
	}
	for _, s := range []string{"\xFF", "\x7F\xFF", ebml.UnknownSize} {
		if _, _, ones, ok := ebml.ParseVint([]byte(s)); !ones || !ok {
			t.Errorf("%x is not all ones", s)
		}
	}
	for s, want := range map[string]bool{
		"\xEC\x80": true, "\x81\x80": true, "\xFE\x80": true, "\x80\x80": false, "\xFF\x80": false,
		"\x40\x7F\x80": true, "\x40\x7E\x80": false, "\x7F\xFF\x80": false, "\x7F\xFE\x80": true,
		"\x20\x3F\xFF\x80": true, "\x20\x3F\xFE\x80": false, "\x10\x1F\xFF\xFF\x80": true, "\x10\x1F\xFF\xFE\x80": false,
	} {
		if more, ok := ebml.HeadNeeds([]byte(s)); more != 0 || !ok {
			t.Errorf("% x needs %d more", s, more)
		}
		if _, ok := ebml.ParseHead([]byte(s)); ok != want {
			t.Errorf("% x is an ID: %v", s, ok)
		}
	}
}
