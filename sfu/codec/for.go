package codec

import "weir/sfu/media"

// formats is the table of [For]: one row for each codec, indexed by it. A new
// codec is a row here and the functions that it names.
var formats = [...]Format{
	media.Opus: {
		MatroskaID:      "A_OPUS",
		Inspect:         inspectOpus,
		FrameDuration:   OpusDuration,
		NewFiller:       func() *OpusFiller { return &OpusFiller{} },
		NewPacketizer:   newOpusPacketizer,
		NewDepacketizer: newOpusDepacketizer,
	},
	media.VP9: {
		MatroskaID:      "V_VP9",
		Parameter:       vp9Parameter,
		Inspect:         inspectVP9,
		FrameSize:       VP9Size,
		CodecPrivate:    VP9Private,
		LayerSize:       vp9LayerSize,
		NewStill:        func() Still { return &vp9Still{} },
		NewPacketizer:   newVP9Packetizer,
		NewDepacketizer: newVP9Depacketizer,
	},
	media.AV1: {
		MatroskaID:      "V_AV1",
		Parameter:       av1Parameter,
		NeedsPrivate:    true,
		Inspect:         inspectAV1,
		FrameSize:       AV1Size,
		NewStill:        func() Still { return &av1Still{} },
		CodecPrivate:    AV1Private,
		Holds:           av1Holds,
		NewPacketizer:   newAV1Packetizer,
		NewDepacketizer: newAV1Depacketizer,
	},
	media.H264: {
		MatroskaID:      "V_MPEG4/ISO/AVC",
		MatroskaOnly:    true,
		Parameter:       h264Parameter,
		NeedsPrivate:    true,
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
		MatroskaID:      "V_VP8",
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

// ByMatroskaID returns the codec with that Format.MatroskaID, or zero.
func ByMatroskaID(id string) media.Codec {
	for c := range formats {
		if formats[c].Inspect != nil && formats[c].MatroskaID == id {
			return media.Codec(c)
		}
	}
	return 0
}

// Parameter names a codec for players: see Format.Parameter.
func Parameter(c media.Codec, private []byte) string {
	if format, ok := For(c); ok && format.Parameter != nil {
		return format.Parameter(private)
	}
	return c.String()
}
