package signaling

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/peer"
	"weir/sfu/poster"
	"weir/sfu/poster/picture"
)

// Problem is a problem document (RFC 9457): an error for a client, with what it can do about it.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`

	// RetryAfter is the value of the Retry-After header in seconds; 0: none.
	RetryAfter int `json:"-"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// Errors of an Authorizer.
var (
	// ErrNoCredentials refuses a request that needs credentials and has none.
	ErrNoCredentials = errors.New("signaling: credentials are needed")
	// ErrForbidden refuses a request whose credentials do not allow its action.
	ErrForbidden = errors.New("signaling: not allowed")
)

// table has the problem document of each sentinel error. The detail is the error's own
// text if the row has none: then the text is made for the client.
var table = []struct {
	err     error
	problem Problem
}{
	{sfu.ErrBadName, Problem{Status: http.StatusBadRequest, Title: "Bad stream name"}},
	{sfu.ErrBadTitle, Problem{Status: http.StatusBadRequest, Title: "Bad title"}},
	{sfu.ErrBadDescription, Problem{Status: http.StatusBadRequest, Title: "Bad description"}},
	{sfu.ErrNameTaken, Problem{Status: http.StatusConflict, Title: "Name is taken", RetryAfter: 5,
		Detail: "Another publisher has this name. Choose another name, or try again when it has stopped."}},
	{sfu.ErrNotLive, Problem{Status: http.StatusConflict, Title: "Not live", RetryAfter: 1,
		Detail: "No publisher is live under this name now. Try again after the time in Retry-After."}},
	{sfu.ErrEnded, Problem{Status: http.StatusConflict, Title: "Not live", RetryAfter: 1,
		Detail: "The stream has just ended. Try again after the time in Retry-After."}},
	{sfu.ErrShutdown, Problem{Status: http.StatusServiceUnavailable, Title: "Shutting down", RetryAfter: 5,
		Detail: "The server is about to stop. Try again after the time in Retry-After."}},
	{ErrNoCredentials, Problem{Status: http.StatusUnauthorized, Title: "Credentials are needed",
		Detail: "Send Authorization: Bearer with a token that allows this."}},
	{ErrForbidden, Problem{Status: http.StatusForbidden, Title: "Not allowed",
		Detail: "The token that you have sent does not allow this. Ask the operator of the server for one that does."}},
	{peer.ErrOffer, Problem{Status: http.StatusBadRequest, Title: "Bad offer"}},
	{peer.ErrUnsupported, Problem{Status: http.StatusUnprocessableEntity, Title: "Unsupported offer"}},
	{peer.ErrBusy, Problem{Status: http.StatusServiceUnavailable, Title: "Too busy", RetryAfter: 2,
		Detail: "Too many clients are connecting at this moment. Try again after the time in Retry-After."}},
	{peer.ErrLost, Problem{Status: http.StatusNotFound, Title: "No such session",
		Detail: "The session has ended. POST a new offer to the endpoint."}},
	{peer.ErrNoMedia, Problem{Status: http.StatusGone, Title: "Nothing to be used",
		Detail: "The server got packets, but none that it can use: they belong to no section of the offer, or are of a payload type that was not negotiated. Publish again with the offer and the answer as they are."}},
	{poster.ErrTooSoon, Problem{Status: http.StatusTooManyRequests, Title: "Too soon", RetryAfter: 10,
		Detail: "A poster of this stream has just come. Send one a minute."}},
	{picture.ErrTooLarge, Problem{Status: http.StatusRequestEntityTooLarge, Title: "Poster is too large",
		Detail: "A poster has at most 65536 bytes, and 640 pixels on each side."}},
	{picture.ErrBroken, Problem{Status: http.StatusBadRequest, Title: "Not a JPEG",
		Detail: "The poster cannot be read as a JPEG. Send a whole one."}},
	{recorder.ErrNoPoster, Problem{Status: http.StatusNotFound, Title: "No poster",
		Detail: "There is no picture of this recording: it has none, or none could be taken of it yet."}},
	{recorder.ErrActive, Problem{Status: http.StatusConflict, Title: "Recording goes on",
		Detail: "This recording has not ended yet. Stop it first."}},
	{recorder.ErrNotRecording, Problem{Status: http.StatusConflict, Title: "Not recording",
		Detail: "The stream is not being recorded. Start that first."}},
	{recorder.ErrNoSpace, Problem{Status: http.StatusInsufficientStorage, Title: "Disk is full", RetryAfter: 5}},
	{recorder.ErrMetadata, Problem{Status: http.StatusBadRequest, Title: "Too much metadata"}},
	{recorder.ErrNotFound, Problem{Status: http.StatusNotFound, Title: "No such recording",
		Detail: "There is no recording with this id. GET /api/v1/recordings lists those that exist."}},
}

// WriteError answers with the problem document for err. An error that is in no
// row is the server's own fault: its text stays in the server. It returns the
// status that was sent.
func WriteError(w http.ResponseWriter, err error) int {
	p := problemFor(err)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 section 3
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have gone
	return p.Status
}

// MethodNotAllowed answers a request whose method is none of allowed, such as
// "GET, HEAD".
func MethodNotAllowed(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	WriteError(w, &Problem{Status: http.StatusMethodNotAllowed, Title: "Method not allowed",
		Detail: "This URL takes " + allowed + "."})
}

func problemFor(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Title: "Too large",
			Detail: "The body may have " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes at most."}
	}
	for _, row := range table {
		if errors.Is(err, row.err) {
			p := row.problem
			if p.Detail == "" {
				p.Detail = clientText(err)
			}
			return &p
		}
	}
	return &Problem{Status: http.StatusInternalServerError, Title: "Internal error",
		Detail: "The server could not do this. Its log says why."}
}

// clientText is the text of err without the name of the package it comes from.
func clientText(err error) string {
	text := err.Error()
	if name, rest, ok := strings.Cut(text, ": "); ok && !strings.Contains(name, " ") {
		text = rest
	}
	return text
}
