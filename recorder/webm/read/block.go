package read

import (
	"bytes"
	"time"

	"weir/recorder/webm/ebml"
)

// block is a SimpleBlock or Block.
type block struct {
	track       int // its place in the header
	time        time.Duration
	flags       byte
	key         bool
	discardable bool
	duration    time.Duration // BlockDuration; 0 if none
	sizes       []int         // of the frames, in bytes; they add up to len(data)
	data        []byte        // the frames
}

// parseBlock parses the data of a block. It returns a reason if it cannot be used.
func (r *Reader) parseBlock(data []byte) (b block, reason string) {
	head, ok := ebml.ParseBlockHead(data)
	if !ok || len(data) == head.Bytes {
		return b, ebml.ReasonShortBlock
	}
	b.track = -1
	for i := range r.header.tracks {
		if r.header.tracks[i].Number == head.Number {
			b.track = i
		}
	}
	if b.track < 0 {
		return b, ebml.ReasonNoTrack
	}
	b.time = time.Duration(r.cluster.time+int64(head.Offset))*r.header.tick - r.header.tracks[b.track].CodecDelay
	b.flags = head.Flags
	if b.data, b.sizes, ok = ebml.Unlace(head.Flags, data[head.Bytes:], &r.sizes); !ok {
		return b, ebml.ReasonLacing
	}
	return b, ""
}

// emit gives the frames of b to the receiver, in memory of their own: in b's,
// if it is owned.
func (r *Reader) emit(b *block, owned bool) error {
	data := b.data
	if !owned {
		data = bytes.Clone(data)
	}
	t := &r.header.tracks[b.track]
	f := Frame{Track: b.track, Time: b.time, Key: b.key, Discardable: b.discardable, Duration: t.DefaultDuration}
	if b.duration > 0 {
		f.Duration = b.duration / time.Duration(len(b.sizes))
	}
	for _, size := range b.sizes {
		f.Data, data = data[:size:size], data[size:]
		if err := r.to.Frame(f); err != nil {
			return err
		}
		if len(b.sizes) > 1 {
			f.Time += r.lacedStep(t, f)
		}
	}
	return nil
}

// lacedStep returns how long after f the next frame in its block is. A block has
// one time only (RFC 9559 section 10.3).
func (r *Reader) lacedStep(t *ebml.TrackEntry, f Frame) time.Duration {
	if r.config.FrameDuration != nil && t.Codec != 0 {
		if d := r.config.FrameDuration(t.Codec, f.Data); d > 0 {
			return d
		}
	}
	return f.Duration
}
