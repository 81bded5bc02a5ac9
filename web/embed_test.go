package web

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tests share what costs time to make and keeps nothing of a request.
var (
	handler  = sync.OnceValue(Handler)
	embedded = sync.OnceValue(newSite)
	routes   = sync.OnceValue(Routes)
)

func get(t *testing.T, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w.Result()
}

func TestRoutes(t *testing.T) {
	long := strings.Repeat("a", 64)
	tests := []struct {
		target string
		status int
		kind   string
	}{
		{"/", 200, "text/html; charset=utf-8"},
		{"/publish", 200, "text/html; charset=utf-8"},
		{"/publish?name=acme/alice", 200, "text/html; charset=utf-8"},
		{"/recordings", 200, "text/html; charset=utf-8"},
		{"/recordings/c3a91f20", 200, "text/html; charset=utf-8"},
		{"/watch/alice", 200, "text/html; charset=utf-8"},
		{"/watch/acme/alice/desk/2", 200, "text/html; charset=utf-8"},
		{"/watch/" + long, 200, "text/html; charset=utf-8"},
		{"/watch/a..b", 200, "text/html; charset=utf-8"},
		{"/static/client/index.js", 200, "text/javascript; charset=utf-8"},
		{"/static/client/types/index.d.ts", 200, "application/typescript; charset=utf-8"},
		{"/static/css/tokens.css", 200, "text/css; charset=utf-8"},
		{"/static/img/favicon.svg", 200, "image/svg+xml"},

		{"/watch/", 404, "text/html; charset=utf-8"},
		{"/watch/a/b/c/d/e", 404, "text/html; charset=utf-8"},
		{"/watch/.hidden", 404, "text/html; charset=utf-8"},
		{"/watch/a%20b", 404, "text/html; charset=utf-8"},
		{"/watch/" + long + "a", 404, "text/html; charset=utf-8"},
		{"/nothing", 404, "text/html; charset=utf-8"},
		{"/static/", 404, "text/html; charset=utf-8"},
		{"/static/client/", 404, "text/html; charset=utf-8"},
		{"/static/home.html", 404, "text/html; charset=utf-8"},
		{"/static/..%2fembed.go", 404, "text/html; charset=utf-8"},
	}
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res := get(t, method, tt.target)
			if res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.kind {
				t.Errorf("%s %s = %d %q, want %d %q", method, tt.target,
					res.StatusCode, res.Header.Get("Content-Type"), tt.status, tt.kind)
			}
		}
	}
}

// TestPagesAreRelative: wherever a proxy has put the server, pages find what they refer to.
func TestPagesAreRelative(t *testing.T) {
	reference := regexp.MustCompile(`(?:src|href|action)="([^"#]+)"`)
	found := map[string]bool{}
	for _, target := range []string{
		"/", "/publish", "/recordings", "/recordings/c3a91f20", "/watch/a", "/watch/a/b/c/d", "/watch/a%2Fb", "/nothing", "/not/here/either", "/watch/", "/watch/a/b/c/d/e",
	} {
		body, err := io.ReadAll(get(t, http.MethodGet, target).Body)
		if err != nil {
			t.Fatal(err)
		}
		here, err := url.Parse("https://live.example/media" + target)
		if err != nil {
			t.Fatal(err)
		}
		references := reference.FindAllStringSubmatch(string(body), -1)
		if len(references) < 7 {
			t.Errorf("%s refers to %d things", target, len(references))
		}
		for _, ref := range references {
			there, err := here.Parse(ref[1])
			if err != nil || strings.HasPrefix(ref[1], "/") || !strings.HasPrefix(there.Path, "/media/") {
				t.Errorf("below /media, %s refers to %s", target, ref[1])
				continue
			}
			found[strings.TrimPrefix(there.Path, "/media")] = true
		}
	}
	for target := range found {
		if r := get(t, http.MethodGet, target); r.StatusCode != http.StatusOK {
			t.Errorf("a page refers to %s: %s", target, r.Status)
		}
	}
	deep, err := io.ReadAll(get(t, http.MethodGet, "/"+strings.Repeat("a/", 10000)).Body)
	if err != nil || len(deep) > 8<<10 {
		t.Errorf("a long path makes a page of %d bytes", len(deep))
	}
	for _, target := range []string{"/publish/", "/recordings/"} {
		if r := get(t, http.MethodGet, target); r.StatusCode != http.StatusPermanentRedirect || r.Header.Get("Location") != ".."+strings.TrimSuffix(target, "/") {
			t.Errorf("%s: %s to %q", target, r.Status, r.Header.Get("Location"))
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	res := get(t, http.MethodPost, "/publish")
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /publish = %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestHeadHasNoBody(t *testing.T) {
	for _, target := range []string{"/", "/nothing", "/static/client/index.js"} {
		r := httptest.NewRequest(http.MethodHead, target, nil)
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, r)
		if w.Body.Len() != 0 {
			t.Errorf("HEAD %s has a body of %d bytes", target, w.Body.Len())
		}
	}
}

func TestRevalidation(t *testing.T) {
	for _, target := range []string{"/", "/watch/alice", "/static/client/index.js"} {
		first := get(t, http.MethodGet, target)
		etag := first.Header.Get("ETag")
		if !regexp.MustCompile(`^"[A-Za-z0-9_-]{22}"$`).MatchString(etag) {
			t.Errorf("%s has the ETag %s, want a strong one", target, etag)
		}
		if got := first.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s has Cache-Control %q", target, got)
		}
		again := get(t, http.MethodGet, target, "If-None-Match", etag)
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its ETag = %d, want 304", target, again.StatusCode)
		}
		if changed := get(t, http.MethodGet, target, "If-None-Match", `"other"`); changed.StatusCode != 200 {
			t.Errorf("%s with another ETag = %d, want 200", target, changed.StatusCode)
		}
	}
}

func TestPolicyOnEveryAnswer(t *testing.T) {
	for _, target := range []string{"/", "/publish", "/nothing", "/static/css/base.css"} {
		h := get(t, http.MethodGet, target).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'",
			"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", target, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy is loose: %q", target, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", target, h)
		}
		if !strings.Contains(h.Get("Permissions-Policy"), "camera=(self)") {
			t.Errorf("%s: Permissions-Policy %q", target, h.Get("Permissions-Policy"))
		}
	}
}

// sources yields every embedded text file by its path below static/, and every page
// as it goes out.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	s := embedded()
	for name := range pages {
		found[name] = strings.ReplaceAll(string(bodyOfPage(s, name)), s.version+"/", "")
	}
	for name, f := range s.lean {
		if _, ok := s.assets[name]; !ok { // put together of those that are there
			found[name] = string(f.body)
		}
	}
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(static, name)
		found[strings.TrimPrefix(name, "static/")] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// bodyOfPage is a page as it is before it is shown at a path.
func bodyOfPage(s *site, name string) []byte {
	d := s.pages[name]
	return slices.Concat(d.before, s.headOf(d.page, "/", Head{}), d.after)
}

func TestEveryFileHasAKnownType(t *testing.T) {
	for name := range sources(t) {
		if contentTypes[path.Ext(name)] == "" {
			t.Errorf("%s would never be served: its type is not known", name)
		}
	}
}

func TestNothingInlineInPages(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a style element":    regexp.MustCompile(`(?i)<style`),
		"a style attribute":  regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=`),
		"an inline handler":  regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`),
		"a script in place":  regexp.MustCompile(`(?i)<script[^>]*>[^<]`),
		"a script sans src":  regexp.MustCompile(`(?i)<script>`),
		"something external": regexp.MustCompile(`(?i)(src|href)="(https?:)?//`),
	}
	for name, body := range sources(t) {
		if path.Ext(name) != ".html" {
			continue
		}
		for what, re := range forbidden {
			if at := re.FindString(body); at != "" {
				t.Errorf("%s has %s: %s", name, what, at)
			}
		}
	}
}

func TestScriptsMakeNoMarkup(t *testing.T) {
	re := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(`)
	for name, body := range sources(t) {
		if path.Ext(name) == ".js" && re.MatchString(body) {
			t.Errorf("%s uses %s", name, re.FindString(body))
		}
	}
}

// TestNoAbsoluteReferences: neither in scripts nor in styles, for the same reason.
func TestNoAbsoluteReferences(t *testing.T) {
	absolute := regexp.MustCompile("(?:url\\(\"|import |from |fetch\\(|href: |src: )['\"`]/[a-z]")
	for name, body := range sources(t) {
		if at := absolute.FindString(body); at != "" && (path.Ext(name) == ".js" || path.Ext(name) == ".css") {
			if !strings.Contains(body, " *     import {Publisher") { // the example in a comment
				t.Errorf("%s refers to the root: %s", name, at)
			}
		}
	}
}

var (
	absoluteRef = regexp.MustCompile(`/static/[A-Za-z0-9._/-]+\.[a-z]+(#[a-z-]+)?`)
	styleRef    = regexp.MustCompile(`url\("([^"]+)"\)`)
	importRef   = regexp.MustCompile(`\b(?:from|import|import\()\s*'([^']+)'`)
	iconRef     = regexp.MustCompile(`\b(?:icon|setIcon)\((?:[^()']*|'[^']*', )'([a-z]+)'\)`)
)

func TestReferencesExist(t *testing.T) {
	files := sources(t)
	check := func(from, target string) {
		name, fragment, _ := strings.Cut(target, "#")
		body, ok := files[name]
		if !ok {
			t.Errorf("%s refers to %s, which does not exist", from, target)
		}
		if fragment != "" && !strings.Contains(body, `id="`+fragment+`"`) {
			t.Errorf("%s refers to %s, which has no such part", from, target)
		}
	}
	for name, body := range files {
		for _, ref := range absoluteRef.FindAllString(body, -1) {
			check(name, strings.TrimPrefix(ref, "/static/"))
		}
		for _, ref := range styleRef.FindAllStringSubmatch(body, -1) {
			check(name, path.Join(path.Dir(name), ref[1]))
		}
		if path.Ext(name) != ".js" {
			continue
		}
		for _, ref := range importRef.FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(ref[1], ".") {
				continue // the example in a comment: covered above
			}
			check(name, path.Join(path.Dir(name), ref[1]))
		}
		for _, ref := range iconRef.FindAllStringSubmatch(body, -1) {
			check(name, "img/icons.svg#"+ref[1])
		}
	}
}

// TestPreloadsAreComplete: a module a page needs but does not preload costs a
// round trip for each level of imports; one it preloads in vain is a warning
// in the console.
func TestPreloadsAreComplete(t *testing.T) {
	files := sources(t)
	script := regexp.MustCompile(`<script type="module" src="/static/([^"]+)"`)
	preload := regexp.MustCompile(`<link rel="modulepreload" href="/static/([^"]+)"`)
	for name, body := range files {
		entry := script.FindStringSubmatch(body)
		if path.Ext(name) != ".html" || entry == nil {
			continue
		}
		needed := map[string]bool{}
		var follow func(module string)
		follow = func(module string) {
			for _, ref := range importRef.FindAllStringSubmatch(files[module], -1) {
				if strings.HasPrefix(ref[0], "import(") {
					continue // fetched when it is asked for
				}
				next := path.Join(path.Dir(module), ref[1])
				if strings.HasPrefix(ref[1], ".") && !needed[next] {
					needed[next] = true
					follow(next)
				}
			}
		}
		follow(entry[1])
		for _, link := range preload.FindAllStringSubmatch(body, -1) {
			if !needed[link[1]] {
				t.Errorf("%s preloads %s in vain", name, link[1])
			}
			delete(needed, link[1])
		}
		for module := range needed {
			t.Errorf("%s does not preload %s", name, module)
		}
	}
}

// TestIdsExist: what a script looks up must be in the page that loads it.
func TestIdsExist(t *testing.T) {
	files := sources(t)
	lookup := regexp.MustCompile(`byId\('([a-z-]+)'\)`)
	pages := map[string][]string{
		"home.html":       {"app/home.js"},
		"publish.html":    {"app/publish.js", "app/publish-view.js"},
		"watch.html":      {"app/watch.js", "app/player-controls.js"},
		"recordings.html": {"app/recordings.js"},
		"recording.html":  {"app/recording.js"},
	}
	for page, scripts := range pages {
		for _, script := range scripts {
			for _, id := range lookup.FindAllStringSubmatch(files[script], -1) {
				if !strings.Contains(files[page], `id="`+id[1]+`"`) {
					t.Errorf("%s looks for #%s, which is not in %s", script, id[1], page)
				}
			}
		}
	}
}
