package sfutest

import _ "embed"

// Keyframes of VP8 that are pictures, as libvpx makes them.
var (
	// Keyframe180 is one of 320 x 180.
	//go:embed testdata/keyframe_180.vp8
	Keyframe180 []byte
	// Keyframe720 is one of 1280 x 720.
	//go:embed testdata/keyframe_720.vp8
	Keyframe720 []byte
)
