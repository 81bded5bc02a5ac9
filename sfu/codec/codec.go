package codec

import (
	"time"

	"weir/sfu/media"
)

// Format is what weir knows of one codec.
type Format struct {
	// Inspect returns where an RTP payload stands in its frame.
	Inspect func(payload []byte) Position
	// Negotiation is how SDP speaks of the codec.
	Negotiation Negotiation
	// Keyframe reports whether a decoder can start at a coded picture. Nil for audio,
	// which can be decoded from anywhere.
	Keyframe func(frame []byte) bool
	// SetSize returns the picture size that an RTP payload of parameter sets tells, else
	// zeros. Nil where there are none.
	SetSize func(payload []byte) (width, height int)
	// FrameSize returns the picture size that a coded keyframe tells. Nil for audio.
	FrameSize func(frame []byte) (width, height int, ok bool)
	// FrameDuration returns how long a coded frame lasts, 0 when it does not say.
	// Nil for video.
	FrameDuration func(frame []byte) time.Duration
	// Channels returns how many channels a coded frame has, 1 or more. Nil for video.
	Channels func(frame []byte) int
	// MatroskaID is what Matroska and WebM call the codec: a CodecID (RFC 9559 section
	// 5.1.4.1.21).
	MatroskaID string
	// MatroskaOnly reports whether WebM does not have the codec: neither files nor
	// streams for players.
	MatroskaOnly bool
	// Parameter names the codec for players (RFC 6381 section 3.3), with the variant as
	// far as the track's CodecPrivate tells it. Nil: by its name alone.
	Parameter func(private []byte) string
	// ReadHead reads what the CodecPrivate of a file or an upload says of the sound. Nil
	// for video.
	ReadHead func(private []byte) (OpusHead, bool)
	// NewStored returns what brings the frames of files and uploads with a CodecPrivate
	// into the form that frames have here. Nil where that is the same.
	NewStored func(private []byte) (*H264Stored, error)
	// NeedsPrivate reports whether no player can decode a track without its
	// CodecPrivate.
	NeedsPrivate bool
	// CodecPrivate returns what a Matroska or WebM file says of a video track ahead
	// of its frames (RFC 9559 section 5.1.4.1.22), made of a frame that is Sync. It
	// returns false when frame does not tell. Nil where none is needed (VP8), or
	// where it does not depend on the frames (Opus).
	CodecPrivate func(keyframe []byte) ([]byte, bool)
	// NewFiller returns what makes silence for the holes in a track. Nil for video: the
	// last picture is shown until the next one.
	NewFiller func() *OpusFiller
	// NewStill returns what shows the last picture again. Nil for audio.
	NewStill func() Still
	// Holds reports whether a file with the CodecPrivate private may go on with frames
	// whose own is next, told in front of them. It may not where players have to know
	// it ahead. Nil: only if they are the same.
	Holds func(private, next []byte) bool
	// LayerSize returns the size of the largest spatial layer that a frame of several
	// tells, keyframe or not. Nil where none begins between keyframes.
	LayerSize func(frame []byte) (width, height int, ok bool)
	// NewSets returns what remembers parameter sets. Nil for a codec whose keyframes
	// always stand on their own.
	NewSets func() *ParameterSets
	// NewPacketizer returns a packetizer whose first packet has the Seq seq.
	NewPacketizer func(seq uint64) Packetizer
	// NewDepacketizer returns a depacketizer with the limits of c.
	NewDepacketizer func(c Config) Depacketizer
}

// Position is where an RTP payload stands in its frame.
type Position struct {
	Start bool // the payload begins a frame
	Sync  bool // the payload begins a frame at which a decoder can start
	// Tells is the kinds of parameter sets in the payload. Needs is those that have to
	// come ahead of it for a decoder to start here: 0 where it cannot anyway.
	Tells, Needs SetKinds
	// Width and Height are the picture's size in pixels, if Sync and if the
	// payload tells it.
	Width, Height int
}

// Packetizer turns the frames of one track into packets. It is not safe for
// concurrent use.
type Packetizer interface {
	// Packetize calls emit for each packet of f, in order, with Seq, Time, PTS,
	// Start, Marker, Sync and Payload set. Payloads are at most MaxPayload bytes,
	// but for a single Opus frame: nothing may cut it, and it is 1276 at most.
	// They are new memory or part of f.Data, and never change afterwards. An empty
	// frame makes no packet.
	Packetize(f *media.Frame, emit func(media.Packet))
}

// Depacketizer turns the packets of one track into frames. Packets may come
// reordered, twice or not at all. It is not safe for concurrent use.
type Depacketizer interface {
	// Depacketize takes in p and calls emit for each frame that is complete and
	// whose turn it is. It keeps p.Payload until its frame is out, and Data may be
	// part of it.
	//
	// The first packet is where the track starts; older ones are dropped. Seq must
	// skip at least one number where another RTP stream takes over, or the end of
	// a frame cut off there could not be told from one without marker.
	Depacketize(p *media.Packet, emit func(media.Frame))
	// Flush gives up on what is missing and emits what can still be emitted: of a
	// sender that does not set markers, the last frame too. More packets may follow.
	Flush(emit func(media.Frame))
	// NeedsSync reports whether nothing will come out before the next frame at which
	// a decoder can start, and of that nothing is here yet: it is time to ask the
	// publisher for a keyframe.
	NeedsSync() bool
	// SetWindow changes Config.Window from the next packet on.
	SetWindow(time.Duration)
	// Losses returns what was lost so far.
	Losses() Losses
}

// Losses counts what a Depacketizer could not deliver.
type Losses struct {
	// Packets is how many did not come within the window.
	Packets uint64
	// Frames is how many were dropped although something of them came: because
	// they were incomplete, or not decodable without another one. Frames before
	// the first keyframe count. Of frames that were lost whole only the packets
	// count.
	Frames uint64
	// CutOff is how many of Frames their sender cut off: all packets that it sent
	// came, but not the one with the marker.
	CutOff uint64
	// Gaps is how often the sequence of frames was broken. Each gap ends with a
	// Frame that says Gap, when there is a next one.
	Gaps uint64
}

// MaxPayload is the largest RTP payload that a Packetizer makes, in bytes. With
// 12 bytes of RTP header, 16 of SRTP tag, 8 of UDP and 40 of IPv6 a packet is
// 1264 bytes: below the IPv6 minimum MTU of 1280.
const MaxPayload = 1188

// Config limits a Depacketizer. The zero value has sensible limits.
type Config struct {
	// Window is how long to wait for a missing packet, measured on the arrival of
	// later packets. Default 500 ms.
	Window time.Duration
	// MaxBytes bounds the payload bytes held while waiting. Default 8 MiB.
	MaxBytes int
	// MaxPackets bounds the packets held while waiting. Default 4096.
	MaxPackets int
	// Marked reports whether the sender is known to set the marker on each frame's last
	// packet. Else the packets tell.
	Marked bool
}
