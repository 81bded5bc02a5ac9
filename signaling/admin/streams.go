package admin

import (
	"context"
	"net/http"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/media"
	"weir/signaling"
)

// Stream is a stream as the API shows it.
type Stream struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	State     string    `json:"state"`
	StartedAt time.Time `json:"started_at"`
	Source    string    `json:"source"`
	Viewers   int       `json:"viewers"`
	Title     string    `json:"title,omitempty"` // plain text, as is the description
	// Description may have several lines.
	Description string `json:"description,omitempty"`
	// Recording is the id of the one that is being written, RecordingStatus where
	// that stands.
	Recording       string           `json:"recording,omitempty"`
	RecordingStatus *recorder.Status `json:"recording_status,omitempty"`
	Tracks          []StreamTrack    `json:"tracks"`
	// Poster is where a picture of it is: another address for another picture.
	Poster string `json:"poster,omitempty"`
}

// stateWords are the states of a stream as the API names them: a contract.
var stateWords = map[sfu.State]string{
	sfu.Claimed: "connecting", sfu.Live: "live", sfu.Waiting: "waiting", sfu.Ended: "ended",
}

// StreamTrack is a track of a stream as the API shows it.
type StreamTrack struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Codec     string `json:"codec"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`
	Keyframes uint64 `json:"keyframes,omitempty"`
	Lost      uint64 `json:"lost"`
	Dropped   uint64 `json:"dropped"`
}

// streams lists what is published now; with ?name= only that stream, so that a
// client can ask whether it is live without an error if it is not.
func (a *API) streams(_ *http.Request, i signaling.Intent) (any, error) {
	var infos []sfu.StreamInfo
	if i.Name == "" {
		infos = a.config.Hub.Streams()
	} else if info, err := a.config.Hub.Stream(i.Name); err == nil {
		infos = append(infos, info)
	}
	streams := make([]Stream, len(infos))
	for n, info := range infos {
		streams[n] = a.show(info, i.From)
	}
	return map[string]any{"streams": streams, "next": nil}, nil
}

func (a *API) stream(r *http.Request, i signaling.Intent) (any, error) {
	info, err := a.config.Hub.Stream(i.Name)
	if err != nil {
		return nil, noStream(err)
	}
	s := a.show(info, i.From)
	if a.config.Recorder != nil {
		// The stream is shown even while the disk hangs.
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if status, err := a.config.Recorder.Status(ctx, info.ID); err == nil {
			s.RecordingStatus = &status
		}
	}
	return s, nil
}

// describeStream is PATCH /api/v1/streams/{name}: it changes what is said of a stream.
func (a *API) describeStream(r *http.Request, i signaling.Intent) (any, error) {
	var body struct {
		Title       *string `json:"title"`
		Description *string `json:"description"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	if body.Title == nil && body.Description == nil {
		return nil, badBody(`Send {"title":"text"}, {"description":"text"} or both; "" takes one away.`)
	}
	info, err := a.config.Hub.Describe(i.Name, sfu.TextsChange{Title: body.Title, Description: body.Description})
	if err != nil {
		return nil, noStream(err)
	}
	return a.show(info, i.From), nil
}

// show is showStream with the recording that is being written, and the poster.
func (a *API) show(i sfu.StreamInfo, from signaling.Forwarded) Stream {
	s := showStream(i)
	if a.config.Recorder != nil {
		s.Recording, _ = a.config.Recorder.Active(i.ID)
	}
	if a.config.Poster != nil {
		if path, ok := a.config.Poster(i); ok {
			s.Poster = from.Prefix + path
		}
	}
	return s
}

func showStream(i sfu.StreamInfo) Stream {
	s := Stream{
		Name: i.Name, ID: i.ID, State: stateWords[i.State], StartedAt: i.StartedAt.UTC(), Source: i.Source,
		Viewers: i.Viewers, Title: i.Title, Description: i.Description, Tracks: make([]StreamTrack, len(i.Tracks)),
	}
	for n, t := range i.Tracks {
		s.Tracks[n] = StreamTrack{
			ID: t.Info.ID, Kind: t.Info.Kind().String(), Codec: t.Info.Codec.String(),
			Width: t.Width, Height: t.Height, Packets: t.Packets, Bytes: t.Bytes, Lost: t.Lost, Dropped: t.Dropped,
		}
		if t.Info.Kind() == media.Video {
			s.Tracks[n].Keyframes = t.Keyframes
		}
	}
	return s
}
