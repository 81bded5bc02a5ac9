package codec

import "time"

// maxOpusDuration is the most that one Opus packet may hold (RFC 6716 section
// 3.2.5, requirement R5).
const maxOpusDuration = 120 * time.Millisecond

// The first byte of an Opus packet, the TOC (RFC 6716 section 3.1):
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	| config  |s| c |
//	+-+-+-+-+-+-+-+-+
const (
	opusConfigShift = 3
	opusCodeMask    = 0x03 // c: how many frames, and of which sizes
)

// OpusChannels returns how many channels the sound of an Opus packet has, as its first
// byte says: 1 or 2.
func OpusChannels(packet []byte) int {
	if len(packet) > 0 && packet[0]&opusStereo != 0 {
		return 2
	}
	return 1
}

// OpusDuration returns how much sound an Opus packet holds, as its first bytes
// say: 2.5 to 120 ms. It returns 0 when they are malformed. It does not look at
// the sizes of the frames.
func OpusDuration(packet []byte) time.Duration {
	if len(packet) == 0 {
		return 0
	}
	total := opusFrameDuration(packet[0]) * time.Duration(opusFrameCount(packet))
	if total > maxOpusDuration {
		return 0
	}
	return total
}

// opusFrameDuration returns the duration of each frame (RFC 6716 table 2).
func opusFrameDuration(toc byte) time.Duration {
	config := toc >> opusConfigShift
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [4]time.Duration{10, 20, 40, 60}[config&3] * time.Millisecond
	case config < 16: // hybrid: 10, 20 ms
		return 10 * time.Millisecond << (config & 1)
	default: // CELT: 2.5, 5, 10, 20 ms
		return 2500 * time.Microsecond << (config & 3)
	}
}

// opusFrameCount returns the number of frames in a packet, 0 when malformed.
func opusFrameCount(packet []byte) int {
	switch packet[0] & opusCodeMask {
	case 0:
		return 1
	case 1, 2:
		return 2
	}
	if len(packet) < 2 {
		return 0
	}
	return int(packet[1] & 0x3f)
}
