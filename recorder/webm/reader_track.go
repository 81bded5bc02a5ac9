package webm

import (
	"bytes"
	"time"

	"weir/sfu/media"
)

// readEntry reads a TrackEntry (RFC 9559 section 5.1.4.1).
func readEntry(entry child) (TrackEntry, error) {
	var t TrackEntry
	encoded := false
	err := eachChild(entry.data, entry.dataAt, func(c child) (err error) {
		var v uint64
		switch c.id {
		case trackNumberID:
			t.Number, err = c.uint(1<<56 - 2)
		case codecIDID:
			t.CodecID, err = c.text(maxCodecID)
		case codecPrivateID:
			t.CodecPrivate = bytes.Clone(c.data)
		case defaultDurationID:
			if v, err = c.uint(1<<64 - 1); v <= uint64(maxDefaultDuration) {
				t.DefaultDuration = time.Duration(v)
			}
		case codecDelayID:
			v, err = c.uint(uint64(maxCodecDelay))
			t.CodecDelay = time.Duration(v)
		case contentEncodingsID:
			encoded = true
		case videoID:
			t.Width, t.Height, err = readVideo(c)
		case audioID:
			t.Channels, err = readAudio(c)
		}
		return err
	})
	if err == nil && t.Number == 0 {
		err = entry.id.fail(ErrHeader, entry.at, "has no number")
	}
	// Compressed or encrypted frames (section 5.1.4.1.31) are not what the codec's
	// name says.
	if !encoded {
		t.Codec = codecByID(t.CodecID)
	}
	return t, err
}

// idOfCodec has the names of codecs in Matroska (RFC 9559 section 5.1.4.1.22).
var idOfCodec = map[media.Codec]string{
	media.VP8: "V_VP8", media.VP9: "V_VP9", media.AV1: "V_AV1", media.H264: "V_MPEG4/ISO/AVC", media.Opus: "A_OPUS",
}

// codecByID returns the codec with an ID of Matroska's list, or zero.
func codecByID(id string) media.Codec {
	for c, name := range idOfCodec {
		if name == id {
			return c
		}
	}
	return 0
}

// readVideo reads the picture size from a Video element. One that cannot be is
// left out: it does not matter for decoding.
func readVideo(video child) (width, height int, err error) {
	var w, h uint64
	err = eachChild(video.data, video.dataAt, func(c child) (err error) {
		switch c.id {
		case pixelWidthID:
			w, err = c.uint(1<<64 - 1)
		case pixelHeightID:
			h, err = c.uint(1<<64 - 1)
		}
		return err
	})
	if w > maxDimension || h > maxDimension || w == 0 || h == 0 {
		return 0, 0, err
	}
	return int(w), int(h), err
}

// readAudio reads the number of channels from an Audio element.
func readAudio(audio child) (channels int, err error) {
	n := uint64(1) // what it means when it is absent
	err = eachChild(audio.data, audio.dataAt, func(c child) (err error) {
		if c.id == channelsID {
			n, err = c.uint(1<<64 - 1)
		}
		return err
	})
	if n > 255 {
		n = 0
	}
	return int(n), err
}
