package ws

import (
	"fmt"

	"github.com/gorilla/websocket"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// takenCodecs tells a client which codecs it may use.
const takenCodecs = "VP8, VP9, AV1, H264 and Opus are taken"

// maxTracks is how many tracks an upload has at most: one of each kind.
const maxTracks = 2

// carry returns the tracks of a header. All of them must be such that they can be
// carried to viewers and files: one that is left out would be missed by viewers that
// cannot know why. So the error says which one cannot, before anything is live.
func carry(h read.Header) ([]*uploadTrack, *refusal) {
	tracks := make([]*uploadTrack, len(h.Tracks))
	kinds := map[media.Kind]bool{}
	for i := range h.Tracks {
		entry := &h.Tracks[i]
		t, refused := carryTrack(entry)
		if refused != nil {
			return nil, refused
		}
		kind := t.codec.Kind()
		if kinds[kind] {
			return nil, refuse(websocket.CloseUnsupportedData, "Too many tracks", "A stream has one %s track, and the media has a second one. Send one of each kind.", kind)
		}
		kinds[kind] = true
		tracks[i] = t
	}
	return tracks, nil
}

func carryTrack(entry *ebml.TrackEntry) (*uploadTrack, *refusal) {
	row, known := codec.For(entry.Codec)
	t := &uploadTrack{codec: entry.Codec, keyframe: row.Keyframe}
	switch {
	case entry.Encoded():
		return nil, refuse(websocket.CloseUnsupportedData, "Encoded track", "The frames of %q are compressed or encrypted (ContentEncodings). Send them as they are.", entry.CodecID)
	case !known:
		return nil, refuse(websocket.CloseUnsupportedData, "Unsupported codec", "The media has %s; %s.", codecName(entry), takenCodecs)
	case row.ReadHead != nil:
		head, told := row.ReadHead(entry.CodecPrivate)
		if !told {
			head = codec.OpusHead{Channels: entry.Channels, Single: entry.Channels <= t.codec.Channels()}
		}
		if !head.Single {
			return nil, refuse(websocket.CloseUnsupportedData, "Unsupported sound", "Opus with %d channels (mapping family %d). Mono and stereo (family 0) are taken.", head.Channels, head.Family)
		}
		t.stereo = head.Channels == 2
	case row.NewStored != nil:
		var err error
		if t.stored, err = row.NewStored(entry.CodecPrivate); err != nil {
			return nil, refuse(websocket.CloseUnsupportedData, "Bad media", "%q has a CodecPrivate that is no AVCDecoderConfigurationRecord.", entry.CodecID)
		}
	}
	return t, nil
}

// codecName names the codec of a track.
func codecName(entry *ebml.TrackEntry) string {
	if entry.CodecID == "" {
		return "a track without a codec"
	}
	return fmt.Sprintf("%q", entry.CodecID)
}
