package ws

import (
	"encoding/json"
	"slices"

	"weir/recorder/webm"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// wishes is what a viewer asks for. The zero value is for one that says nothing.
type wishes struct {
	framing   webm.Framing
	durations durations
	takes     takes
}

// durations is when a viewer wants blocks that tell how long they last.
type durations uint8

const (
	neverDurations        durations = iota
	durationsWithoutSound           // of a broadcast that has no sound
	alwaysDurations
)

// of reports whether the blocks of a broadcast are to tell how long they last. What
// WebM does not have comes as MP4, which always tells it.
func (d durations) of(sub *sfu.Subscription) bool {
	if d == neverDurations {
		return false
	}
	sound := false
	for _, t := range sub.Stream().Tracks {
		if format, _ := codec.For(t.Info.Codec); format.MatroskaOnly {
			return false
		}
		sound = sound || t.Info.Kind() == media.Audio
	}
	return d == alwaysDurations || !sound
}

// readHello reads a viewer's hello. It returns false if the text is none.
func readHello(text []byte) (w wishes, ok bool) {
	var message struct {
		Type, Framing, Durations string
		Containers               []string
	}
	if json.Unmarshal(text, &message) != nil || message.Type != "hello" {
		return w, false
	}
	if message.Framing == "growing" {
		w.framing = webm.Growing
	}
	switch message.Durations {
	case "without-sound":
		w.durations = durationsWithoutSound
	case "always":
		w.durations = alwaysDurations
	}
	if len(message.Containers) > 0 {
		w.takes = takes{fmp4: slices.Contains(message.Containers, "mp4"), noWebM: !slices.Contains(message.Containers, "webm")}
	}
	return w, true
}
