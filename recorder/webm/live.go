package webm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/sfu/codec"
	"weir/sfu/interleave"
	"weir/sfu/media"
)

// LiveConfig is how a live stream is to be muxed. The zero value works.
type LiveConfig struct {
	// WritingApp names the program that muxes; by default "weir".
	WritingApp string
	// SoundWait is how long the picture waits for sound of its time before
	// silence is put there: 0 for 100 ms, which a packet of 60 ms needs that
	// leaves its encoder when it is full. At most 400 ms.
	SoundWait time.Duration
	// Durations has each block tell how long it lasts (a BlockGroup with a BlockDuration,
	// RFC 9559 section 5.1.3.5.3), for players that go by it: Firefox decodes no more
	// than ten pictures that have not ended, and guesses where nothing is said; Chromium
	// would, where there is no sound, play what has not come. So each picture waits for
	// the next one, and what comes behind it waits too.
	Durations bool
	// Samples has the units hold Samples in place of Blocks, for another container:
	// then H264 is taken, and there is neither an initialization segment nor a type.
	// They always tell how long they last.
	Samples bool
}

const (
	defaultSoundWait = 100 * time.Millisecond
	// maxSoundWait bounds what the wait grows to when all sound comes late.
	maxSoundWait = 400 * time.Millisecond
	// pictureWait is how long sound waits for a picture of its time. A picture is
	// later by what its encoder takes and, when it is large, by the pacing of its
	// packets. One that comes later still is shown later.
	pictureWait = 120 * time.Millisecond
	// pictureDuration is how long a picture is said to last. A player that does
	// not know takes the last picture of a Cluster for as long as those before it;
	// if the next one comes later than twice that, it sees a discontinuity and
	// drops all pictures up to the next keyframe (Media Source Extensions, coded
	// frame processing). So pictures may be 2 s apart. That they overlap is harmless:
	// each is shown until the next one.
	pictureDuration = time.Second
	// stillAfter is how long there may be sound and no picture until the last one is
	// shown again: players stop their sound where the picture has ended, Firefox at
	// once, Chromium after seconds. It is longer than from picture to picture of what
	// moves, and shorter than what a player has in its buffer at least.
	stillAfter = 100 * time.Millisecond
)

// Live muxes the frames of one stream for players that take it while it is made,
// by Media Source Extensions. It muxes once for all of them: see [Unit]. Like a
// Writer it belongs to one goroutine and has no clock; it copies the frames.
//
// Sound has no hole, from the first unit on: where there is none, Live puts
// Opus silence, because a player stops for ever at a hole in its sound, and does
// not begin at all without the sound that the header declares.
//
// Neither has the picture, while there is sound: where a publisher sends none, Live
// has the last one shown again, which takes a few bytes, if the codec can say that.
type Live struct {
	// Set once.
	init  []byte
	mime  string
	bare  bool       // units hold Samples
	timed bool       // frames tell how long they last
	video *liveTrack // nil if not declared
	audio *liveTrack

	// The order of frames: live_order.go.
	order     *interleave.Order[Block] // of pictures and sounds
	started   bool
	flushing  bool
	passed    time.Duration // nothing before it is waited for
	soundWait time.Duration
	filler    codec.OpusFiller
	lateFor   time.Duration // sound in a row that came too late
	silent    int64
	still     codec.Still // nil: the picture has an end where its frames end
	standing  bool        // the last picture is one that was shown again
	stills    int64

	// For writing: live_unit.go.
	last   int64 // time of the last block, ms
	base   int64 // Timestamp of the Cluster in growth, ms
	unit   Unit  // that is open, if there are blocks
	blocks []liveBlock
	waits  int    // place in blocks of the picture whose end is not known; -1: none
	ready  []Unit // what one step has closed: Next takes it out at once
}

// liveTrack is one track of a Live.
type liveTrack struct {
	place  int    // in the order
	number uint64 // in the stream
	codec  media.Codec
	name   string        // of the codec, for players
	newest time.Duration // of all frames that came
	step   time.Duration // from the last frame but one to the last
	last   int64         // time of the last block, ms
	inUnit bool          // the open unit has a block of it
}

// The places of the tracks in Live.order: of frames with one time the picture is first.
const pictures, sounds = 0, 1

// NewLive returns a Live for tracks, at most one with pictures and one with
// sound: players take no more. It returns an error that wraps ErrConfig.
func NewLive(c LiveConfig, tracks []ebml.TrackEntry) (*Live, error) {
	if err := validateTracks(tracks); err != nil {
		return nil, err
	}
	if c.SoundWait < 0 || c.SoundWait > maxSoundWait {
		return nil, fmt.Errorf("%w: SoundWait %v is not in 0 to %v", ErrConfig, c.SoundWait, maxSoundWait)
	}
	if c.SoundWait == 0 {
		c.SoundWait = defaultSoundWait
	}
	l := &Live{
		filler: codec.OpusFiller{ByTime: true}, soundWait: c.SoundWait, timed: c.Durations || c.Samples, waits: -1,
		order: interleave.New[Block](2),
	}
	for i, t := range tracks {
		track, place := &l.audio, sounds
		if t.Codec.Kind() == media.Video {
			track, place = &l.video, pictures
		}
		if *track != nil {
			return nil, fmt.Errorf("%w: two tracks of %v", ErrConfig, t.Codec.Kind())
		}
		format, _ := codec.For(t.Codec)
		if format.MatroskaOnly && !c.Samples {
			return nil, fmt.Errorf("%w: players take no %v in a stream of WebM", ErrConfig, t.Codec)
		}
		if format.NewStill != nil {
			l.still = format.NewStill()
		}
		*track = &liveTrack{place: place, number: uint64(i + 1), codec: t.Codec, name: codec.Parameter(t.Codec, t.CodecPrivate), last: -1}
	}
	if l.video == nil {
		l.order.End(pictures)
	}
	if l.audio == nil {
		l.order.End(sounds)
	}
	if c.Samples {
		l.bare = true
		return l, nil
	}
	var err error
	l.init, err = layout.RenderInit(c.WritingApp, l.lasting(tracks))
	l.mime = liveMIME(l.video, l.audio)
	return l, err
}

// Init returns the initialization segment: EBML header, Segment of unknown size,
// Info without Duration, Tracks. It must not be changed.
func (l *Live) Init() []byte { return l.init }

// MIME returns the type that a SourceBuffer for this stream is to be made with.
func (l *Live) MIME() string { return l.mime }

// Silence returns how many packets of silence were put in.
func (l *Live) Silence() int64 { return l.silent }

// Stills returns how often the last picture was shown again.
func (l *Live) Stills() int64 { return l.stills }

// Lasts reports whether the last picture can be shown for as long as there is sound.
func (l *Live) Lasts() bool { return l.still != nil && l.still.Repeat() != nil }

// liveMIME names the codecs of the tracks as RFC 6381 wants it.
func liveMIME(video, audio *liveTrack) string {
	var codecs []string
	kind := "audio/webm"
	if video != nil {
		kind = "video/webm"
		codecs = append(codecs, video.name)
	}
	if audio != nil {
		codecs = append(codecs, audio.name)
	}
	return kind + `; codecs="` + strings.Join(codecs, ",") + `"`
}

// lasting returns tracks with pictures of pictureDuration, if the blocks do not tell.
func (l *Live) lasting(tracks []ebml.TrackEntry) []ebml.TrackEntry {
	if l.timed {
		return tracks
	}
	tracks = slices.Clone(tracks)
	for i := range tracks {
		if tracks[i].Codec.Kind() == media.Video {
			tracks[i].DefaultDuration = pictureDuration
		}
	}
	return tracks
}
