package webm

import (
	"fmt"

	"weir/sfu/media"
)

// codecString names the codec of a track as players want it (RFC 6381 section 3),
// with the variant, as far as the CodecPrivate tells it.
func codecString(t Track) string {
	private := t.CodecPrivate
	switch {
	case t.Codec == media.AV1 && len(private) >= 3:
		return av1String(private)
	case t.Codec == media.VP9 && len(private) >= 3 && private[0] == 1 && private[2] != 0:
		// Of profiles above 0 players want to know more: level 1.0 is the least that
		// can be asked for, and the depth is the second feature, if it is told.
		depth := byte(10)
		if len(private) >= 6 && private[3] == 3 && private[4] == 1 {
			depth = private[5]
		}
		return fmt.Sprintf("vp09.%02d.10.%02d", private[2], depth)
	}
	return t.Codec.String()
}

// av1String makes a codecs parameter of an AV1CodecConfigurationRecord (AV1 Codec
// ISO Media File Format Binding, sections 2.3.3 and 5).
func av1String(private []byte) string {
	profile, level := private[1]>>5, private[1]&0x1f
	tier, depth := "M", 8
	if private[2]&0x80 != 0 {
		tier = "H"
	}
	switch {
	case private[2]&0x60 == 0x60:
		depth = 12
	case private[2]&0x40 != 0:
		depth = 10
	}
	return fmt.Sprintf("av01.%d.%02d%s.%02d", profile, level, tier, depth)
}
