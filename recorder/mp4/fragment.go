package mp4

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"weir/sfu/media"
)

// Flags of a sample (ISO/IEC 14496-12 section 8.8.3.1): whether it depends on
// others, and that a player cannot start with it.
const (
	flagsAlone     = 2 << 24
	flagsDependent = 1<<24 | 1<<16
)

// Sample is one frame.
type Sample struct {
	Track int // its place in New's list
	// Time is when it is to be shown, in whole milliseconds. Samples of a track come
	// in the order of their times.
	Time time.Duration
	// Length is how long it lasts. A picture that is followed later than it says stands
	// still until then; if that is later than twice what it says, players drop all
	// pictures up to a keyframe (Media Source Extensions, coded frame processing).
	Length time.Duration
	Key    bool // a player can start here
	Data   []byte
	// Header is what the track is from this keyframe on; nil: what it was.
	Header *Description
}

// Muxer makes fragments of samples. It belongs to one goroutine.
type Muxer struct {
	tracks   []Description
	video    int // place of the pictures; -1 if there are none
	sound    bool
	init     []byte // of the tracks as they are now
	mime     string // of the tracks as they were at first
	changed  bool   // the initialization segment is another one than at first
	soundEnd time.Duration
	sequence uint32
}

// New returns a Muxer for tracks, at most one with pictures and one with sound. The
// error wraps ErrConfig.
func New(tracks []Description) (*Muxer, error) {
	m := &Muxer{tracks: slices.Clone(tracks), video: -1}
	for i := range tracks {
		if err := tracks[i].validate(); err != nil {
			return nil, err
		}
		video := tracks[i].Codec.Kind() == media.Video
		if video && m.video >= 0 || !video && m.sound {
			return nil, fmt.Errorf("%w: two tracks of %v", ErrConfig, tracks[i].Codec.Kind())
		}
		if m.sound = m.sound || !video; video {
			m.video = i
		}
	}
	if len(tracks) == 0 {
		return nil, fmt.Errorf("%w: no tracks", ErrConfig)
	}
	m.init, m.mime = renderInit(tracks), mime(tracks)
	return m, nil
}

// Init returns the initialization segment for the tracks as New got them. It must
// not be changed. Call it before any Fragment.
func (m *Muxer) Init() []byte { return m.init }

// MIME returns the type that a SourceBuffer for this stream is to be made with.
func (m *Muxer) MIME() string { return m.mime }

// MovieFragment is a piece of a stream: samples of all tracks from about the same time.
// It is shared by all players and never changes.
type MovieFragment struct {
	// Time is that of the first sample; End is where the sound ends so far, or the
	// picture if there is no sound.
	Time, End time.Duration
	// Key reports whether a player can start here.
	Key bool
	// Data is what follows the head.
	Data []byte

	head  []byte      // with all times zero
	times []timePlace // to be put there
}

// timePlace is a baseMediaDecodeTime of 8 bytes.
type timePlace struct {
	at    int // in the head
	time  time.Duration
	scale int64
}

// AppendHead appends what a player has to get ahead of f.Data. zero is the time that
// is the player's time zero, in whole milliseconds and not later than the Time of the
// fragment with which the player starts.
func (f *MovieFragment) AppendHead(b []byte, zero time.Duration) []byte {
	start := len(b)
	b = append(b, f.head...)
	for _, t := range f.times {
		ms := max(0, (t.time - zero).Milliseconds())
		binary.BigEndian.PutUint64(b[start+t.at:], uint64(ms*t.scale/1000))
	}
	return b
}

// Fragment makes a fragment of samples, which are in the order of their times over all
// tracks. There is at least one, and a keyframe is the first one of its fragment.
func (m *Muxer) Fragment(samples []Sample) MovieFragment {
	f := MovieFragment{Time: samples[0].Time, Key: samples[0].Key && (m.video < 0 || samples[0].Track == m.video)}
	size := 0
	for _, s := range samples {
		size += len(s.Data)
	}
	f.Data = make([]byte, 0, size)
	runs := make([]trackRun, 0, len(m.tracks))
	for track := range m.tracks {
		r := m.pick(track, samples)
		if len(r.samples) == 0 {
			continue
		}
		r.offset = len(f.Data)
		for _, s := range r.samples {
			f.Data = append(f.Data, s.Data...)
		}
		runs = append(runs, r)
		f.End = max(f.End, r.end)
	}
	if m.sound {
		f.End = max(m.soundEnd, f.Time)
	}
	if h := samples[0].Header; h != nil && f.Key && h.validate() == nil && !h.same(&m.tracks[m.video]) {
		m.tracks[m.video] = *h
		m.init, m.changed = renderInit(m.tracks), true
	}
	if f.Key && m.changed {
		// A player that starts or goes on here may have got any of those before.
		f.head = slices.Clone(m.init)
	}
	m.sequence++
	f.appendMoof(m.sequence, runs)
	f.head = append(binary.BigEndian.AppendUint32(f.head, uint32(boxHead+size)), "mdat"...)
	return f
}

// trackRun is the samples of one track in a fragment.
type trackRun struct {
	track   int
	picture bool
	scale   int64
	samples []Sample
	lasts   []time.Duration // each sample
	end     time.Duration
	offset  int // in the data
}

// pick takes the samples of a track out of those of a fragment.
func (m *Muxer) pick(track int, samples []Sample) trackRun {
	r := trackRun{track: track, picture: track == m.video, scale: m.tracks[track].scale()}
	for _, s := range samples {
		if s.Track != track {
			continue
		}
		if n := len(r.samples); n > 0 {
			r.lasts = append(r.lasts, max(0, s.Time-r.samples[n-1].Time))
		}
		r.samples = append(r.samples, s)
	}
	if len(r.samples) == 0 {
		return r
	}
	last := r.samples[len(r.samples)-1]
	r.lasts = append(r.lasts, last.Length)
	if r.end = last.Time + last.Length; !r.picture {
		m.soundEnd = r.end.Round(time.Millisecond)
	}
	return r
}

// appendMoof appends the moof (ISO/IEC 14496-12 section 8.8.4).
func (f *MovieFragment) appendMoof(sequence uint32, runs []trackRun) {
	length := boxHead + 16
	for _, r := range runs {
		length += r.trafLength()
	}
	f.head = append(binary.BigEndian.AppendUint32(f.head, uint32(length)), "moof"...)
	f.head = append(f.head, fullBox("mfhd", 0, 0, u32(sequence))...)
	for _, r := range runs {
		// From the moof's begin, behind it and the head of the mdat.
		offset := length + boxHead + r.offset
		const baseIsMoof = 0x20000
		f.head = append(binary.BigEndian.AppendUint32(f.head, uint32(r.trafLength())), "traf"...)
		f.head = append(f.head, fullBox("tfhd", 0, baseIsMoof, u32(uint32(r.track+1)))...)
		f.times = append(f.times, timePlace{len(f.head) + boxHead + 4, r.samples[0].Time, r.scale})
		f.head = append(f.head, fullBox("tfdt", 1, 0, zeros(8))...)
		f.head = append(f.head, r.trun(offset)...)
	}
}

func (r *trackRun) fields() int {
	if r.picture {
		return 3
	}
	return 2
}

func (r *trackRun) trafLength() int {
	return boxHead + (boxHead + 8) + (boxHead + 12) + (boxHead + 12 + 4*r.fields()*len(r.samples))
}

// trun tells duration and size of each sample, and of pictures whether they are
// keyframes.
func (r *trackRun) trun(offset int) []byte {
	const dataOffset, durations, sizes, flags = 0x1, 0x100, 0x200, 0x400
	told := uint32(dataOffset | durations | sizes)
	if r.picture {
		told |= flags
	}
	b := u32(uint32(len(r.samples)), uint32(offset))
	for i, s := range r.samples {
		b = append(b, u32(uint32(r.lasts[i].Microseconds()*r.scale/1e6), uint32(len(s.Data)))...)
		switch {
		case !r.picture:
		case s.Key:
			b = append(b, u32(flagsAlone)...)
		default:
			b = append(b, u32(flagsDependent)...)
		}
	}
	return fullBox("trun", 0, told, b)
}
