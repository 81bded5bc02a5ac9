package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// bodyOf reads an answer, and unpacks it if it is compressed.
func bodyOf(t *testing.T, r *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestEncodingFor(t *testing.T) {
	for _, tt := range []struct{ accept, gzipped, plain string }{
		{"", "identity", "identity"},
		{"gzip, deflate, br, zstd", "gzip", "identity"},
		{"br, zstd", "identity", "identity"},
		{"GZIP", "gzip", "identity"},
		{"x-gzip", "gzip", "identity"},
		{"*", "gzip", "identity"},
		{"gzip;q=0", "identity", "identity"},
		{"gzip;q=0, *", "identity", "identity"},
		{"gzip; q=0.0", "identity", "identity"},
		{"gzip;q=0.001", "gzip", "identity"},
		{"gzip;q=0.5, identity", "identity", "identity"},
		{"gzip;q=0.5, identity;q=0.5", "gzip", "identity"},
		{"identity;q=0.1, gzip;Q=0.2", "gzip", "identity"},
		{"identity", "identity", "identity"},
		{"identity;q=0, gzip", "gzip", ""},
		{"identity;q=0, *", "gzip", ""},
		{"identity;q=0", "", ""},
		{"*;q=0", "", ""},
		{"*;q=0, identity", "identity", "identity"},
		{"*;q=0, gzip;q=0.1", "gzip", ""},
		{"gzip;q=2", "identity", "identity"},
		{"gzip;q=NaN", "identity", "identity"},
		{"gzip;q=", "identity", "identity"},
		{",,;,gzip", "gzip", "identity"},
	} {
		h := http.Header{}
		if tt.accept != "" {
			h.Set("Accept-Encoding", tt.accept)
		}
		if got := encodingFor(h, true); got != tt.gzipped {
			t.Errorf("%q: %q, want %q", tt.accept, got, tt.gzipped)
		}
		if got := encodingFor(h, false); got != tt.plain {
			t.Errorf("%q where there is no gzip: %q, want %q", tt.accept, got, tt.plain)
		}
	}
	lines := http.Header{"Accept-Encoding": {"br", "gzip"}}
	if got := encodingFor(lines, true); got != "gzip" {
		t.Errorf("in two lines: %q", got)
	}
}

// TestCompressed: what goes out compressed is the same, with a length and a tag of its own.
func TestCompressed(t *testing.T) {
	ask := func(method, target string, header ...string) *http.Response { return get(t, method, target, header...) }
	for target, status := range map[string]int{
		"/": 200, "/watch/acme/alice": 200, "/nothing": 404,
		"/static/client/index.js": 200, "/static/css/frame.css": 200, "/static/img/icons.svg": 200,
	} {
		plain := ask("GET", target)
		zipped := ask("GET", target, "Accept-Encoding", "gzip, br")
		length := zipped.Header.Get("Content-Length")
		packed, err := io.ReadAll(zipped.Body)
		if err != nil || strconv.Itoa(len(packed)) != length {
			t.Errorf("%s: %d bytes, Content-Length %q (%v)", target, len(packed), length, err)
		}
		zipped.Body = io.NopCloser(bytes.NewReader(packed))
		for _, r := range []*http.Response{plain, zipped} {
			if r.StatusCode != status || r.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %s, %v", target, r.Status, r.Header)
			}
		}
		if zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: %v", target, zipped.Header)
		}
		body := bodyOf(t, plain)
		if got := bodyOf(t, zipped); !bytes.Equal(body, got) || len(packed) >= len(body) {
			t.Errorf("%s: %d bytes, and of %d packed ones come %d", target, len(body), len(packed), len(got))
		}
		if head := ask("HEAD", target, "Accept-Encoding", "gzip"); head.Header.Get("Content-Length") != length ||
			head.Header.Get("ETag") != zipped.Header.Get("ETag") || len(bodyOf(t, &http.Response{Body: head.Body})) != 0 {
			t.Errorf("HEAD %s: %v, want as of GET %v", target, head.Header, zipped.Header)
		}
		if refused := ask("GET", target, "Accept-Encoding", "*;q=0"); refused.StatusCode != http.StatusNotAcceptable {
			t.Errorf("%s to a client that takes nothing: %s", target, refused.Status)
		}
		if status != 200 {
			continue
		}
		tags := []string{plain.Header.Get("ETag"), zipped.Header.Get("ETag")}
		if tags[0] == tags[1] || tags[0] == "" {
			t.Errorf("%s: two representations have the strong tags %q", target, tags)
		}
		for i, accept := range []string{"identity", "gzip"} {
			again := ask("GET", target, "Accept-Encoding", accept, "If-None-Match", tags[i])
			if again.StatusCode != http.StatusNotModified || again.Header.Get("Vary") != "Accept-Encoding" || again.Header.Get("Content-Length") != "" {
				t.Errorf("%s again, %s: %s, %v", target, accept, again.Status, again.Header)
			}
			if other := ask("GET", target, "Accept-Encoding", accept, "If-None-Match", tags[1-i]); other.StatusCode != 200 {
				t.Errorf("%s, %s, with the tag of the other one: %s", target, accept, other.Status)
			}
		}
		if part := ask("GET", target, "Range", "bytes=0-9"); part.StatusCode != http.StatusPartialContent {
			t.Errorf("a part of %s: %s", target, part.Status)
		}
		if part := ask("GET", target, "Range", "bytes=0-9", "Accept-Encoding", "gzip"); part.StatusCode != 200 || !bytes.Equal(bodyOf(t, part), body) {
			t.Errorf("a part of %s, compressed: %s", target, part.Status)
		}
		if failed := ask("GET", target, "Accept-Encoding", "gzip", "If-Match", `"other"`); failed.StatusCode != http.StatusPreconditionFailed || failed.Header.Get("Content-Length") != "" {
			t.Errorf("%s if it is another one: %s, %v", target, failed.Status, failed.Header)
		}
	}
}

// TestAddressesWithAHash: all that a page refers to, down to what its scripts import and
// its styles draw with, has an address that changes with it and is kept for good.
func TestAddressesWithAHash(t *testing.T) {
	s := embedded()
	if !regexp.MustCompile(`^h-[A-Za-z0-9_-]{12}$`).MatchString(s.version) {
		t.Fatalf("the version is %q", s.version)
	}
	reference := regexp.MustCompile(`(?:src|href)="([^"#]*static/[^"#]+)`)
	for name := range pages {
		for _, ref := range reference.FindAllStringSubmatch(string(bodyOfPage(s, name)), -1) {
			if !strings.HasPrefix(ref[1], "/static/"+s.version+"/") {
				t.Errorf("%s refers to %s", name, ref[1])
			}
		}
	}
	for name, f := range s.lean {
		r := get(t, "GET", "/static/"+s.version+"/"+name)
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !bytes.Equal(bodyOf(t, r), f.body) {
			t.Errorf("%s: %s, %v", name, r.Status, r.Header)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || path.Ext(name) == ".svg" && r.Header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("%s: %v", name, r.Header)
		}
		if open := r.Header.Get("Access-Control-Allow-Origin"); open != "" {
			t.Errorf("%s is for pages of other origins, which are to import it without the hash: %v", name, r.Header)
		}
	}
	if r := get(t, "GET", "/static/client/viewer.js"); r.Header.Get("Access-Control-Allow-Origin") != "*" || !bytes.Contains(bodyOf(t, r), []byte("/**")) {
		t.Errorf("the library is not as it is written, for everybody: %v", r.Header)
	}
	// A server of another version is asked: nobody may keep what it has instead.
	for _, target := range []string{"/static/h-0123456789ab/app/watch.js", "/static/app/watch.js", "/static/client/index.js"} {
		if r := get(t, "GET", target); r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %s, %v", target, r.Status, r.Header)
		}
	}
	for _, target := range []string{"/static/" + s.version, "/static/" + s.version + "/", "/static/" + s.version + "/none.js", "/static/" + s.version + "/" + s.version + "/app/watch.js"} {
		if r := get(t, "GET", target); r.StatusCode != 404 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %v", target, r.Status, r.Header)
		}
	}
}

// TestVersionIsOfAllAssets: a change of one of them, or of its name, is another version.
func TestVersionIsOfAllAssets(t *testing.T) {
	assets := load(static)
	before := versionOf(assets)
	if again := versionOf(load(static)); again != before {
		t.Errorf("the same assets have the versions %s and %s", before, again)
	}
	f := assets["app/watch.js"]
	assets["app/watch.js"] = newFile(append([]byte("// "), f.body...), f.kind)
	if versionOf(assets) == before {
		t.Error("a change of a script is no new version")
	}
	delete(assets, "app/watch.js")
	assets["app/other.js"] = f
	if versionOf(assets) == before {
		t.Error("another name is no new version")
	}
}
