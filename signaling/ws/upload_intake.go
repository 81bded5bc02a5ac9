package ws

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"weir/recorder/webm"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// takenCodecs tells a client which codecs it may use.
const takenCodecs = "VP8 (V_VP8), VP9 (V_VP9), AV1 (V_AV1) and Opus (A_OPUS) are taken"

// keyframe says whether a picture is one where a decoder can start, for the codecs
// that are taken: the container is not to be believed. H264 is not among them: its
// frames do not tell what its container does.
var keyframe = map[media.Codec]func([]byte) bool{
	media.VP8: codec.VP8Keyframe, media.VP9: codec.VP9Keyframe, media.AV1: codec.AV1Keyframe,
}

// takes says whether uploads may have a codec.
func takes(c media.Codec) bool { return c == media.Opus || keyframe[c] != nil }

// maxLoggedDamage is how many damages of an upload are logged.
const maxLoggedDamage = 10

// intake takes what the WebM reader finds: it makes tracks of the first header and
// puts frames into the pacer. It is the webm.Receiver of an upload.
type intake struct {
	// set once
	pub  *sfu.Publication
	pace *pacer
	put  func(pacedFrame) error // into pace; waits while too much is on its way
	out  *outbox
	log  *slog.Logger

	tracks  []*uploadTrack // in the order of the first header
	byPlace []int          // of the latest header's tracks: where in tracks, or -1
	line    *timeline
	live    bool
	damaged int // how often
}

// uploadTrack is a track of the stream.
type uploadTrack struct {
	codec  media.Codec
	writer *sfu.TrackWriter
	gap    bool // frames are missing before the next one
}

// Header implements webm.Receiver.
func (n *intake) Header(h webm.Header) error {
	chosen := n.choose(h)
	if n.tracks != nil {
		return n.again(h, chosen)
	}
	if len(chosen) == 0 {
		return refuse(websocket.CloseUnsupportedData, "Unsupported codec", "The media has %s; %s.", codecNames(h), takenCodecs)
	}
	n.byPlace = places(h, chosen)
	for _, place := range chosen {
		c := h.Tracks[place].Codec
		w, err := n.pub.AddTrack(media.TrackInfo{ID: c.Kind().String(), Codec: c}, sfu.Frames)
		if err != nil {
			return err
		}
		n.tracks = append(n.tracks, &uploadTrack{codec: c, writer: w})
	}
	n.pub.Ready()
	edge := n.pub.Edge()
	n.line = newTimeline(len(chosen), edge)
	for _, t := range n.tracks {
		t.gap = edge > 0 // the publisher was lost, and has come back
	}
	return nil
}

// choose returns the places of the header's tracks that are taken: the first of
// each kind whose codec is known. The client is told of the others.
func (n *intake) choose(h webm.Header) []int {
	var chosen []int
	kinds := map[media.Kind]bool{}
	for i, t := range h.Tracks {
		switch kind := t.Codec.Kind(); {
		case !takes(t.Codec):
			if n.tracks == nil {
				n.out.say(errorEvent{"error", "Unsupported codec", fmt.Sprintf("%q is left out; %s.", t.CodecID, takenCodecs)})
			}
		case kinds[kind]:
			n.out.say(errorEvent{"error", "Too many tracks", fmt.Sprintf("A second %s track is left out.", kind)})
		default:
			kinds[kind] = true
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// again takes in the header of a recorder that was started anew in mid-stream.
// Numbers, order and sizes may be other ones; but viewers and files have the
// tracks that they have, so a track that comes or goes ends the stream.
func (n *intake) again(h webm.Header, chosen []int) error {
	at := make([]int, len(h.Tracks))
	for i := range at {
		at[i] = -1
	}
	found := 0
	for _, place := range chosen {
		for i, t := range n.tracks {
			if t.codec == h.Tracks[place].Codec {
				at[place] = i
				found++
			}
		}
	}
	if found != len(n.tracks) || found != len(chosen) {
		var before []string
		for _, t := range n.tracks {
			before = append(before, t.codec.String())
		}
		return refuse(websocket.CloseUnsupportedData, "Tracks changed",
			"The stream has %s, and the recorder that was started anew has %s. Connect again for another set of tracks.",
			strings.Join(before, " and "), codecNames(h))
	}
	n.byPlace = at
	n.line.restart()
	n.log.Info("recorder started anew")
	return nil
}

// places returns for each track of the header its place among the chosen ones.
func places(h webm.Header, chosen []int) []int {
	at := make([]int, len(h.Tracks))
	for i := range at {
		at[i] = -1
	}
	for i, place := range chosen {
		at[place] = i
	}
	return at
}

// codecNames lists what codecs a header names.
func codecNames(h webm.Header) string {
	names := make([]string, len(h.Tracks))
	for i, t := range h.Tracks {
		names[i] = t.CodecID
	}
	return strings.Join(names, " and ")
}

// Frame implements webm.Receiver. It waits while too much is on its way.
func (n *intake) Frame(f webm.Frame) error {
	place := n.byPlace[f.Track]
	if place < 0 {
		return nil
	}
	t := n.tracks[place]
	pts := n.line.place(place, f.Time, soundDuration(t.codec, f.Data), n.pub.Now(), n.pace.latency())
	frame := media.Frame{PTS: pts, Sync: true, Gap: t.gap, Data: f.Data}
	if isKey := keyframe[t.codec]; isKey != nil {
		frame.Sync = isKey(f.Data)
	}
	if t.gap && !frame.Sync {
		return nil // it may refer to a picture that was lost: a decoder would show garbage
	}
	t.gap = false
	if !n.live {
		n.live = true
		n.out.status(string(sfu.Live))
	}
	return n.put(pacedFrame{frame, t.writer})
}

// Damage implements webm.Receiver.
func (n *intake) Damage(d webm.Damage) {
	for _, t := range n.tracks {
		t.gap = true
	}
	if n.damaged++; n.damaged <= maxLoggedDamage {
		n.log.Warn("upload damaged", "damage", d.String())
	}
}

// soundDuration returns how long a frame lasts, if it says so: sound does.
func soundDuration(c media.Codec, data []byte) time.Duration {
	if c == media.Opus {
		return codec.OpusDuration(data)
	}
	return 0
}
