package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/vp8"

	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// MaxPixels is how large a picture may be that is decoded: 3840 x 2160, which takes
	// about as long as nine of 1280 x 720.
	MaxPixels = 3840 * 2160
	// MaxSide is how wide and how high a JPEG is at most.
	MaxSide = 640
	// MaxBytes is how many bytes a JPEG has at most.
	MaxBytes = 64 << 10
)

var (
	// ErrTooLarge means that a picture has too many pixels to be decoded, or too many
	// bytes to be kept.
	ErrTooLarge = errors.New("picture: too large")
	// ErrBroken means that a picture cannot be decoded.
	ErrBroken = errors.New("picture: cannot be decoded")
)

// Decodes reports whether pictures can be made of a codec's keyframes, by FromVP8.
func Decodes(c media.Codec) bool { return c == media.VP8 }

// FromVP8 makes a JPEG of a keyframe of VP8, no side of which is longer than MaxSide.
// The error wraps ErrTooLarge or ErrBroken.
func FromVP8(keyframe []byte) ([]byte, error) {
	width, height, ok := codec.VP8Size(keyframe)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: it is no keyframe of VP8", ErrBroken)
	case width*height > MaxPixels:
		return nil, fmt.Errorf("%w: %d x %d", ErrTooLarge, width, height)
	}
	decoded, err := decodeVP8(keyframe)
	if err != nil {
		return nil, err
	}
	return encode(shrink(decoded, MaxSide))
}

// decodeVP8 decodes a keyframe.
func decodeVP8(keyframe []byte) (*image.YCbCr, error) {
	return guard(func() (*image.YCbCr, error) {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(keyframe), len(keyframe))
		if _, err := d.DecodeFrameHeader(); err != nil {
			return nil, err
		}
		return d.DecodeFrame()
	})
}

// guard makes an error of a panic. The decoder was written for files that somebody has
// chosen to open: what it does with a stream that was made to break it is not for the
// rest of the program to bear.
func guard(decode func() (*image.YCbCr, error)) (decoded *image.YCbCr, err error) {
	defer func() {
		if p := recover(); p != nil {
			decoded, err = nil, fmt.Errorf("%w: the decoder panicked: %v", ErrBroken, p)
		}
	}()
	if decoded, err = decode(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return decoded, nil
}

// qualities are those at which a picture is tried, until it is small enough: nearly
// always the first one does.
var qualities = [...]int{75, 55, 35, 15}

// encode makes a JPEG.
func encode(m *image.YCbCr) ([]byte, error) {
	for _, quality := range qualities {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
			return nil, fmt.Errorf("picture: %w", err)
		}
		if out.Len() <= MaxBytes {
			return out.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
}
