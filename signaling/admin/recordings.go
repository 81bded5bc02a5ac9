package admin

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
)

// Recording is a recording as the API shows it.
type Recording struct {
	recorder.Recording
	Tracks []RecordingTrack `json:"tracks"`
	// BitRate is that of the whole file, in bits per second on average; absent while
	// nothing is known of its length.
	BitRate int64  `json:"bit_rate,omitempty"`
	URL     string `json:"url"`
	// Poster is where a picture of it is: another address for another picture.
	Poster string `json:"poster,omitempty"`
}

// RecordingTrack is a track of a recording as the API shows it.
type RecordingTrack struct {
	recorder.Track
	// BitRate is in bits per second, on average over the recording.
	BitRate int64 `json:"bit_rate,omitempty"`
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// recordings lists recordings, newest first: ?stream= of one stream only,
// ?prefix= of those below a name, ?search= with that in their title or name, ?quality=
// that are as good as one of these, ?state= that stand there, ?from= and ?until=
// that started in between, ?limit= at most that many, ?after= those that follow
// the one with that id.
func (a *API) recordings(r *http.Request, i signaling.Intent) (any, error) {
	q := r.URL.Query()
	limit := defaultLimit
	if given := q.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxLimit {
			return nil, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad limit",
				Detail: "limit is a number from 1 to " + strconv.Itoa(maxLimit) + "."}
		}
		limit = n
	}
	query := recorder.Query{Stream: i.Name, Prefix: q.Get("prefix"), Search: q.Get("search"), State: recorder.State(q.Get("state")), After: q.Get("after"), Limit: limit}
	if given := q.Get("quality"); given != "" {
		query.Verdicts = strings.Split(given, ",")
	}
	for name, bound := range map[string]*time.Time{"from": &query.From, "until": &query.Until} {
		if given := q.Get(name); given != "" {
			at, err := time.Parse(time.RFC3339, given)
			if err != nil {
				return nil, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad " + name,
					Detail: name + " is a time as of RFC 3339, such as 2026-01-02T15:04:05Z."}
			}
			*bound = at
		}
	}
	shown := []Recording{}
	var next *string
	if a.config.Recorder != nil {
		list, after, err := a.config.Recorder.Recordings(query)
		if errors.Is(err, recorder.ErrNotFound) {
			return nil, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad after",
				Detail: "There is no recording with the id in after. Begin again without it."}
		}
		if err != nil {
			return nil, err
		}
		for _, rec := range list {
			shown = append(shown, show(rec, i.From))
		}
		if after != "" {
			next = &after
		}
	}
	return map[string]any{"recordings": shown, "next": next}, nil
}

func (a *API) recording(_ *http.Request, i signaling.Intent) (any, error) {
	if a.config.Recorder == nil {
		return nil, recorder.ErrNotFound
	}
	rec, err := a.config.Recorder.Recording(i.Recording)
	if err != nil {
		return nil, err
	}
	return show(rec, i.From), nil
}

// show is rec as a client sees it that reached the server from there.
func show(rec recorder.Recording, from signaling.Forwarded) Recording {
	shown := Recording{
		Recording: rec, Tracks: make([]RecordingTrack, len(rec.Tracks)),
		BitRate: bitRate(rec.Bytes, rec.DurationMS), URL: from.Prefix + "/recordings/" + rec.ID + rec.Suffix(),
	}
	for n, t := range rec.Tracks {
		shown.Tracks[n] = RecordingTrack{Track: t, BitRate: bitRate(t.Bytes, rec.DurationMS)}
	}
	if path := rec.PosterPath(); path != "" {
		shown.Poster = from.Prefix + path
	}
	return shown
}

// bitRate is how many bits each second of so many milliseconds has.
func bitRate(bytes, ms int64) int64 {
	if ms <= 0 {
		return 0
	}
	return int64(float64(bytes) * 8000 / float64(ms))
}

// describe changes a recording's title and description, and replaces its metadata.
func (a *API) describe(r *http.Request, i signaling.Intent) (any, error) {
	if a.config.Recorder == nil {
		return nil, recorder.ErrNotFound
	}
	var body struct {
		Title       *string            `json:"title"`
		Description *string            `json:"description"`
		Metadata    *map[string]string `json:"metadata"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	if body.Title == nil && body.Description == nil && body.Metadata == nil {
		return nil, badBody(`Send one or more of {"title":"text","description":"text","metadata":{"name":"text"}}.`)
	}
	rec, err := a.config.Recorder.Describe(i.Recording, recorder.Change{
		TextsChange: sfu.TextsChange{Title: body.Title, Description: body.Description}, Metadata: body.Metadata,
	})
	if err != nil {
		return nil, err
	}
	return show(rec, i.From), nil
}

// remove deletes a recording.
func (a *API) remove(_ *http.Request, i signaling.Intent) (any, error) {
	if a.config.Recorder == nil {
		return nil, recorder.ErrNotFound
	}
	return nil, a.config.Recorder.Delete(i.Recording)
}
