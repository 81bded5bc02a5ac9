package mp4

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// ErrConfig means that tracks cannot be muxed.
var ErrConfig = errors.New("mp4: cannot be muxed")

// Description declares one track.
type Description struct {
	Codec media.Codec // H264 or Opus
	// Width and Height are the picture's size in pixels.
	Width, Height int
	// Private is the AVCDecoderConfigurationRecord of H264 (ISO/IEC 14496-15 section
	// 5.3.3.1), see codec.H264Private. Frames may have the same parameter sets in
	// them: players look at either, and those that look at one only are all served.
	Private []byte
}

func (t *Description) same(o *Description) bool {
	return t.Width == o.Width && t.Height == o.Height && slices.Equal(t.Private, o.Private)
}

const (
	// maxSide is the largest width or height that a sample entry tells.
	maxSide = 1<<16 - 1
	// leastPrivate is the length of a record without any parameter set.
	leastPrivate = 7
)

func (t *Description) validate() error {
	switch {
	case sampleEntries[t.Codec] == nil:
		return fmt.Errorf("%w: codec %v", ErrConfig, t.Codec)
	case t.Codec.Kind() == media.Audio:
	case len(t.Private) < leastPrivate || t.Private[0] != 1:
		return fmt.Errorf("%w: H264 without AVCDecoderConfigurationRecord", ErrConfig)
	case t.Width <= 0 || t.Height <= 0 || t.Width > maxSide || t.Height > maxSide:
		return fmt.Errorf("%w: a picture of %dx%d", ErrConfig, t.Width, t.Height)
	}
	return nil
}

// scale is how many ticks of the track a second has. Opus wants 48,000
// (Encapsulation of Opus in ISO Base Media File Format, section 4.3). Times come in
// whole milliseconds, of which either rate has a whole number of ticks.
func (t *Description) scale() int64 { return int64(t.Codec.ClockRate()) }

// mime returns the type for a SourceBuffer.
func mime(tracks []Description) string {
	kind := "audio/mp4"
	names := make([]string, len(tracks))
	for i := range tracks {
		if tracks[i].Codec.Kind() == media.Video {
			kind = "video/mp4"
		}
		names[i] = codec.Parameter(tracks[i].Codec, tracks[i].Private)
	}
	return kind + `; codecs="` + strings.Join(names, ",") + `"`
}

// identity is the matrix that changes no picture (ISO/IEC 14496-12 section 6.2.2).
var identity = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

// renderInit returns the initialization segment: ftyp and moov without samples.
func renderInit(tracks []Description) []byte {
	const movieScale = 1000
	movie := [][]byte{fullBox("mvhd", 0, 0,
		zeros(8), u32(movieScale, 0, 0x10000), u16(0x100), zeros(10), identity, zeros(24), u32(uint32(len(tracks)+1)))}
	var extends [][]byte
	for i := range tracks {
		movie = append(movie, tracks[i].trak(uint32(i+1)))
		// Defaults of a sample: the first description; it stands alone.
		extends = append(extends, fullBox("trex", 0, 0, u32(uint32(i+1), 1, 0, 0, flagsAlone)))
	}
	movie = append(movie, box("mvex", extends...))
	return slices.Concat(box("ftyp", []byte("iso6"), u32(0), []byte("iso6mp41")), box("moov", movie...))
}

// trak returns a track's box.
func (t *Description) trak(number uint32) []byte {
	var kind, handler, name []byte
	var width, height, volume uint32
	if t.Codec.Kind() == media.Video {
		kind, handler, name = fullBox("vmhd", 0, 1, zeros(8)), []byte("vide"), []byte("video\x00")
		width, height = uint32(t.Width)<<16, uint32(t.Height)<<16
	} else {
		kind, handler, name = fullBox("smhd", 0, 0, zeros(4)), []byte("soun"), []byte("sound\x00")
		volume = 0x100 << 16
	}
	const enabledInMovie = 3
	const undetermined = 0x55c4 // "und" in five bits each
	return box("trak",
		fullBox("tkhd", 0, enabledInMovie, zeros(8), u32(number, 0, 0), zeros(8), u32(0, volume), identity, u32(width, height)),
		box("mdia",
			fullBox("mdhd", 0, 0, zeros(8), u32(uint32(t.scale()), 0), u16(undetermined, 0)),
			fullBox("hdlr", 0, 0, zeros(4), handler, zeros(12), name),
			box("minf", kind,
				box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1))),
				box("stbl",
					fullBox("stsd", 0, 0, u32(1), sampleEntries[t.Codec](t)),
					fullBox("stts", 0, 0, u32(0)), fullBox("stsc", 0, 0, u32(0)),
					fullBox("stsz", 0, 0, u32(0, 0)), fullBox("stco", 0, 0, u32(0))))))
}

// sampleEntries make what a decoder has to know of a track, by its codec. A codec
// without a row cannot be muxed.
var sampleEntries = map[media.Codec]func(*Description) []byte{media.H264: avc1, media.Opus: opus}

// inThisFile is how a sample entry begins: the data is in this file.
func inThisFile() []byte { return append(zeros(6), u16(1)...) }

// avc1 is ISO/IEC 14496-15 section 5.4.2.
func avc1(t *Description) []byte {
	const dpi72 = 72 << 16
	return box("avc1", inThisFile(), zeros(16), u16(uint16(t.Width), uint16(t.Height)), u32(dpi72, dpi72), zeros(4),
		u16(1), zeros(32), u16(24, 0xffff), box("avcC", t.Private))
}

// opus is Encapsulation of Opus in ISO Base Media File Format, section 4.3. There is no
// pre-skip, as in webm: these packets do not come from the beginning of an encoder's
// output.
func opus(t *Description) []byte {
	channels, rate := t.Codec.Channels(), t.Codec.ClockRate()
	private := slices.Concat([]byte{0, byte(channels)}, u16(0), u32(rate), u16(0), []byte{0})
	return box("Opus", inThisFile(), zeros(8), u16(uint16(channels), 16), zeros(4), u32(rate<<16), box("dOps", private))
}
