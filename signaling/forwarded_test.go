package signaling

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// through returns what a handler sees of a request that came from addr.
func through(t *testing.T, p Proxies, addr, target string, headers ...string) (*http.Request, Forwarded) {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = addr
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	var seen *http.Request
	p.inFrontOf(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r })).ServeHTTP(httptest.NewRecorder(), r)
	if seen == nil {
		t.Fatalf("%s was not served", target)
	}
	for name := range seen.Header {
		if strings.HasPrefix(name, "X-Forwarded-") {
			t.Errorf("the handler sees %s", name)
		}
	}
	return seen, ForwardedOf(seen)
}

// TestForwarded: the word of proxies that are trusted counts, and nobody else's.
func TestForwarded(t *testing.T) {
	const client, proxy, outer = "203.0.113.9", "10.0.0.1:4000", "10.0.0.2"
	for _, tt := range []struct {
		name    string
		from    string
		headers []string
		want    Forwarded
	}{
		{"direct", client + ":1", nil, Forwarded{Proto: "http", Host: "weir:8080"}},
		{"a client that lies", client + ":1", []string{"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https",
			"X-Forwarded-Host", "evil.example", "X-Forwarded-Prefix", "/evil"}, Forwarded{Proto: "http", Host: "weir:8080"}},
		{"a proxy", proxy, []string{"X-Forwarded-For", client, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "live.example",
			"X-Forwarded-Prefix", "/media/"}, Forwarded{Proto: "https", Host: "live.example", Prefix: "/media"}},
		{"a proxy over IPv4 in IPv6", "[::ffff:10.0.0.1]:4000", []string{"X-Forwarded-For", client}, Forwarded{Proto: "http", Host: "weir:8080"}},
		{"a client that lies to a proxy", proxy, []string{"X-Forwarded-For", "192.0.2.1, " + client, "X-Forwarded-Proto", "ftp, https",
			"X-Forwarded-Host", "evil.example, live.example:8443"}, Forwarded{Proto: "https", Host: "live.example:8443"}},
		{"two proxies", proxy, []string{"X-Forwarded-For", "192.0.2.1, " + client, "X-Forwarded-For", outer, "X-Forwarded-Proto", "https, http",
			"X-Forwarded-Prefix", "/a, /b"}, Forwarded{Proto: "https", Host: "weir:8080", Prefix: "/a/b"}},
		{"two proxies, of which the outer one tells", proxy, []string{"X-Forwarded-For", client + ", " + outer, "X-Forwarded-Proto", "HTTPS"},
			Forwarded{Proto: "https", Host: "weir:8080"}},
		{"with a port", proxy, []string{"X-Forwarded-For", client + ":5678"}, Forwarded{Proto: "http", Host: "weir:8080"}},
		{"nonsense in front", proxy, []string{"X-Forwarded-For", "unknown, " + client}, Forwarded{Proto: "http", Host: "weir:8080"}},
	} {
		p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		r, got := through(t, p, tt.from, "http://weir:8080/", tt.headers...)
		tt.want.For = netip.MustParseAddr(client)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if r.Host != tt.want.Host || !strings.HasPrefix(r.RemoteAddr, client) {
			t.Errorf("%s: the request is from %s to %s", tt.name, r.RemoteAddr, r.Host)
		}
	}
	// What cannot be used changes nothing.
	p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}}
	for _, headers := range [][]string{
		{"X-Forwarded-For", "unknown"}, {"X-Forwarded-For", ""}, {"X-Forwarded-Proto", "gopher"}, {"X-Forwarded-Host", "a/b"},
		{"X-Forwarded-Host", "a@b"}, {"X-Forwarded-Host", ""}, {"X-Forwarded-Prefix", "//evil.example"}, {"X-Forwarded-Prefix", "/a/../b"},
		{"X-Forwarded-Prefix", `/"><script>`}, {"X-Forwarded-Prefix", "media"}, {"X-Forwarded-Prefix", "/" + strings.Repeat("a", 65)},
	} {
		if _, got := through(t, p, proxy, "http://weir:8080/", headers...); got.Host != "weir:8080" || got.Proto != "http" ||
			got.Prefix != "" || got.For != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("%q makes %+v", headers, got)
		}
	}
}

func TestForwardedOverTLS(t *testing.T) {
	r := httptest.NewRequest("GET", "http://weir/", nil)
	r.TLS = &tls.ConnectionState{}
	if f := ForwardedOf(r); f.Proto != "https" || f.Host != "weir" || f.For != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("%+v", f)
	}
}

// TestPrefix: a proxy may take the path off or leave it there.
func TestPrefix(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
	for _, tt := range []struct{ base, told, target, path, escaped string }{
		{"/media", "", "/media/watch/a", "/watch/a", "/watch/a"},
		{"/media", "", "/watch/a", "/watch/a", "/watch/a"},
		{"/media", "", "/media/", "/", "/"},
		{"/media", "", "/mediathek", "/mediathek", "/mediathek"},
		{"/media", "", "/media/watch/a%2Fb", "/watch/a/b", "/watch/a%2Fb"},
		{"/a/b", "", "/a/b/publish", "/publish", "/publish"},
		{"", "/media", "/media/publish", "/publish", "/publish"},
		{"", "/media", "/publish", "/publish", "/publish"},
		{"", "/watch", "/watch/a", "/watch/a", "/watch/a"}, // taken off: what is left is a path of the server's
		{"/inner", "/outer", "/inner/publish", "/publish", "/publish"},
		{"", "", "/media/publish", "/media/publish", "/media/publish"},
	} {
		var headers []string
		if tt.told != "" {
			headers = []string{"X-Forwarded-Prefix", tt.told}
		}
		r, f := through(t, Proxies{BasePath: tt.base, Trusted: trusted}, "10.0.0.1:1", tt.target, headers...)
		want := tt.base
		if tt.told != "" {
			want = tt.told
		}
		if r.URL.Path != tt.path || r.URL.EscapedPath() != tt.escaped || f.Prefix != want {
			t.Errorf("%+v: %s, %s, below %q", tt, r.URL.Path, r.URL.EscapedPath(), f.Prefix)
		}
	}
}

// TestLocation: where the client is sent is below the path, also by http.ServeMux.
func TestLocation(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/made", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/session/1")
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("/near", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "../publish")
		w.WriteHeader(http.StatusSeeOther)
	})
	mux.HandleFunc("/folder/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	for base, rows := range map[string]map[string]string{
		"":       {"/made": "/session/1", "/near": "../publish", "/folder": "/folder/", "//folder/": "/folder/"},
		"/media": {"/media/made": "/media/session/1", "/made": "/media/session/1", "/media/near": "../publish", "/media/folder": "/media/folder/", "/media": "/media/"},
	} {
		h := Proxies{BasePath: base}.inFrontOf(wrap(mux, silent))
		for target, want := range rows {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "http://weir"+target, nil))
			if got := w.Header().Get("Location"); got != want {
				t.Errorf("below %q, %s: %d, Location %q, want %q", base, target, w.Code, got, want)
			}
		}
	}
}

func TestParseBasePath(t *testing.T) {
	for given, want := range map[string]string{"": "", "/": "", "/media": "/media", "/media/": "/media", "/a/b.c/d~e_f-1": "/a/b.c/d~e_f-1", "/watching": "/watching"} {
		if got, err := ParseBasePath(given); got != want || err != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
	for given, want := range map[string]string{
		"media": "such as /media", "//media": "such as /media", "/a//b": "such as /media", "/a/../b": "such as /media", "/./a": "such as /media",
		"/ä": "such as /media", "/a b": "such as /media", "http://a/b": "such as /media", "/a?b": "such as /media",
		"/watch": "weir's own", "/api/v1": "weir's own",
	} {
		if got, err := ParseBasePath(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

func TestParseTrusted(t *testing.T) {
	got, err := ParseTrusted("127.0.0.1, 10.1.2.3/8,fd00::/8 ,::1,")
	want := []string{"127.0.0.1/32", "10.0.0.0/8", "fd00::/8", "::1/128"}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i, w := range want {
		if got[i].String() != w {
			t.Errorf("%v, want %s", got[i], w)
		}
	}
	if none, err := ParseTrusted(""); len(none) > 0 || err != nil {
		t.Errorf("nothing: %v, %v", none, err)
	}
	for _, bad := range []string{"proxy.example", "10.0.0.0/33", "127.0.0.1:80"} {
		if _, err := ParseTrusted(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
