package signaling

import (
	"net/http"
	"strings"
)

// Action is what a request asks for.
type Action string

// The actions. A Route has the action of each of its methods.
const (
	Publish Action = "publish" // begin a session that publishes a stream
	Watch   Action = "watch"   // begin a session that watches a stream, or read from one
	// Connect opens a WebSocket whose first message tells whether it publishes or
	// watches. That message is an intent of its own (Intent.As), which the Authorizer
	// is asked about as well.
	Connect Action = "connect"

	ReadSession   Action = "session.read"
	ChangeSession Action = "session.change" // candidates, ICE restart
	EndSession    Action = "session.end"

	ListStreams  Action = "streams.list"
	ReadStream   Action = "stream.read"   // how one stands
	RecordStream Action = "stream.record" // start, stop, pause and resume its recording
	// DescribeStream changes what is said of one that is live: title and description.
	DescribeStream Action = "stream.describe"

	ListRecordings    Action = "recordings.list"
	ReadRecording     Action = "recording.read"     // what is known about one
	PlayRecording     Action = "recording.play"     // its file
	DescribeRecording Action = "recording.describe" // title, description, metadata
	DeleteRecording   Action = "recording.delete"

	ReadEvents  Action = "events.read"
	ReadMetrics Action = "metrics.read"
	ReadHealth  Action = "health.read"
	ReadPage    Action = "page.read" // pages and static files
	// Discover asks for the methods and types that a resource takes: OPTIONS, and GET
	// of an endpoint. A browser's preflight is one, and never has credentials.
	Discover Action = "discover"
)

// Intent is what a request asks for, read from it once. Names and ids are as the client
// sent them: their user checks that they are well-formed and that there is such a stream,
// session or recording.
type Intent struct {
	Action    Action
	Name      string // of the stream that it is about; empty if there is none
	Session   string // id of the session that it is about; empty if there is none
	Recording string // id of the recording that it is about; empty if there is none

	// Of a publisher.
	Record   bool   // a recording is wanted, as far as the server records
	Replaces string // id of the session whose place it is to take; may be empty
	// Title and Description are what it says of the stream to people, as it was sent.
	Title, Description string
	Stays              bool // its stream is to outlive its connection for a while also when it closes that

	// Of all.
	Client string    // the program, as it names itself (User-Agent); at most maxLogged bytes and a mark
	Remote string    // the client's address for logs, with the port if that is known
	From   Forwarded // how the client reached the server
}

// readIntent reads the intent of r. The error is a Problem.
func readIntent(r *http.Request, a Action) (Intent, error) {
	i := Intent{
		Action: a, Name: r.PathValue("name"),
		Client: clip(r.UserAgent()), Remote: r.RemoteAddr, From: ForwardedOf(r),
	}
	if a != Publish && a != Connect {
		return i, nil
	}
	var err error
	if i.Record, err = wantsRecord(r); err != nil {
		return i, err
	}
	if i.Stays, err = wantsStay(r); err != nil {
		return i, err
	}
	i.Replaces = r.URL.Query().Get("replaces")
	if i.Title, err = textOf(r, "title"); err != nil {
		return i, err
	}
	i.Description, err = textOf(r, "description")
	return i, err
}

// textOf reads a parameter that is text. The error is a Problem: a title whose percent
// sign was not written as %25 is not to be left out in silence.
func textOf(r *http.Request, name string) (string, error) {
	given, ok := parameters(r.URL.RawQuery, name)
	if !ok {
		return "", &Problem{Status: http.StatusBadRequest, Title: "Bad parameter",
			Detail: "The " + name + " cannot be read. In an address a percent sign is written as %25, an ampersand as %26, a semicolon as %3B, a space as %20 or +."}
	}
	return strings.Join(given[:min(1, len(given))], ""), nil
}

// begins reports whether i is to begin a session.
func (i Intent) begins() bool { return i.Action == Publish || i.Action == Watch || i.Action == Connect }

// As returns the intent of a message that came through the WebSocket of i.
func (i Intent) As(a Action, name string) Intent {
	i.Action, i.Name = a, name
	return i
}

// Authorizer decides which intents are allowed. It is asked once for each, before
// anything is done about it. It is safe for concurrent use.
type Authorizer interface {
	// Authorize returns nil if i is allowed, else an error for WriteError, such as
	// ErrNoCredentials, ErrForbidden or a Problem. r is the request that i was read
	// from, or that opened its WebSocket: it has the credentials.
	Authorize(r *http.Request, i Intent) error
}

// Anyone is the Authorizer of a server that allows everything to every client.
type Anyone struct{}

// Authorize implements Authorizer.
func (Anyone) Authorize(*http.Request, Intent) error { return nil }
