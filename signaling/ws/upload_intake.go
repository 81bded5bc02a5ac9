package ws

import (
	"log/slog"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// maxLoggedDamage is how many damages of an upload are logged.
	maxLoggedDamage = 10
	// orderProof is how many pictures of H264 are looked at before it is live, unless
	// its parameter sets say that pictures are shown as they come: an encoder that uses
	// B slices has them among the first ones.
	orderProof = 8
	// soundAlone is how much sound is held without any picture.
	soundAlone = time.Second
	// maxHeld and maxHeldBytes bound what waits for the first keyframe of H264.
	maxHeld      = 1024
	maxHeldBytes = 8 << 20
)

// intake takes what the WebM reader finds: it makes tracks of the first header and
// puts frames into the pacer. It is the read.Receiver of an upload.
//
// A stream begins only when it is certain that all of it can be carried. The header
// tells, but for H264: how its frames are written, which profile it is and whether
// pictures are reordered is told by its frames, so the first ones are held.
type intake struct {
	// set once
	pub  *sfu.Publication
	pace *pacer
	send func(track int, f pacedFrame) error // into pace; waits while too much is on its way
	out  *eventWriter
	log  *slog.Logger

	tracks   []*uploadTrack // in the order of the first header
	byPlace  []int          // of the latest header's tracks: where in tracks
	begun    bool           // the stream has
	heldFrom time.Duration  // until then: the time of the first frame that is held
	heldSpan time.Duration  // how much time is
	held     bool           // there is one
	line     *timeline
	live     bool
	damaged  int  // how often
	ended    bool // nothing follows: set by the caller that closes the reader
}

// uploadTrack is a track of the stream.
type uploadTrack struct {
	codec media.Codec
	// keyframe reports whether a picture is one where a decoder can start: the
	// container is not to be believed. Nil for sound.
	keyframe func(frame []byte) bool
	stored   *codec.H264Stored // nil: frames are stored as they are sent
	writer   *sfu.TrackWriter  // nil until the stream has begun
	format   string            // as media.TrackInfo.Format
	stereo   bool              // as media.TrackInfo.Stereo
	came     int               // pictures, until the stream begins
	keys     bool              // a keyframe is among them
	frames   int               // how many come from there on
	gap      bool              // frames are missing before the next one
	back     bool              // so are they before the first of those that were held
}

// Header implements read.Receiver.
func (n *intake) Header(h read.Header) error {
	tracks, refused := carry(h)
	if refused != nil {
		return refused
	}
	if n.tracks != nil {
		return n.changeHeader(h, tracks)
	}
	n.tracks = tracks
	n.byPlace = make([]int, len(tracks))
	for i := range tracks {
		n.byPlace[i] = i
	}
	return n.beginStream(false)
}

// beginStream begins the stream, if all is known that must be. last reports whether
// nothing follows.
func (n *intake) beginStream(last bool) error {
	for _, t := range n.tracks {
		switch proven := t.keys && (last || t.stored == nil || t.stored.InOrder() || t.frames >= orderProof); {
		case t.stored == nil, proven:
		case t.came == 0 && (last || n.heldSpan > soundAlone):
			// Whatever becomes of the picture: there is sound.
		case last:
			return refuse(websocket.CloseUnsupportedData, "No keyframe", noKeyframe)
		default:
			return nil
		}
	}
	n.begun = true
	infos := make([]media.TrackInfo, len(n.tracks))
	for i, t := range n.tracks {
		infos[i] = media.TrackInfo{ID: t.codec.Kind().String(), Codec: t.codec, Format: t.format, Stereo: t.stereo}
	}
	writers, err := n.pub.AddTracks(sfu.Frames, infos...)
	if err != nil {
		return err
	}
	for i, t := range n.tracks {
		t.writer = writers[i]
	}
	edge := n.pub.Edge()
	n.line = newTimeline(n.tracks, edge)
	for _, t := range n.tracks { // the publisher was lost, and has come back with this track
		t.back = edge > 0
	}
	for _, f := range n.pace.open() {
		if err := n.sendFrame(f); err != nil {
			return err
		}
	}
	for _, t := range n.tracks {
		t.gap, t.back = t.gap || t.back, false
	}
	return nil
}

// changeHeader takes in the header of a recorder that was started anew in mid-stream.
// Numbers, order and sizes may be other ones; but viewers and files have the
// tracks that they have, so a track that comes or goes ends the stream.
func (n *intake) changeHeader(h read.Header, tracks []*uploadTrack) error {
	at := make([]int, len(tracks))
	found := 0
	for place, anew := range tracks {
		for i, t := range n.tracks {
			if t.codec == anew.codec {
				at[place] = i
				found++
			}
		}
	}
	if found != len(n.tracks) || found != len(tracks) {
		var before []string
		for _, t := range n.tracks {
			before = append(before, t.codec.String())
		}
		return refuse(websocket.CloseUnsupportedData, "Tracks changed",
			"The stream has %s, and the recorder that was started anew has %s. Connect again for another set of tracks.",
			strings.Join(before, " and "), codecNames(h))
	}
	for place, anew := range tracks {
		n.tracks[at[place]].stored = anew.stored
	}
	n.byPlace = at
	if n.begun {
		n.line.restart()
	} else {
		n.dropHeld() // times start anew, and no viewer has seen any of it
	}
	n.log.Info("recorder started anew")
	return nil
}

// dropHeld forgets what is held.
func (n *intake) dropHeld() {
	n.pace.drop()
	n.held = false
	for _, t := range n.tracks {
		t.came, t.keys, t.frames = 0, false, 0
	}
}

// codecNames lists what codecs a header names.
func codecNames(h read.Header) string {
	names := make([]string, len(h.Tracks))
	for i, t := range h.Tracks {
		names[i] = t.CodecID
	}
	return strings.Join(names, " and ")
}

// Frame implements read.Receiver. It waits while too much is on its way.
func (n *intake) Frame(f read.Frame) error {
	place := n.byPlace[f.Track]
	t := n.tracks[place]
	coded := heldFrame{place, media.Frame{PTS: f.Time, Sync: true, Data: f.Data}}
	if t.stored != nil {
		var ok bool
		if coded.Data, ok = t.stored.Frame(f.Data); !ok {
			return nil // parameter sets alone are kept for the next one
		}
		if codec.H264Backward(coded.Data) {
			return refuse(websocket.CloseUnsupportedData, "B-frames",
				"H264 with B-frames cannot be carried: pictures would come in another order than they are shown. Encode without (x264: bframes=0).")
		}
	}
	if t.keyframe != nil {
		coded.Sync = t.keyframe(coded.Data)
	}
	if !n.begun && t.stored != nil {
		if err := n.lookAhead(t, coded); err != nil {
			return err
		}
		if !t.keys {
			return nil // of no use
		}
	}
	if t.gap && !coded.Sync {
		return nil // it may refer to a picture that was lost: a decoder would show garbage
	}
	coded.Gap, t.gap = t.gap, false
	if n.begun {
		return n.sendFrame(coded)
	}
	return n.holdFrame(coded)
}

// lookAhead notes what a picture of H264 tells of those to come.
func (n *intake) lookAhead(t *uploadTrack, f heldFrame) error {
	if f.Sync && !t.keys {
		t.keys = true
		t.format = "packetization-mode=1;profile-level-id=" + codec.H264ProfileLevelID(f.Data)
	}
	if t.came++; t.keys {
		t.frames++
	} else if t.came > maxHeld {
		return refuse(websocket.CloseUnsupportedData, "No keyframe", noKeyframe)
	}
	return nil
}

// holdFrame keeps a frame until the stream can begin.
func (n *intake) holdFrame(f heldFrame) error {
	if !n.held {
		n.held, n.heldFrom = true, f.PTS
	}
	n.heldSpan = f.PTS - n.heldFrom
	if frames, bytes := n.pace.hold(f.track, pacedFrame{Frame: f.Frame}); frames > maxHeld || bytes > maxHeldBytes {
		return refuse(websocket.CloseUnsupportedData, "No keyframe", noKeyframe)
	}
	return n.beginStream(false)
}

// noKeyframe tells what H264 lacks that no viewer can see.
const noKeyframe = "No keyframe of H264 came that has its parameter sets, in the frames or in the CodecPrivate. Encode with keyframes."

// sendFrame places a frame on the stream's clock and has it sent.
func (n *intake) sendFrame(f heldFrame) error {
	t := n.tracks[f.track]
	f.Gap, t.back = f.Gap || t.back, false
	f.PTS = n.line.place(f.track, f.PTS, soundDuration(t.codec, f.Data), n.pub.Now(), n.pace.latency())
	if !n.live {
		n.live = true
		n.out.setStatus(statusLive)
	}
	return n.send(f.track, pacedFrame{f.Frame, t.writer})
}

// finish notes that nothing follows. The held frames are too few to prove anything, and
// are taken as they are.
func (n *intake) finish() error {
	if n.begun || n.tracks == nil {
		return nil
	}
	return n.beginStream(true)
}

// Damage implements read.Receiver. A cut at the end of the upload is none: nothing is
// missing before anything else.
func (n *intake) Damage(d ebml.Damage) {
	if n.ended {
		return
	}
	for _, t := range n.tracks {
		t.gap = true
	}
	if n.damaged++; n.damaged <= maxLoggedDamage {
		n.log.Warn("upload damaged", "damage", d.String())
	}
}

// soundDuration returns how long a frame lasts, if it says so: sound does.
func soundDuration(c media.Codec, data []byte) time.Duration {
	if format, ok := codec.For(c); ok && format.FrameDuration != nil {
		return format.FrameDuration(data)
	}
	return 0
}
