package e2e

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"weir/signaling/admin"
)

// onlyCodec has the page publish in one codec.
const onlyCodec = `(() => {
	const set = RTCRtpTransceiver.prototype.setCodecPreferences;
	RTCRtpTransceiver.prototype.setCodecPreferences = function (codecs) {
		return set.call(this, codecs.filter(({mimeType}) => /VP9|rtx/i.test(mimeType)));
	};
})()`

// TestPosters: a broadcast has a picture, whatever the browser sends and by which way; the
// server makes it of VP8, in packets and in the chunks of a MediaRecorder, and the page
// sends it of other codecs, but not while the camera is off. A recording that begins later
// has a picture that was taken later.
func TestPosters(t *testing.T) {
	c := startChrome(t)
	for _, tt := range []struct {
		name, query, prepare string
		codec, outcome       string
	}{
		{"packets", "transport=webrtc", "0", "vp8", "taken"},
		{"chunks", "transport=websocket", "0", "vp8", "taken"},
		{"another codec", "transport=webrtc", onlyCodec, "vp9", "sent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startServer(t, "--keyframe-interval", "2s")
			page := c.Open(t, s.url+"/publish?name=e2e/poster&"+tt.query)
			page.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
			eval[any](page, tt.prepare)
			page.Click("#record")
			if tt.outcome == "sent" {
				page.Click("#darken")
			}
			page.Click("#toggle")
			page.Wait("live", `document.documentElement.dataset.state === "live"`)
			if tt.outcome == "sent" {
				time.Sleep(3 * time.Second) // it is looked for each second
				if got := onlyStream(t, s).Poster; got != "" {
					t.Errorf("with the camera off there is a picture at %s", got)
				}
				page.Click("#darken")
			}
			first := awaitPoster(t, func() string { return onlyStream(t, s).Poster })
			checkPoster(t, s.url+first)
			for _, track := range onlyStream(t, s).Tracks {
				if track.Kind == "video" && track.Codec != tt.codec {
					t.Errorf("it is sent as %s", track.Codec)
				}
			}
			if n := outcomes(t, s)[tt.outcome]; n == "" || n == "0" {
				t.Errorf("outcomes %v", outcomes(t, s))
			}
			if tt.outcome == "taken" {
				checkLaterPoster(t, s, first)
			}
			page.Click("#toggle")
			page.Wait("ended", `document.documentElement.dataset.state === "ended"`)
			page.Quiet()
		})
	}
}

// checkLaterPoster has a stream recorded from now on, and another picture taken for that:
// at once, where there is another keyframe by now, which decides nothing here.
func checkLaterPoster(t *testing.T, s *testServer, first string) {
	t.Helper()
	time.Sleep(3 * time.Second)
	r, err := http.Post(s.url+"/api/v1/streams/e2e/poster/recording", "application/json", strings.NewReader(`{"action":"start"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	kept := awaitPoster(t, func() string {
		list := get[recordingList](t, s.url+"/api/v1/recordings").Recordings
		if len(list) == 0 {
			return ""
		}
		return list[0].Poster
	})
	checkPoster(t, s.url+kept)
	start := time.Now()
	second := awaitPoster(t, func() string {
		return strings.TrimPrefix(get[admin.Stream](t, s.url+"/api/v1/streams/e2e/poster").Poster, first)
	})
	t.Logf("another picture %v after the recording's", time.Since(start))
	checkPoster(t, s.url+second)
}

// posterDeadline has room for seven tries: while the machine is busy the server tries after 5 s,
// 10, 20, 40 and then 60 s.
const posterDeadline = 4 * time.Minute

func awaitPoster(t *testing.T, get func() string) string {
	t.Helper()
	for deadline := time.Now().Add(posterDeadline); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if at := get(); at != "" {
			return at
		}
	}
	t.Fatalf("no picture within %v", posterDeadline)
	return ""
}

// checkPoster checks that a JPEG shows something.
func checkPoster(t *testing.T, url string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %s, %v", url, r.Status, err)
	}
	size := picture.Bounds().Size()
	colors := map[uint32]bool{}
	for y := range size.Y {
		for x := range size.X {
			red, green, blue, _ := picture.At(x, y).RGBA()
			colors[red>>12<<8|green>>12<<4|blue>>12] = true
		}
	}
	if size != (image.Point{X: 640, Y: 360}) || len(body) > 64<<10 || len(colors) < 8 {
		t.Errorf("%s: %v, %d bytes, %d colours", url, size, len(body), len(colors))
	}
}

var outcomeLine = regexp.MustCompile(`(?m)^weir_posters_total\{outcome="(\w+)"\} (\d+)$`)

// outcomes are the counters of what became of pictures.
func outcomes(t *testing.T, s *testServer) map[string]string {
	t.Helper()
	r, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range outcomeLine.FindAllStringSubmatch(string(body), -1) {
		all[m[1]] = m[2]
	}
	return all
}
