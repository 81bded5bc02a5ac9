package media

import "time"

// Kind is what a track carries.
type Kind uint8

// The kinds of track.
const (
	Audio Kind = iota + 1
	Video
)

// String returns the word that SDP uses for k (RFC 8866 section 5.14).
func (k Kind) String() string {
	switch k {
	case Audio:
		return "audio"
	case Video:
		return "video"
	default:
		return "unknown"
	}
}

// Codec names a coding format.
type Codec uint8

// The codecs that weir moves. To add one: a constant here, a line in codecs
// below, and a Format in package codec, which all others ask.
const (
	Opus Codec = iota + 1
	VP8
	VP9
	AV1
	H264
)

// codecs describes every Codec; index 0 is the zero Codec, which is none.
var codecs = [...]struct {
	name      string
	kind      Kind
	clockRate uint32
	channels  int
}{
	0:    {"none", 0, 1, 0},
	Opus: {"opus", Audio, 48000, 2}, // RFC 7587 sections 4.1 and 7: always 48 kHz, 2 channels
	VP8:  {"vp8", Video, 90000, 0},  // RFC 7741 section 4.1
	VP9:  {"vp9", Video, 90000, 0},  // RFC 9628 section 4.1
	AV1:  {"av1", Video, 90000, 0},  // RTP Payload Format for AV1, section 4.1
	H264: {"h264", Video, 90000, 0}, // RFC 6184 section 8.2.1
}

// String returns the codec's name in lower case, as the API shows it.
func (c Codec) String() string { return codecs[c].name }

// Kind returns what c codes: audio or video.
func (c Codec) Kind() Kind { return codecs[c].kind }

// ClockRate returns the RTP clock rate of c in ticks per second.
func (c Codec) ClockRate() uint32 { return codecs[c].clockRate }

// Channels returns how many channels a decoder of c is set up for, 0 for video:
// for Opus two, in every file, feed and answer, whatever the source is. One
// packet is mono and the next one may be stereo, as its first byte tells (RFC
// 6716 section 3.1), and a decoder with two channels plays a mono packet on both.
// One that was set up for mono mixes left and right for good.
func (c Codec) Channels() int { return codecs[c].channels }

// Ticks converts d to RTP clock ticks of c, rounded to the nearest.
func (c Codec) Ticks(d time.Duration) int64 {
	// Split so that neither factor overflows: d.Seconds() as a float would lose
	// ticks after some days.
	rate := int64(c.ClockRate())
	whole, rest := int64(d/time.Second), int64(d%time.Second)
	half := int64(time.Second) / 2
	if rest < 0 {
		half = -half
	}
	return whole*rate + (rest*rate+half)/int64(time.Second)
}

// Duration converts a number of RTP clock ticks of c to a duration.
func (c Codec) Duration(ticks int64) time.Duration {
	rate := int64(c.ClockRate())
	return time.Duration(ticks/rate)*time.Second +
		time.Duration(ticks%rate)*time.Second/time.Duration(rate)
}

// TrackInfo describes a track. It never changes once the track exists.
type TrackInfo struct {
	ID    string // unique in its stream: "audio", "video"
	Codec Codec
	// Format is what tells apart variants of the codec that one decoder may take
	// and another may not: SDP format parameters in the order of their names, such
	// as "packetization-mode=1;profile-level-id=42e01f". Empty: the codec has no
	// variants, or the source does not know which one it is.
	Format string
	// Encoding tells which one of several encodings it is, if there are several.
	Encoding Encoding
	// Stereo reports whether the source tells that its sound is likely to have two
	// channels that differ. Each packet tells for itself what it has.
	Stereo bool
}

// Encoding is one of several encodings of the same picture or sound, such as a camera's
// picture in several sizes (RFC 7656 section 3.6, RFC 8853). Each is a track of its own;
// they form a group, of which a reader takes one (sfu.Best). The zero value is that of
// a track that is alone.
type Encoding struct {
	Group string // the same for all of the group, and no ID of another track
	RID   string // its name in the group (RFC 8851)
}

// Group returns what the encodings of one picture or sound have in common, and no other
// track of the stream: its ID if it is alone.
func (i TrackInfo) Group() string {
	if i.Encoding.Group == "" {
		return i.ID
	}
	return i.Encoding.Group
}

// Continues reports whether a source with the track i can go on with the track
// before: what a decoder of that one was set up for takes this one.
func (i TrackInfo) Continues(before TrackInfo) bool {
	i.Stereo = before.Stereo
	return i == before
}

// Kind returns what the track is: audio or video.
func (i TrackInfo) Kind() Kind { return i.Codec.Kind() }
