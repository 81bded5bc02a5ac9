package layout

import (
	"strings"

	"weir/recorder/webm/ebml"
)

// liveInfo is info without what is only for files.
type liveInfo struct {
	TimecodeScale uint64 `ebml:"TimecodeScale"`
	MuxingApp     string `ebml:"MuxingApp"`
	WritingApp    string `ebml:"WritingApp"`
}

// RenderInit returns the initialization segment of a live stream: EBML header, Segment
// of unknown size, Info without Duration, Tracks.
func RenderInit(writingApp string, tracks []ebml.TrackEntry) ([]byte, error) {
	b, err := renderEBML(tracks)
	if err != nil {
		return nil, err
	}
	app := strings.ToValidUTF8(writingApp, "\uFFFD")
	if app == "" {
		app = ebml.MuxingApp
	}
	inf, err := marshal(&struct {
		Info liveInfo `ebml:"Info"`
	}{liveInfo{TimecodeScale: timestampScale, MuxingApp: ebml.MuxingApp, WritingApp: app}})
	if err != nil {
		return nil, err
	}
	b = ebml.AppendID(b, ebml.SegmentID)
	b = append(b, ebml.UnknownSize...)
	b = append(b, inf...)
	return appendTracks(b, tracks, &Layout{})
}

// RenderUnknown returns the children of an Info for a file whose own is lost.
func RenderUnknown() ([]byte, error) {
	return marshal(&liveInfo{TimecodeScale: timestampScale, MuxingApp: "unknown", WritingApp: ebml.MuxingApp})
}
