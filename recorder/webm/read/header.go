package read

import (
	"time"

	"weir/recorder/webm/ebml"
)

// headerState is what precedes the Clusters of a Segment. It begins anew with
// each EBML header.
type headerState struct {
	started  bool
	complete bool              // a Cluster has come
	at       int64             // where it begins
	tick     time.Duration     // what timestamps count (TimestampScale); 0 until Info has come
	tracks   []ebml.TrackEntry // nil until Tracks has come
}

func newHeader(at int64) headerState { return headerState{started: true, at: at} }

// fresh reports whether the stream has not begun.
func (h *headerState) fresh() bool { return !h.started }

// wants reports whether the data of the element, Info or Tracks, are still needed.
// Once there was a Cluster, they are not.
func (h *headerState) wants(id ebml.ElementID) bool {
	if id == ebml.InfoID {
		return h.tick == 0
	}
	return h.tracks == nil
}

// readEBML reads an EBML header.
func (r *Reader) readEBML(data []byte) error {
	return ebml.CheckHeader(data, r.at, r.off-int64(len(data)))
}

// readInfo reads Info.
func (r *Reader) readInfo(data []byte) error {
	info, err := ebml.ParseInfo(data, r.off-int64(len(data)))
	r.header.tick = info.Tick
	return err
}

// readTracks reads Tracks.
func (r *Reader) readTracks(data []byte) error {
	var tracks []ebml.TrackEntry
	err := ebml.EachTrack(data, r.at, r.off-int64(len(data)), maxReadTracks, func(t ebml.TrackEntry, _ int64) {
		tracks = append(tracks, t)
	})
	if err != nil {
		return err
	}
	r.header.tracks = tracks
	given := make([]ebml.TrackEntry, len(tracks)) // so that ours cannot be changed
	copy(given, tracks)
	return r.to.Header(Header{Tracks: given})
}
