package codec

import "time"

const (
	// opusDefaultTOC is of what silence is made until the first packet has told what
	// the track's own are like: CELT, full band, 20 ms, two channels, which is what
	// RTP always says (RFC 7587 section 7).
	opusDefaultTOC = 31<<opusConfigShift | opusStereo
	opusStereo     = 1 << 2

	// smallHole is the shortest hole in the sound that is filled. Shorter ones come
	// from rounding and from clocks that are being matched, and no player minds.
	smallHole = 5 * time.Millisecond
	// longestFill is the longest hole that is filled, with 20 MB. Only a pause can be
	// that long, or a time that makes no sense.
	longestFill = 12 * time.Hour
	// maxOverlap is how much too late for its time a packet may be heard, because of
	// the sound that is before it. With one more, a player that plays packets one
	// behind the other would be 40 ms behind the picture.
	maxOverlap = 30 * time.Millisecond
)

// OpusFiller keeps the account of one track of Opus and makes silence for the holes in
// it: packets that did not come, and those that were never sent in silence (DTX), count
// alike. The zero value is ready for use.
//
// Silence is made of frames of the track's own length, bandwidth and channels, as many
// as come nearest to the hole. The rest, at most half a frame, is not forgotten but
// counts for the next hole.
//
// Players of files take packets of sound one behind the other, and the time of the
// first only (Chromium); for them the account is where they are: the time of the
// first packet, and the durations of all that followed. Players that place each
// packet by its time, as in Media Source Extensions, need ByTime.
type OpusFiller struct {
	// ByTime makes an account of durations needless: the sound ends where the last
	// packet does, by its time. Set before use.
	ByTime bool

	begun  bool
	end    time.Duration // of the sound so far
	filled time.Duration // where the last silence ends
	toc    byte          // of a frame like the track's own, for silence; 0: none came
}

// Silence is a packet of silence.
type Silence struct {
	Time, Duration time.Duration
	Data           []byte // OpusSilence bytes; not shared
}

// Begin has the sound begin at that time. Where sound has begun before, it does nothing.
func (f *OpusFiller) Begin(at time.Duration) {
	if !f.begun {
		f.begun, f.end, f.filled = true, at, at
	}
}

// End returns where the sound ends so far.
func (f *OpusFiller) End() time.Duration { return f.end }

// Hole returns the next frame of silence for the hole from the end of the sound so
// far to the time to, where sound is, or before which there is none. It returns false
// if there is no hole, or none left. The frame counts once it is given to AddSilence.
func (f *OpusFiller) Hole(to time.Duration) (s Silence, ok bool) {
	length := f.length()
	if hole := to - f.end; !f.begun || hole < max(smallHole, length/2) || hole > longestFill {
		return Silence{}, false
	}
	return Silence{Time: f.end, Duration: length, Data: []byte{f.frame(), opusSilent, opusSilentEnd}}, true
}

// OpusSilence is how many bytes a packet of silence has.
const OpusSilence = 3

// A silent frame of CELT begins with these.
const opusSilent, opusSilentEnd = 0xFF, 0xFE

// IsOpusSilence reports whether a packet is one that an OpusFiller makes.
func IsOpusSilence(packet []byte) bool {
	const celt, count = 16 << opusConfigShift, 3
	return len(packet) == OpusSilence && packet[0] >= celt && packet[0]&count == 0 && packet[1] == opusSilent && packet[2] == opusSilentEnd
}

// AddSilence puts silence that Hole returned to the sound so far.
func (f *OpusFiller) AddSilence(s Silence) {
	f.end = s.Time + s.Duration
	f.filled = f.end
}

// Fill calls emit for all silence of a hole: see Hole. It returns emit's first error.
func (f *OpusFiller) Fill(to time.Duration, emit func(Silence) error) error {
	for {
		s, ok := f.Hole(to)
		if !ok {
			return nil
		}
		f.AddSilence(s)
		if err := emit(s); err != nil {
			return err
		}
	}
}

// frame returns the TOC of silence: one frame of CELT, whose first bits will say that
// it is silent (RFC 6716 section 4.3).
func (f *OpusFiller) frame() byte {
	if f.toc == 0 {
		return opusDefaultTOC
	}
	return f.toc
}

// length returns how long a packet of silence lasts.
func (f *OpusFiller) length() time.Duration { return opusFrameDuration(f.frame()) }

// Fits reports whether a packet of the track that is to be heard at the time at has
// a place there. Otherwise there is sound or silence already, and with the packet
// all that follows would be heard too late.
func (f *OpusFiller) Fits(at time.Duration) bool {
	most := maxOverlap
	if f.end == f.filled { // what came late is not to be there beside the silence
		most = max(smallHole, f.length()/2)
	}
	return !f.begun || f.end-at <= most
}

// Filled reports whether there is silence at the time at, so that a packet from
// there came too late for its place.
func (f *OpusFiller) Filled(at time.Duration) bool { return f.begun && at < f.filled }

// Length returns how long a packet of the track lasts. One that is malformed lasts a
// frame.
func (f *OpusFiller) Length(packet []byte) time.Duration {
	if d := OpusDuration(packet); d > 0 {
		return d
	}
	return f.length()
}

// Add puts a packet of the track to the sound so far, or silence that Hole returned
// and that need not be known from sound.
func (f *OpusFiller) Add(at time.Duration, packet []byte) {
	f.Begin(at)
	d := f.Length(packet)
	if OpusDuration(packet) > 0 {
		f.toc = celtLike(packet[0])
	}
	if f.ByTime || at-f.end > longestFill {
		f.end = at
	}
	f.end += d
}

// celtLike returns the TOC of a packet of one frame of CELT with the channels of
// another one's frames, and their bandwidth and length, as far as CELT has them: its
// frames are of 20 ms at most, and of no medium band (RFC 6716 table 2).
func celtLike(toc byte) byte {
	config := toc >> opusConfigShift
	const celt, wide, super, full = 16, 20, 24, 28
	switch {
	case config < 12: // SILK: narrow, medium, wide band, of 10, 20, 40, 60 ms
		band := byte(celt)
		if config >= 4 {
			band = wide
		}
		config = band + min(config&3+2, 3)
	case config < 14: // hybrid: super wide band, of 10, 20 ms
		config = super + 2 + config&1
	case config < celt: // hybrid: full band
		config = full + 2 + config&1
	}
	return config<<opusConfigShift | toc&opusStereo
}
