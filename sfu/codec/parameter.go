package codec

import (
	"fmt"

	"weir/sfu/media"
)

// vp9Parameter makes a codecs parameter of a VP Codec Feature Metadata (WebM, "VP9
// CodecPrivate"). Players take profile 0 by the name of the codec.
func vp9Parameter(private []byte) string {
	if len(private) < 3 || private[0] != 1 || private[2] == 0 {
		return media.VP9.String()
	}
	// Of profiles above 0 players want to know more: level 1.0 is the least that
	// can be asked for, and the depth is the second feature, if it is told.
	depth := byte(10)
	if len(private) >= 6 && private[3] == 3 && private[4] == 1 {
		depth = private[5]
	}
	return fmt.Sprintf("vp09.%02d.10.%02d", private[2], depth)
}

// av1Parameter makes a codecs parameter of an AV1CodecConfigurationRecord (AV1 Codec
// ISO Media File Format Binding, sections 2.3.3 and 5).
func av1Parameter(private []byte) string {
	if len(private) < 3 {
		return media.AV1.String()
	}
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

// h264Parameter makes a codecs parameter of an AVCDecoderConfigurationRecord (RFC 6381
// section 3.3): profile, constraints and level.
func h264Parameter(private []byte) string {
	if len(private) < 4 {
		return media.H264.String()
	}
	return fmt.Sprintf("avc1.%02x%02x%02x", private[1], private[2], private[3])
}
