package picture

import (
	"bytes"
	"fmt"
	"image/jpeg"
)

// Check reports what is wrong with a JPEG that a client has made: the error wraps
// ErrTooLarge or ErrBroken. It reads the heads of the file, not the picture.
func Check(data []byte) error {
	if len(data) > MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d are taken", ErrTooLarge, len(data), MaxBytes)
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if config.Width == 0 || config.Height == 0 {
		return fmt.Errorf("%w: it has no pixels", ErrBroken)
	}
	if max(config.Width, config.Height) > MaxSide {
		return fmt.Errorf("%w: %d x %d, at most %d pixels are taken on each side", ErrTooLarge, config.Width, config.Height, MaxSide)
	}
	return nil
}
