package sfutest

import (
	"time"

	"weir/sfu/media"
)

// The pace of a Clip.
const (
	VideoInterval = 40 * time.Millisecond // 25 frames a second
	AudioInterval = 20 * time.Millisecond
)

// Clip is a synthetic broadcast: video and Opus from time zero on, made of Frame,
// each numbered from zero. Only Length has to be set.
type Clip struct {
	Length   time.Duration
	Codec    media.Codec // of the video; 0: VP8
	KeyEvery int         // video frames from one keyframe to the next; 0: 25
	Size     int         // bytes of a video frame; 0: 3000, which takes three packets
}

// Sample is one frame of a Clip.
type Sample struct {
	Codec media.Codec
	N     int // its number among the frames of that codec
	Frame media.Frame
}

// Samples returns all frames, in the order of their times.
func (c Clip) Samples() []Sample {
	var samples []Sample
	for at := time.Duration(0); at < c.Length; at += AudioInterval {
		if at%VideoInterval == 0 {
			samples = append(samples, c.Video(int(at/VideoInterval)))
		}
		samples = append(samples, c.Audio(int(at/AudioInterval)))
	}
	return samples
}

// Count returns how many frames of the codec there are.
func (c Clip) Count(codec media.Codec) int {
	interval := AudioInterval
	if codec.Kind() == media.Video {
		interval = VideoInterval
	}
	return int((c.Length + interval - 1) / interval)
}

// Video returns the n-th video frame.
func (c Clip) Video(n int) Sample {
	every, size := c.KeyEvery, c.Size
	if every == 0 {
		every = 25
	}
	if size == 0 {
		size = 3000
	}
	codec := c.Codec
	if codec == 0 {
		codec = media.VP8
	}
	key := n%every == 0
	return Sample{codec, n, media.Frame{
		PTS: time.Duration(n) * VideoInterval, Sync: key, Data: Frame(codec, n, key, size),
	}}
}

// Audio returns the n-th piece of sound.
func (c Clip) Audio(n int) Sample {
	return Sample{media.Opus, n, media.Frame{
		PTS: time.Duration(n) * AudioInterval, Sync: true, Data: OpusFrame(n, 80),
	}}
}
