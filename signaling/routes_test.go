package signaling

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// asked notes what it is asked, and answers with err.
type asked struct {
	err     error
	intents []Intent
}

// Authorize implements Authorizer.
func (a *asked) Authorize(_ *http.Request, i Intent) error {
	a.intents = append(a.intents, i)
	return a.err
}

// served is a Handler that answers 200 and notes its intents.
type served struct{ intents []Intent }

func (s *served) serve(_ http.ResponseWriter, _ *http.Request, i Intent) {
	s.intents = append(s.intents, i)
}

// TestRoutes: each request is asked about once, with the action of its method, and
// served with the same intent.
func TestRoutes(t *testing.T) {
	var a asked
	var s served
	routes := NewRoutes(&a, nil)
	routes.Add(Route{Pattern: "/read/{name...}", Methods: map[string]Action{http.MethodGet: ReadStream}, Serve: s.serve})
	routes.Add(Route{Pattern: "/change/{name...}", Serve: s.serve, Methods: map[string]Action{
		http.MethodGet: ReadStream, http.MethodHead: Discover, http.MethodPost: Publish, http.MethodOptions: ReadHealth,
	}})
	routes.Add(Route{Pattern: "/page", Methods: map[string]Action{AnyMethod: ReadPage}, Own: true, Serve: s.serve})
	routes.Add(Route{
		Pattern: "/target/{id}", Methods: map[string]Action{http.MethodDelete: EndSession}, Serve: s.serve,
		Target: func(r *http.Request, i *Intent) { i.Session = r.PathValue("id") },
	})
	for _, tt := range []struct {
		method, path string
		status       int
		intent       Intent // what is asked; without an action: nothing is
		unserved     bool
		allow        string
	}{
		{method: "GET", path: "/read/a/b", status: 200, intent: Intent{Action: ReadStream, Name: "a/b"}},
		{method: "HEAD", path: "/read/a", status: 200, intent: Intent{Action: ReadStream, Name: "a"}},
		{method: "GET", path: "/read/?record=maybe&replaces=x", status: 200, intent: Intent{Action: ReadStream}},
		{method: "OPTIONS", path: "/read/a", status: 204, intent: Intent{Action: Discover, Name: "a"}, unserved: true, allow: "GET, HEAD, OPTIONS"},
		{method: "POST", path: "/read/a", status: 405, allow: "GET, HEAD, OPTIONS"},
		{method: "*", path: "/read/a", status: 405, allow: "GET, HEAD, OPTIONS"},
		{method: "POST", path: "/change/a", status: 200, intent: Intent{Action: Publish, Name: "a", Record: true}},
		{method: "POST", path: "/change/a?record=no&replaces=x&replaces=y", status: 200, intent: Intent{Action: Publish, Name: "a", Replaces: "x"}},
		{method: "POST", path: "/change/a?record=maybe", status: 400},
		{method: "HEAD", path: "/change/a", status: 200, intent: Intent{Action: Discover, Name: "a"}},
		{method: "OPTIONS", path: "/change/a", status: 200, intent: Intent{Action: ReadHealth, Name: "a"}},
		{method: "DELETE", path: "/change/a", status: 405, allow: "GET, HEAD, OPTIONS, POST"},
		{method: "PROPFIND", path: "/page", status: 200, intent: Intent{Action: ReadPage}},
		{method: "DELETE", path: "/target/x", status: 200, intent: Intent{Action: EndSession, Session: "x"}},
		{method: "HEAD", path: "/target/x", status: 405, allow: "DELETE, OPTIONS"},
	} {
		what := tt.method + " " + tt.path
		a.intents, s.intents = nil, nil
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.status || w.Header().Get("Allow") != tt.allow {
			t.Errorf("%s: status %d, Allow %q", what, w.Code, w.Header().Get("Allow"))
		}
		if own := w.Header().Get("Access-Control-Allow-Origin") == ""; own != (tt.path == "/page") {
			t.Errorf("%s: %v", what, w.Header())
		}
		var want []Intent
		if tt.intent.Action != "" {
			tt.intent.Remote = "192.0.2.1:1234"
			tt.intent.From = Forwarded{For: netip.MustParseAddr("192.0.2.1"), Proto: "http", Host: "example.com"}
			want = []Intent{tt.intent}
		}
		if !slices.Equal(a.intents, want) {
			t.Errorf("%s: asked about %+v, want %+v", what, a.intents, want)
		}
		if tt.unserved {
			want = nil
		}
		if !slices.Equal(s.intents, want) {
			t.Errorf("%s: served %+v, want %+v", what, s.intents, want)
		}
	}
	var patterns []string
	for _, r := range routes.All() {
		patterns = append(patterns, r.Pattern)
	}
	if want := []string{"/change/{name...}", "/page", "/read/{name...}", "/target/{id}"}; !slices.Equal(patterns, want) {
		t.Errorf("the routes are %q", patterns)
	}
}

// TestRefusal: what may not be done is answered with the reason, and not done.
func TestRefusal(t *testing.T) {
	for _, tt := range []struct {
		err       error
		status    int
		challenge string
	}{
		{ErrNoCredentials, 401, "Bearer"},
		{ErrForbidden, 403, ""},
		{&Problem{Status: 404, Title: "No such stream", Detail: "There is none."}, 404, ""},
		{errors.New("the file of keys cannot be read"), 500, ""},
	} {
		var log bytes.Buffer
		var s served
		a := asked{err: tt.err}
		routes := NewRoutes(&a, slog.New(slog.NewTextHandler(&log, nil)))
		routes.Add(Route{Pattern: "/whip/{name...}", Methods: map[string]Action{http.MethodPost: Publish, http.MethodGet: Discover}, Serve: s.serve})
		for _, method := range []string{"POST", "OPTIONS", "GET"} {
			w := httptest.NewRecorder()
			routes.ServeHTTP(w, httptest.NewRequest(method, "/whip/a", nil))
			if w.Code != tt.status || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%s, %v: status %d, %v", method, tt.err, w.Code, w.Header())
			}
			if strings.Contains(w.Body.String(), "keys") {
				t.Errorf("the client is told %s", w.Body)
			}
		}
		if len(s.intents) != 0 || len(a.intents) != 3 {
			t.Errorf("%v: asked about %+v, served %+v", tt.err, a.intents, s.intents)
		}
		// Of sessions the log tells; what else is refused could fill it.
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "session refused") || !strings.Contains(log.String(), "stream=a") {
			t.Errorf("%v: the log says %q", tt.err, log.String())
		}
		if err := routes.Authorize(httptest.NewRequest("GET", "/", nil), Intent{Action: Watch}); err != tt.err {
			t.Errorf("a message: %v", err)
		}
	}
}

// TestRoutesWithoutAction: a route that does not say what its methods are cannot be
// added.
func TestRoutesWithoutAction(t *testing.T) {
	var s served
	for what, route := range map[string]Route{
		"no methods":  {Pattern: "/a", Serve: s.serve},
		"no action":   {Pattern: "/a", Serve: s.serve, Methods: map[string]Action{http.MethodGet: ReadPage, http.MethodPost: ""}},
		"no handler":  {Pattern: "/a", Methods: map[string]Action{http.MethodGet: ReadPage}},
		"bad pattern": {Pattern: "/{a", Serve: s.serve, Methods: map[string]Action{http.MethodGet: ReadPage}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was added", what)
				}
			}()
			NewRoutes(nil, nil).Add(route)
		}()
	}
}

// TestIntentOfMessage: what a message asks for is asked as the client of its WebSocket.
func TestIntentOfMessage(t *testing.T) {
	r := httptest.NewRequest("GET", "/compat?record=off", nil)
	r.Header.Set("User-Agent", strings.Repeat("x", 10_000))
	i, err := readIntent(r, Connect)
	if err != nil || i.Record || len(i.Client) > maxLogged+3 || i.Remote == "" {
		t.Fatalf("%+v, %v", i, err)
	}
	want := i
	want.Action, want.Name = Publish, "amlive/x"
	if got := i.As(Publish, "amlive/x"); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
