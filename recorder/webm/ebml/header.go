package ebml

import (
	"strconv"
	"time"
)

// Limits of what a header may say.
const (
	maxTick            = time.Second
	maxCodecID         = 64 // bytes
	maxDefaultDuration = time.Minute
	maxCodecDelay      = time.Second
	// newestMatroska is the DocTypeReadVersion up to which RFC 9559 tells how to
	// read (section 4).
	newestMatroska = 4
)

// CheckHeader checks an EBML header (RFC 8794 section 11.2) that begins at the
// offset at and whose data begin at the offset dataAt. An error wraps ErrNotWebM
// or ErrHeader.
func CheckHeader(data []byte, at, dataAt int64) error {
	seen := false
	err := EachChild(data, dataAt, func(c Child) error {
		limit := uint64(1)
		switch c.ID {
		case DocTypeID:
			seen = true
			kind, err := c.text(maxCodecID)
			if err == nil && kind != "webm" && kind != "matroska" {
				err = c.ID.Fail(ErrNotWebM, c.At, strconv.Quote(kind)+" is not webm or matroska")
			}
			return err
		case ReadVersionID:
		case MaxIDLengthID:
			limit = maxIDBytes
		case MaxSizeLengthID:
			limit = MaxSizeBytes
		case DocTypeReadVersionID:
			limit = newestMatroska
		default:
			return nil
		}
		if v, ok := Uint(c.Data); !ok || v > limit {
			return c.ID.Fail(ErrNotWebM, c.At, "is more than "+strconv.FormatUint(limit, 10))
		}
		return nil
	})
	if err == nil && !seen {
		err = HeaderID.Fail(ErrNotWebM, at, "has no DocType")
	}
	return err
}
