package webm

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

// checkEBML checks an EBML header (RFC 8794 section 11.2) that begins at the
// offset at and whose data begin at the offset dataAt. An error wraps ErrNotWebM
// or ErrHeader.
func checkEBML(data []byte, at, dataAt int64) error {
	seen := false
	err := eachChild(data, dataAt, func(c child) error {
		limit := uint64(1)
		switch c.id {
		case docTypeID:
			seen = true
			kind, err := c.text(maxCodecID)
			if err == nil && kind != "webm" && kind != "matroska" {
				err = c.id.fail(ErrNotWebM, c.at, strconv.Quote(kind)+" is not webm or matroska")
			}
			return err
		case ebmlReadVersionID:
		case ebmlMaxIDLengthID:
			limit = maxIDBytes
		case ebmlMaxSizeLengthID:
			limit = maxSizeBytes
		case docTypeReadVersionID:
			limit = newestMatroska
		default:
			return nil
		}
		if v, ok := bigEndian(c.data); !ok || v > limit {
			return c.id.fail(ErrNotWebM, c.at, "is more than "+strconv.FormatUint(limit, 10))
		}
		return nil
	})
	if err == nil && !seen {
		err = ebmlID.fail(ErrNotWebM, at, "has no DocType")
	}
	return err
}
