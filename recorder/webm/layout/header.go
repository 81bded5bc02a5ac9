package layout

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"time"

	"weir/recorder/webm/ebml"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// timestampScale makes a tick of the file a millisecond, as WebM wants it.
	timestampScale = uint64(time.Millisecond)
	// seekPreRoll is how long before its target an Opus decoder has to start to
	// be in tune (RFC 7845 section 4.6).
	seekPreRoll = uint64(80 * time.Millisecond)
	// A picture must have a size (RFC 9559 section 5.1.4.1.28.6), and Chromium
	// refuses a track without. These stand in until SetSize; decoders go by the
	// first keyframe.
	UnknownWidth, UnknownHeight = 640, 360
)

// Layout is where the header's changeable places are, in bytes from the start of the
// file; seekRoom and indexRoom are lengths.
type Layout struct {
	SegmentSize int64 // the 8 bytes of the Segment's size
	Segment     int64 // the Segment's data: the origin of all positions in the file
	SeekHead    int64 // Void of seekRoom bytes
	SeekRoom    int
	Info        int64
	Duration    int64 // Void of durationBytes, the last child of Info
	Tracks      int64
	entries     []int64 // each TrackEntry; its first byte is its ID
	Sizes       []int64 // sizeBytes of each track; 0 if it has no picture
	Privates    []int64 // Void of privateRoom bytes of each track; 0 if it has none
	Index       int64   // Void of indexRoom bytes for Cues
	IndexRoom   int
	end         int64 // the first Cluster
}

// About is what a file says of itself: see Config.
type About struct {
	Date              time.Time
	Title, WritingApp string
}

// RenderHeader returns everything that precedes the first Cluster, with room for an
// index of indexReserve bytes.
func RenderHeader(about About, indexReserve int, tracks []ebml.TrackEntry) ([]byte, Layout, error) {
	var l Layout
	b, err := renderEBML(tracks)
	if err != nil {
		return nil, l, err
	}
	b = ebml.AppendID(b, ebml.SegmentID)
	l.SegmentSize = int64(len(b))
	b = append(b, ebml.UnknownSize...)
	l.Segment = int64(len(b))
	l.SeekHead, l.SeekRoom = l.Segment, SeekHeadBytes
	b = ebml.AppendVoid(b, SeekHeadBytes)

	inf, err := renderInfo(about)
	if err != nil {
		return nil, l, err
	}
	l.Info = int64(len(b))
	b = append(b, inf...)
	l.Duration = int64(len(b) - ebml.DurationBytes)

	if b, err = appendTracks(b, tracks, &l); err != nil {
		return nil, l, err
	}
	l.Index = int64(len(b))
	l.IndexRoom = ebml.VoidHead + max(indexReserve-ebml.VoidHead, 0)/CueBytes*CueBytes
	b = ebml.AppendVoid(b, l.IndexRoom)
	l.end = int64(len(b))
	return b, l, nil
}

// renderEBML returns the EBML header, with which every file and stream begins.
func renderEBML(tracks []ebml.TrackEntry) ([]byte, error) {
	docType := "webm"
	if ebml.Container(tracks) == "mkv" {
		docType = "matroska"
	}
	return marshal(&struct {
		EBML ebmlHeader `ebml:"EBML"`
	}{ebmlHeader{
		EBMLVersion: 1, EBMLReadVersion: 1, EBMLMaxIDLength: 4, EBMLMaxSizeLength: 8,
		// SeekPreRoll is of version 4; a reader that knows SimpleBlock (version 2) will
		// do.
		DocType: docType, DocTypeVersion: 4, DocTypeReadVersion: 2,
	}})
}

// renderInfo returns the Info element, which ends with durationBytes of Void.
func renderInfo(about About) ([]byte, error) {
	var date *time.Time
	if !about.Date.IsZero() {
		date = &about.Date
	}
	return marshal(&struct {
		Info info `ebml:"Info"`
	}{info{
		TimecodeScale: timestampScale,
		Title:         strings.ToValidUTF8(about.Title, "\uFFFD"),
		MuxingApp:     ebml.MuxingApp,
		WritingApp:    strings.ToValidUTF8(about.WritingApp, "\uFFFD"),
		DateUTC:       date,
		Void:          make([]byte, ebml.DurationBytes-2),
	}})
}

// appendTracks appends the Tracks element and notes in l where its parts are.
func appendTracks(b []byte, tracks []ebml.TrackEntry, l *Layout) ([]byte, error) {
	var body []byte
	starts := make([]int, len(tracks))
	ends := make([]int, len(tracks))
	for i := range tracks {
		t := &tracks[i]
		entry, err := marshal(&struct {
			TrackEntry trackEntry `ebml:"TrackEntry"`
		}{renderEntry(t, i+1)})
		if err != nil {
			return nil, err
		}
		starts[i] = len(body)
		body = append(body, entry...)
		ends[i] = len(body)
	}
	l.Tracks = int64(len(b))
	b = ebml.AppendID(b, ebml.TracksID)
	b = ebml.AppendSize(b, uint64(len(body)))
	origin := int64(len(b))
	for i := range tracks {
		t := &tracks[i]
		l.entries = append(l.entries, origin+int64(starts[i]))
		var size int64
		if t.Codec.Kind() == media.Video {
			size = origin + int64(ends[i]-ebml.SizeBytes)
		}
		l.Sizes = append(l.Sizes, size)
		var private int64
		if later(t) {
			private = size - videoHead - PrivateRoom
		}
		l.Privates = append(l.Privates, private)
	}
	return append(b, body...), nil
}

// renderEntry returns the TrackEntry of t, which gets the given number.
func renderEntry(t *ebml.TrackEntry, number int) trackEntry {
	format, _ := codec.For(t.Codec)
	e := trackEntry{
		TrackNumber: uint64(number),
		// A UID is unique and not zero (RFC 9559 section 5.1.4.1.2). The number in
		// the lowest bits keeps two tracks of a file apart for certain.
		TrackUID: rand.Uint64()>>8&^(1<<7-1) | uint64(number),
		Name:     strings.ToValidUTF8(t.Name, "\uFFFD"),
		Language: "und", // when absent it would mean "eng"
		CodecID:  format.MatroskaID,

		DefaultDuration: uint64(t.DefaultDuration),
	}
	if t.Codec.Kind() == media.Video {
		e.TrackType = 1
		e.CodecPrivate = t.CodecPrivate
		if later(t) {
			e.Void = make([]byte, PrivateRoom-3) // behind an ID of one byte and a size of two
		}
		e.Video = &video{UnknownWidth, UnknownHeight}
		if t.Width != 0 {
			e.Video = &video{uint64(t.Width), uint64(t.Height)}
		}
		return e
	}
	channels := cmp.Or(t.Channels, t.Codec.Channels())
	e.TrackType = 2
	e.CodecPrivate = OpusHead(channels)
	e.SeekPreRoll = seekPreRoll
	e.Audio = &audio{SamplingFrequency: float64(t.Codec.ClockRate()), Channels: uint64(channels)}
	return e
}

// OpusHead returns the CodecPrivate of an Opus track: an identification header
// (RFC 7845 section 5.1) for one or two channels in mapping family 0.
//
// Its pre-skip is zero, and so the TrackEntry has no CodecDelay, which must
// equal it. Both tell how much of the very beginning of an encoder's output is
// lead-in to be cut off, and CodecDelay is subtracted from every block's time.
// These blocks do not come from the beginning of an encoder's output but from
// somewhere in a running stream, with the time at which a receiver is to play
// them. With 312 samples (6.5 ms) here, ffmpeg cuts 6.5 ms of wanted sound and
// moves all audio to 7 ms earlier against the video, half a millisecond of it by
// rounding to the file's ticks. Chromium's own recorder declares zero too.
func OpusHead(channels int) []byte {
	const version, rate = 1, 48000
	b := append([]byte("OpusHead"), version, byte(channels))
	b = append(b, 0, 0)                                 // pre-skip
	b = append(b, rate&0xFF, rate>>8&0xFF, rate>>16, 0) // input sample rate, little endian
	b = append(b, 0, 0)                                 // output gain
	return append(b, 0)                                 // mapping family
}

// later reports whether there is to be room for the track's CodecPrivate.
func later(t *ebml.TrackEntry) bool {
	return t.PrivateLater && len(t.CodecPrivate) == 0 && t.Codec.Kind() == media.Video
}

// PrivateRoom is how long a CodecPrivate with its head may be that is told later, in
// bytes: some ten times what codecs need.
const PrivateRoom = 1024

// videoHead is the length of a Video's ID and size.
const videoHead = 1 + 1
