package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"weir/signaling"
)

// wantRoutes are all resources of the server, with what each method asks for. A new one
// has to be added here: think of who may do it.
var wantRoutes = map[string]map[string]signaling.Action{
	"/whip/{name...}":          {"POST": "publish", "GET": "discover", "OPTIONS": "discover"},
	"/whep/{name...}":          {"POST": "watch", "GET": "discover", "OPTIONS": "discover"},
	"/session/{id...}":         {"GET": "session.read", "PATCH": "session.change", "DELETE": "session.end", "OPTIONS": "discover"},
	"/session/{id}/poster.jpg": {"PUT": "session.change"},
	"/streams/{name...}":       {"GET": "watch"},
	"/ws/publish/{name...}":    {"GET": "publish"},
	"/ws/watch/{name...}":      {"GET": "watch"},

	"/compat/amlive/{$}":                           {"GET": "connect"},
	"/compat/amlive/ws":                            {"GET": "connect"},
	"/compat/amlive/w/{id}/meta.webm":              {"GET": "watch"},
	"/compat/amlive/w/{file}":                      {"GET": "recording.read"},
	"/compat/amlive/w/{id}/{$}":                    {"GET": "page.read"},
	"/compat/node-videostream/blob-in/{name...}":   {"GET": "publish"},
	"/compat/node-videostream/chunk-in/{name...}":  {"GET": "publish"},
	"/compat/node-videostream/blob-out/{name...}":  {"GET": "watch"},
	"/compat/node-videostream/chunk-out/{name...}": {"GET": "watch"},

	"/api/v1/streams":           {"GET": "streams.list"},
	"/api/v1/streams/{name...}": {"GET": "stream.read", "POST": "stream.record", "PATCH": "stream.describe"},
	"/api/v1/recordings":        {"GET": "recordings.list"},
	"/api/v1/recordings/{id}":   {"GET": "recording.read", "PATCH": "recording.describe", "DELETE": "recording.delete"},
	"/api/v1/events":            {"GET": "events.read"},
	"/api/":                     {"*": "discover"},
	"/recordings/{file}":        {"GET": "recording.play"},
	"/metrics":                  {"GET": "metrics.read"},
	"/healthz":                  {"GET": "health.read"},
	"/readyz":                   {"GET": "health.read"},

	"/":                 {"*": "page.read"},
	"/{$}":              {"*": "page.read"},
	"/publish":          {"*": "page.read"},
	"/publish/{$}":      {"*": "page.read"},
	"/recordings":       {"*": "page.read"},
	"/recordings/{$}":   {"*": "page.read"},
	"/watch/{name...}":  {"*": "page.read"},
	"/static/{path...}": {"*": "page.read"},
	"/qr.svg":           {"GET": "page.read"},
}

// TestRoutesHaveActions: what the server serves is what wantRoutes says.
func TestRoutesHaveActions(t *testing.T) {
	s := startServer(t)
	found := map[string]bool{}
	for _, route := range s.app.routes.All() {
		found[route.Pattern] = true
		want, known := wantRoutes[route.Pattern]
		if !known {
			t.Errorf("%s is new: say in wantRoutes what its methods ask for", route.Pattern)
			continue
		}
		if len(route.Methods) != len(want) {
			t.Errorf("%s has %v, want %v", route.Pattern, route.Methods, want)
		}
		for method, action := range want {
			if route.Methods[method] != action {
				t.Errorf("%s %s is %q, want %q", method, route.Pattern, route.Methods[method], action)
			}
		}
	}
	for pattern := range wantRoutes {
		first, _, _ := strings.Cut(pattern[1:], "/")
		if _, err := signaling.ParseBasePath("/" + first + "/x"); err == nil && first != "" && first != "{$}" {
			t.Errorf("/%s may be the path below which a proxy puts the server: add it to the roots of signaling", first)
		}
		if !found[pattern] {
			t.Errorf("%s is served no more", pattern)
		}
	}
}

// TestOneMux: nothing is served past the routes. Package web makes a mux for its own
// tests, profiles have a listener of their own.
func TestOneMux(t *testing.T) {
	muxes := regexp.MustCompile(`http\.(NewServeMux|ServeMux\{|DefaultServeMux|Handle\(|HandleFunc\()`)
	var found []string
	for _, dir := range []string{"cmd", "sfu", "signaling", "recorder", "web"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := os.ReadFile(name)
			if muxes.Match(source) {
				relative, _ := filepath.Rel(root, name)
				found = append(found, filepath.ToSlash(relative))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"cmd/weir/debug.go", "signaling/routes.go", "web/routes.go"}; !slices.Equal(found, want) {
		t.Errorf("there are muxes in %q, want them in %q only: add routes to signaling.Routes", found, want)
	}
}

// refuser refuses everything, and notes what.
type refuser struct {
	mu    sync.Mutex
	asked []signaling.Intent
}

// Authorize implements signaling.Authorizer.
func (f *refuser) Authorize(_ *http.Request, i signaling.Intent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, i)
	return signaling.ErrForbidden
}

// TestAllIsAuthorized: whatever a request is for, the Authorizer is asked about it once,
// and when it refuses nothing is done: a WebSocket is not opened, no name is claimed.
func TestAllIsAuthorized(t *testing.T) {
	f := &refuser{}
	s := startServerWith(t, f)
	for _, route := range s.app.routes.All() {
		path := strings.NewReplacer("{name...}", "a/b", "{id...}", "abc", "{id}", "abc", "{file}", "abc.webm", "{path...}", "client/index.js", "{$}", "").Replace(route.Pattern)
		methods := []string{"HEAD", "OPTIONS"}
		for method := range route.Methods {
			methods = append(methods, strings.ReplaceAll(method, signaling.AnyMethod, "GET"))
		}
		for _, method := range methods {
			if method == "HEAD" && route.Methods["GET"] == "" && route.Methods[signaling.AnyMethod] == "" {
				continue
			}
			f.asked = nil
			r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader([]byte("v=0")))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{
				"Content-Type": {"application/sdp"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
				"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusForbidden || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: status %d, %v", method, path, response.StatusCode, response.Header)
			}
			if len(f.asked) != 1 {
				t.Errorf("%s %s: asked %d times: %+v", method, path, len(f.asked), f.asked)
			}
		}
	}
	if len(s.app.hub.Streams()) != 0 || len(s.app.sessions.Sessions()) != 0 {
		t.Errorf("there are streams %+v and sessions %+v", s.app.hub.Streams(), s.app.sessions.Sessions())
	}
}
