package ebml

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// TrackEntry is one track, as the header of a file or a stream declares it (RFC 9559
// section 5.1.4.1). A Writer and a Live set CodecID, Kind and Number themselves, and
// know no CodecDelay.
type TrackEntry struct {
	// Codec is zero if it is none that weir knows.
	Codec media.Codec
	// Kind is what TrackType says; zero if it is neither sound nor pictures.
	Kind media.Kind
	// Number is what blocks call the track: not zero, unique, and in any order.
	Number uint64
	// CodecID is the name of the codec, "V_VP8": printable ASCII, up to 64 bytes.
	CodecID string
	// Name is what players show in their list of tracks, if not empty. It is not read.
	Name string
	// Width and Height are a video track's picture size in pixels; zero if not known,
	// see webm.Writer.SetSize. A MediaRecorder's header goes stale when the picture changes
	// its size; keyframes tell the truth.
	Width, Height int
	// Channels is an audio track's number of channels. Read: what the stream claims, 0
	// if it does not. Written: 0 for what the codec has, see media.Codec.Channels, or 1.
	Channels int
	// CodecPrivate is what the codec wants to be said ahead of its frames (RFC 9559
	// section 5.1.4.1.22): for AV1 and H264 it is needed, for VP9 it may be nil, VP8
	// has none. See codec.Format. Of Opus it is an OpusHead, which a Writer makes.
	CodecPrivate []byte
	// PrivateLater keeps room for a CodecPrivate that is not known yet: see
	// webm.Writer.SetPrivate. It is not read.
	PrivateLater bool
	// DefaultDuration is how long each frame lasts, or zero if it is not given or
	// is more than a minute.
	DefaultDuration time.Duration
	// CodecDelay is what the codec's lead-in takes. It is already subtracted from
	// the times of the frames (RFC 9559 section 5.1.4.1.25).
	CodecDelay time.Duration
}

// Carries reports whether the track is of a kind, by its TrackType or its codec.
func (t *TrackEntry) Carries(kind media.Kind) bool {
	return t.Kind == kind || t.Codec != 0 && t.Codec.Kind() == kind
}

// Encoded reports whether the frames are of a codec that weir knows, but compressed
// or encrypted by the container (ContentEncodings, RFC 9559 section 5.1.4.1.31).
func (t *TrackEntry) Encoded() bool { return t.Codec == 0 && codec.ByMatroskaID(t.CodecID) != 0 }

// MaxDimension is the largest width or height of a picture: what the 16 bits
// reserved in the header tell. VP8 ends at 16383 (RFC 6386 section 9.1).
const MaxDimension = 1<<16 - 1

// EachTrack calls f for the tracks that Tracks declares (RFC 9559 section 5.1.4), and
// for where their TrackEntries begin. Tracks begins at the offset at, its data at the
// offset dataAt, and it may declare at most limit tracks. An error wraps ErrHeader or
// ErrTooManyTracks.
func EachTrack(data []byte, at, dataAt int64, limit int, f func(t TrackEntry, at int64)) error {
	numbers := make([]uint64, 0, 4)
	err := EachChild(data, dataAt, func(c Child) error {
		if c.ID != TrackEntryID {
			return nil
		}
		if len(numbers) == limit {
			return c.ID.Fail(ErrTooManyTracks, c.At, "is one more than "+strconv.Itoa(limit))
		}
		t, err := parseEntry(c)
		if err != nil {
			return err
		}
		if slices.Contains(numbers, t.Number) {
			return c.ID.Fail(ErrHeader, c.At, "has the number of another track")
		}
		numbers = append(numbers, t.Number)
		f(t, c.At)
		return nil
	})
	if err == nil && len(numbers) == 0 {
		err = TracksID.Fail(ErrHeader, at, "has no track")
	}
	return err
}

// parseEntry parses a TrackEntry (RFC 9559 section 5.1.4.1).
func parseEntry(entry Child) (TrackEntry, error) {
	var t TrackEntry
	encoded := false
	err := EachChild(entry.Data, entry.DataAt, func(c Child) (err error) {
		var v uint64
		switch c.ID {
		case TrackNumberID:
			t.Number, err = c.uint(1<<56 - 2)
		case TrackTypeID:
			t.Kind = kindOf(c)
		case CodecIDID:
			t.CodecID, err = c.text(maxCodecID)
		case CodecPrivateID:
			t.CodecPrivate = bytes.Clone(c.Data)
		case DefaultDurationID:
			if v, err = c.uint(1<<64 - 1); v <= uint64(maxDefaultDuration) {
				t.DefaultDuration = time.Duration(v)
			}
		case CodecDelayID:
			v, err = c.uint(uint64(maxCodecDelay))
			t.CodecDelay = time.Duration(v)
		case ContentEncodingsID:
			encoded = true
		case VideoID:
			t.Width, t.Height, err = parseVideo(c)
		case AudioID:
			t.Channels, err = parseAudio(c)
		}
		return err
	})
	if err == nil && t.Number == 0 {
		err = entry.ID.Fail(ErrHeader, entry.At, "has no number")
	}
	// Compressed or encrypted frames (section 5.1.4.1.31) are not what the codec's
	// name says.
	if !encoded {
		t.Codec = codec.ByMatroskaID(t.CodecID)
	}
	return t, err
}

// kindOf returns what a TrackType means.
func kindOf(c Child) media.Kind {
	switch v, _ := Uint(c.Data); v {
	case 1:
		return media.Video
	case 2:
		return media.Audio
	}
	return 0
}

// parseVideo returns the picture size of a Video element. One that cannot be is
// left out: it does not matter for decoding.
func parseVideo(video Child) (width, height int, err error) {
	var w, h uint64
	err = EachChild(video.Data, video.DataAt, func(c Child) (err error) {
		switch c.ID {
		case PixelWidthID:
			w, err = c.uint(1<<64 - 1)
		case PixelHeightID:
			h, err = c.uint(1<<64 - 1)
		}
		return err
	})
	if w > MaxDimension || h > MaxDimension || w == 0 || h == 0 {
		return 0, 0, err
	}
	return int(w), int(h), err
}

// parseAudio returns the number of channels of an Audio element.
func parseAudio(audio Child) (channels int, err error) {
	n := uint64(1) // what it means when it is absent
	err = EachChild(audio.Data, audio.DataAt, func(c Child) (err error) {
		if c.ID == ChannelsID {
			n, err = c.uint(1<<64 - 1)
		}
		return err
	})
	if n > 255 {
		n = 0
	}
	return int(n), err
}

// Container returns the kind of file that tracks make: "webm", or "mkv" (Matroska)
// where WebM does not have one of their codecs.
func Container(tracks []TrackEntry) string {
	for i := range tracks {
		if format, _ := codec.For(tracks[i].Codec); format.MatroskaOnly {
			return "mkv"
		}
	}
	return "webm"
}
