package qrcode_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"weir/signaling"
	codes "weir/signaling/qrcode"
)

// ask sends a request of a client that sees the server at http://live.example.
func ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	routes := signaling.NewRoutes(nil, nil)
	codes.Register(routes)
	r := httptest.NewRequest(method, target, nil)
	r.Host = "live.example"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	routes.ServeHTTP(w, r)
	return w
}

func codeOf(to string) string { return "/qr.svg?to=" + url.QueryEscape(to) }

// TestCodes: a scanner reads what it is to read, whatever the length.
func TestCodes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random.IntN(64)]
		}
		return string(b)
	}
	own := "http://live.example"
	tests := map[string]string{ // from what is asked for to what is read
		"/":                                 own + "/",
		"/watch/acme/alice":                 own + "/watch/acme/alice",
		"/recordings/c3a91f20?t=83":         own + "/recordings/c3a91f20?t=83",
		"/watch/a#t=83":                     own + "/watch/a#t=83",
		"/watch/a?title=%22Gr%C3%BC%C3%9Fe": own + "/watch/a?title=%22Gr%C3%BC%C3%9Fe",
		"/watch/grüße":                      own + "/watch/gr%C3%BC%C3%9Fe",
		"http://live.example/watch/a":       own + "/watch/a",
		"HTTPS://LIVE.EXAMPLE:443/watch/a":  "https://LIVE.EXAMPLE:443/watch/a",
		`/\other.example/`:                  own + "/%5Cother.example/",
	}
	for n := 1; n <= 990; n += 43 {
		path := "/watch/" + letters(n)
		tests[path] = own + path
	}
	for to, want := range tests {
		w := ask("GET", codeOf(to))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", to, w.Code, w.Body)
			continue
		}
		if got, err := scan(picture(t, w.Body.Bytes())); got != want {
			t.Errorf("the code of %s says %q, want %q (%v)", to, got, want, err)
		}
	}
}

// scan reads the code in a picture, as a scanner does that has to find it first.
func scan(picture image.Image) (string, error) {
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}

// picture renders what package qrcode draws, on the dark page that it may lie on. It
// fails the test where that is more than it knows.
func picture(t *testing.T, svg []byte) image.Image {
	t.Helper()
	const scale, margin = 4, 40
	var drawing struct {
		ViewBox string `xml:"viewBox,attr"`
		Paths   []struct {
			Fill   string `xml:"fill,attr"`
			Stroke string `xml:"stroke,attr"`
			D      string `xml:"d,attr"`
		} `xml:"path"`
	}
	var side int
	if err := xml.Unmarshal(svg, &drawing); err != nil {
		t.Fatalf("%v: %s", err, svg)
	}
	if _, err := fmt.Sscanf(drawing.ViewBox, "0 0 %d", &side); err != nil || drawing.ViewBox != fmt.Sprintf("0 0 %d %[1]d", side) {
		t.Fatalf("viewBox is %q", drawing.ViewBox)
	}
	if p := drawing.Paths; len(p) != 2 || p[0].Fill != "#fff" || p[0].D != fmt.Sprintf("M0 0h%dv%[1]dH0z", side) || p[1].Stroke != "#000" {
		t.Fatalf("it is not one dark path on white: %s", svg)
	}
	page := image.NewGray(image.Rect(0, 0, side*scale+2*margin, side*scale+2*margin))
	paint := func(x, y, width, height int, tone uint8) {
		r := image.Rect(x*scale, y*scale, (x+width)*scale, (y+height)*scale).Add(image.Pt(margin, margin))
		draw.Draw(page, r, image.NewUniform(color.Gray{Y: tone}), image.Point{}, draw.Src)
	}
	paint(0, 0, side, side, 255)
	x, y := 0, 0
	step := regexp.MustCompile(`^(M(\d+) (\d+)\.5|h(\d+)|m(\d+) 0)`)
	for rest := drawing.Paths[1].D; rest != ""; {
		s := step.FindStringSubmatch(rest)
		if s == nil {
			t.Fatalf("the path goes on with %.20q", rest)
		}
		rest = rest[len(s[0]):]
		number := func(i int) int { n, _ := strconv.Atoi(s[i]); return n }
		switch s[0][0] {
		case 'M':
			x, y = number(2), number(3)
		case 'm':
			x += number(5)
		case 'h':
			if n := number(4); x < 4 || x+n > side-4 || y < 4 || y >= side-4 {
				t.Fatalf("the quiet zone is not free at %d,%d", x, y)
			}
			paint(x, y, number(4), 1, 0)
			x += number(4)
		}
	}
	return page
}

// TestAnswer: what the answer tells of itself, with a body or without.
func TestAnswer(t *testing.T) {
	w := ask("GET", codeOf("/watch/acme/alice"))
	for name, want := range map[string]string{
		"Content-Type": "image/svg+xml", "Cache-Control": "max-age=31536000, immutable", "Vary": "Sec-Fetch-Site",
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
		"Content-Length": strconv.Itoa(w.Body.Len()),
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if w.Body.Len() > 4000 {
		t.Errorf("the code of a short address has %d bytes", w.Body.Len())
	}
	head := ask("HEAD", codeOf("/watch/acme/alice"))
	if head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
	if again := ask("GET", codeOf("/watch/acme/alice")); !bytes.Equal(again.Body.Bytes(), w.Body.Bytes()) {
		t.Error("the same address has another code")
	}
}

// TestRefused: codes lead nowhere but to this server.
func TestRefused(t *testing.T) {
	for to, says := range map[string]string{
		"":                                     "Name the address",
		"https://other.example/":               "not one of this server",
		"http://live.example.other.example/":   "not one of this server",
		"http://live.example:8080/":            "not one of this server",
		"http://live.example@other.example/":   "not one of this server",
		"http://user:secret@live.example/":     "not one of this server",
		"//other.example/":                     "not one of this server",
		"watch/a":                              "not one of this server",
		"javascript:alert(1)":                  "not one of this server",
		"ftp://live.example/":                  "not one of this server",
		"http:/watch/a":                        "not one of this server",
		"http://[live.example/":                "cannot be read",
		"/watch/%zz":                           "cannot be read",
		"/watch/a\nb":                          "cannot be read",
		"/watch/" + strings.Repeat("a", 1<<10): "too long",
	} {
		w := ask("GET", codeOf(to))
		if w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%q: %d, want 400 with %q: %s", to, w.Code, says, w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%q: a refusal is kept: %v", to, w.Header())
		}
	}
	// What a page of the server says that its host is counts, but not what others say.
	for site, want := range map[string]int{"same-origin": 200, "same-site": 400, "cross-site": 400, "none": 400} {
		if w := ask("GET", codeOf("https://front.example/media/watch/a"), "Sec-Fetch-Site", site); w.Code != want {
			t.Errorf("Sec-Fetch-Site %s: %d, want %d", site, w.Code, want)
		}
		if w := ask("GET", codeOf("javascript:alert(1)"), "Sec-Fetch-Site", site); w.Code != http.StatusBadRequest {
			t.Errorf("Sec-Fetch-Site %s and a script: %d", site, w.Code)
		}
	}
	if w := ask("POST", codeOf("/")); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// BenchmarkCode: what a request may cost that nobody has to ask for.
func BenchmarkCode(b *testing.B) {
	for _, n := range []int{20, 990} {
		target := codeOf("/watch/" + strings.Repeat("a", n))
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask("GET", target)
			}
		})
	}
}
