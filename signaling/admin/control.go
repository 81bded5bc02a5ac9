package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
)

// controlTimeout is how long a recording may take to carry out a command: it may be
// waiting for a disk.
const controlTimeout = 5 * time.Second

var errDiskHangs = &signaling.Problem{Status: http.StatusServiceUnavailable, Title: "Recorder is busy", RetryAfter: 5,
	Detail: "The recording waits for its disk. Try again after the time in Retry-After."}

// recordingOfStream is what follows a stream's name in the URL of its recording.
const recordingOfStream = "/recording"

// maxBody is the largest body that is taken, in bytes: a description of 2,000 characters
// may have 24,000 bytes, where each is written as two \uXXXX.
const maxBody = 64 << 10

// control is POST /api/v1/streams/{name}/recording: it starts, stops, pauses or
// resumes the recording of a live stream.
func (a *API) control(r *http.Request, i signaling.Intent) (any, error) {
	if !strings.HasSuffix(r.PathValue("name"), recordingOfStream) {
		return nil, &signaling.Problem{Status: http.StatusMethodNotAllowed, Title: "Method not allowed",
			Detail: "POST goes to /api/v1/streams/{name}/recording."}
	}
	var body struct {
		Action   string            `json:"action"`
		Metadata map[string]string `json:"metadata"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	if err := recorder.CheckMetadata(body.Metadata); err != nil {
		return nil, err
	}
	info, err := a.config.Hub.Stream(i.Name)
	if err != nil {
		return nil, noStream(err)
	}
	c := a.config.Recorder
	if c == nil {
		return nil, recorder.ErrNotFound
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), controlTimeout, errDiskHangs)
	defer cancel()
	var status recorder.Status
	switch body.Action {
	case "start":
		status, err = c.Start(ctx, info.ID, body.Metadata)
	case "stop":
		status, err = c.Stop(ctx, info.ID)
	case "pause":
		status, err = c.Pause(ctx, info.ID)
	case "resume":
		status, err = c.Resume(ctx, info.ID)
	default:
		return nil, badBody(`Send {"action":"start"}, or "stop", "pause" or "resume".`)
	}
	if errors.Is(err, recorder.ErrNotFound) { // it has ended meanwhile
		return nil, noStream(sfu.ErrNotLive)
	}
	return status, err
}

// noStream makes a 404 of the hub's error about a stream that is not there.
func noStream(err error) error {
	if !errors.Is(err, sfu.ErrNotLive) {
		return err
	}
	return &signaling.Problem{Status: http.StatusNotFound, Title: "No such stream",
		Detail: "No publisher has this name now. GET /api/v1/streams lists those that are live."}
}

// readJSON reads a body into v.
func readJSON(r *http.Request, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return badBody("The body did not arrive whole: send it again.")
	}
	if len(raw) > maxBody {
		return &http.MaxBytesError{Limit: maxBody}
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return badBody("The body must be a JSON object: " + err.Error() + ".")
	}
	return nil
}

func badBody(detail string) error {
	return &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad body", Detail: detail}
}
