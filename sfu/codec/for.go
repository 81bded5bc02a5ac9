package codec

import "weir/sfu/media"

// formats is the table of [For]: one row for each codec, indexed by it. A new
// codec is a row here and the functions that it names.
var formats = [...]Format{
	media.Opus: {
		Inspect:         inspectOpus,
		FrameDuration:   OpusDuration,
		NewFiller:       func() *OpusFiller { return &OpusFiller{} },
		NewPacketizer:   newOpusPacketizer,
		NewDepacketizer: newOpusDepacketizer,
	},
	media.VP9: {
		Inspect:         inspectVP9,
		FrameSize:       VP9Size,
		CodecPrivate:    VP9Private,
		LayerSize:       vp9LayerSize,
		NewStill:        func() Still { return &vp9Still{} },
		NewPacketizer:   newVP9Packetizer,
		NewDepacketizer: newVP9Depacketizer,
	},
	media.AV1: {
		Inspect:         inspectAV1,
		FrameSize:       AV1Size,
		NewStill:        func() Still { return &av1Still{} },
		CodecPrivate:    AV1Private,
		Holds:           av1Holds,
		NewPacketizer:   newAV1Packetizer,
		NewDepacketizer: newAV1Depacketizer,
	},
	media.H264: {
		Inspect:         inspectH264,
		FrameSize:       H264Size,
		NewStill:        func() Still { return &h264Still{} },
		CodecPrivate:    H264Private,
		Holds:           h264Holds,
		NewSets:         func() *ParameterSets { return &ParameterSets{} },
		NewPacketizer:   newH264Packetizer,
		NewDepacketizer: newH264Depacketizer,
	},
	media.VP8: {
		Inspect:         inspectVP8,
		FrameSize:       VP8Size,
		NewStill:        func() Still { return &vp8Still{} },
		NewPacketizer:   newVP8Packetizer,
		NewDepacketizer: newVP8Depacketizer,
	},
}

// For returns the format of c, or false when weir does not know c.
func For(c media.Codec) (Format, bool) {
	if int(c) >= len(formats) || formats[c].Inspect == nil {
		return Format{}, false
	}
	return formats[c], true
}
