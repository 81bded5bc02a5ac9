package codec

import "weir/sfu/media"

// formats is the table of [For]: one row for each codec, indexed by it. A new
// codec is a row here and the functions that it names.
var formats = [...]Format{
	media.Opus: {
		// useinbandfec lets the encoder repeat a lost packet's sound in the next one
		// (RFC 7587 section 7).
		Negotiation:     Negotiation{Name: "opus", PayloadType: 111, Parameters: "minptime=10;useinbandfec=1"},
		MatroskaID:      "A_OPUS",
		Inspect:         inspectOpus,
		FrameDuration:   OpusDuration,
		Channels:        OpusChannels,
		ReadHead:        ReadOpusHead,
		NewFiller:       func() *OpusFiller { return &OpusFiller{} },
		NewPacketizer:   newOpusPacketizer,
		NewDepacketizer: newOpusDepacketizer,
	},
	media.VP9: {
		Negotiation:     Negotiation{Name: "VP9", PayloadType: 98, Repair: 99, Parameters: "profile-id=0", Variant: vp9Variant{}},
		MatroskaID:      "V_VP9",
		Parameter:       vp9Parameter,
		Inspect:         inspectVP9,
		Keyframe:        VP9Keyframe,
		FrameSize:       VP9Size,
		CodecPrivate:    VP9Private,
		LayerSize:       vp9LayerSize,
		NewStill:        func() Still { return &vp9Still{} },
		NewPacketizer:   newVP9Packetizer,
		NewDepacketizer: newVP9Depacketizer,
	},
	media.AV1: {
		Negotiation:     Negotiation{Name: "AV1", PayloadType: 45, Repair: 46, Parameters: "profile=0", Variant: av1Variant{}},
		MatroskaID:      "V_AV1",
		Parameter:       av1Parameter,
		NeedsPrivate:    true,
		Inspect:         inspectAV1,
		Keyframe:        AV1Keyframe,
		FrameSize:       AV1Size,
		NewStill:        func() Still { return &av1Still{} },
		CodecPrivate:    AV1Private,
		Holds:           av1Holds,
		NewPacketizer:   newAV1Packetizer,
		NewDepacketizer: newAV1Depacketizer,
	},
	media.H264: {
		Negotiation: Negotiation{Name: "H264", PayloadType: 102, Repair: 103, Variant: h264Variant{},
			Parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
		MatroskaID:      "V_MPEG4/ISO/AVC",
		MatroskaOnly:    true,
		Parameter:       h264Parameter,
		NeedsPrivate:    true,
		Inspect:         inspectH264,
		Keyframe:        H264Keyframe,
		FrameSize:       H264Size,
		SetSize:         h264PayloadSize,
		NewStill:        func() Still { return &h264Still{} },
		CodecPrivate:    H264Private,
		Holds:           h264Holds,
		NewStored:       NewH264Stored,
		NewSets:         func() *ParameterSets { return &ParameterSets{} },
		NewPacketizer:   newH264Packetizer,
		NewDepacketizer: newH264Depacketizer,
	},
	media.VP8: {
		Negotiation:     Negotiation{Name: "VP8", PayloadType: 96, Repair: 97},
		MatroskaID:      "V_VP8",
		Inspect:         inspectVP8,
		Keyframe:        VP8Keyframe,
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

// All returns the codecs that weir knows, in the order of their numbers.
func All() (all []media.Codec) {
	for c := range formats {
		if formats[c].Inspect != nil {
			all = append(all, media.Codec(c))
		}
	}
	return all
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
