package web

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mostWeight is what a page may be on the wire the first time: itself and all that it
// needs, with the heads of the answers, of a server without a proxy in front of it.
const mostWeight = 60_000

// TestWeight: pages that people come to from a link stay light. What is seldom used is
// fetched when it is asked for, by import(), and does not count; nor does what is data.
func TestWeight(t *testing.T) {
	s := httptest.NewServer(handler())
	defer s.Close()
	for _, target := range []string{"/watch/acme/alice", "/publish", "/", "/recordings", "/recordings/c3a91f20"} {
		heaviest := []string{}
		body, total := weigh(t, s.Listener.Addr(), target)
		needed := neededBy(t, target, body)
		for _, name := range needed {
			_, n := weigh(t, s.Listener.Addr(), "/static/"+embedded().version+"/"+name)
			total += n
			heaviest = append(heaviest, fmt.Sprintf("%6d %s", n, name))
		}
		slices.Sort(heaviest)
		slices.Reverse(heaviest)
		t.Logf("%s: %d bytes in %d answers", target, total, len(needed)+1)
		if total > mostWeight {
			t.Errorf("%s is %d bytes on the wire the first time, of %d: fetch by import() what is seldom used. The heaviest:\n%s",
				target, total, mostWeight, strings.Join(heaviest[:min(12, len(heaviest))], "\n"))
		}
	}
}

// weigh asks as a browser does, and returns the answer's body and all of its bytes.
func weigh(t *testing.T, addr net.Addr, target string) ([]byte, int) {
	t.Helper()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: live.example\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n", target)
	var wire counter
	r, err := http.ReadResponse(bufio.NewReader(&tee{conn, &wire}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", target, r.Status)
	}
	return bodyOf(t, r), int(wire)
}

type counter int

type tee struct {
	net.Conn
	n *counter
}

// Read implements io.Reader.
func (t *tee) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	*t.n += counter(n)
	return n, err
}

// neededBy returns the assets that a page fetches by itself: what it refers to, and what
// its styles draw with where they apply.
func neededBy(t *testing.T, target string, body []byte) []string {
	t.Helper()
	files := embedded().lean
	var needed []string
	for _, ref := range regexp.MustCompile(`(?:src|href)="[./]*static/[^/"]+/([^"#]+)`).FindAllSubmatch(body, -1) {
		needed = append(needed, string(ref[1]))
	}
	text := string(body)
	for _, name := range needed {
		if path.Ext(name) == ".js" {
			text += string(files[name].body)
		}
	}
	rule := regexp.MustCompile(`([^{}]*)\{([^{}]*)\}`)
	class := regexp.MustCompile(`\.([a-z][a-z-]*)`)
	for _, style := range slices.Clone(needed) {
		if path.Ext(style) != ".css" {
			continue
		}
		for _, r := range rule.FindAllSubmatch(comment.ReplaceAll(files[style].body, nil), -1) {
			applies := true
			for _, c := range class.FindAllSubmatch(r[1], -1) {
				applies = applies && strings.Contains(text, string(c[1]))
			}
			for _, ref := range styleRef.FindAllSubmatch(r[2], -1) {
				if applies {
					needed = append(needed, path.Join(path.Dir(style), string(ref[1])))
				}
			}
		}
	}
	slices.Sort(needed)
	needed = slices.Compact(needed)
	for _, name := range needed {
		if len(files[name].body) == 0 || bytes.Contains(files[name].body, []byte("\x00")) {
			t.Errorf("%s needs %s, which is not there or no text", target, name)
		}
	}
	return needed
}
