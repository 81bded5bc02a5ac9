package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling"
)

// posterOf returns the address of the picture that the API tells of at a path, "" if
// there is none.
func posterOf(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var told struct{ Poster string }
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	return told.Poster
}

// pictureAt checks that there is a JPEG at an address.
func pictureAt(t *testing.T, url string, width, height int) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(body))
	if err != nil || r.StatusCode != http.StatusOK || c.Width != width || c.Height != height || r.Header.Get("Cache-Control") != "max-age=3600, immutable" {
		t.Errorf("%s: %s, %v, %d x %d (%v)", url, r.Status, r.Header, c.Width, c.Height, err)
	}
}

// within polls until get returns something.
func within(t *testing.T, what string, get func() string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got := get(); got != "" {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// stills is a source of keyframes, ten a second.
type stills struct{ begin chan struct{} }

// Run implements sfu.Source.
func (s *stills) Run(ctx context.Context, p *sfu.Publication) error {
	select {
	case <-s.begin:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	tracks, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.VP8})
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		tracks[0].WriteFrame(media.Frame{PTS: max(p.Now(), time.Microsecond), Sync: true, Data: sfutest.Keyframe180})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// TestPosters: of a live stream and of its recording there is a picture, which the API
// tells of, and the previews of their pages show it to those who may see them.
func TestPosters(t *testing.T) {
	s := startServer(t)
	publication, err := s.app.hub.Publish("acme/desk", sfu.PublishOptions{Record: true})
	if err != nil {
		t.Fatal(err)
	}
	source := &stills{begin: make(chan struct{})}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- publication.Run(ctx, source) }()
	defer end()
	stream := s.url + "/api/v1/streams/acme/desk"
	if got := posterOf(t, stream); got != "" {
		t.Errorf("before there is a frame: %q", got)
	}
	for _, target := range []string{"/watch/acme/desk", "/watch/acme/absent"} {
		if _, told := headOf(t, s.url+target); !strings.HasPrefix(told["og:image"], s.url+"/static/h-") {
			t.Errorf("%s: %v", target, told)
		}
	}
	close(source.begin)
	live := within(t, "a picture of the stream", func() string { return posterOf(t, stream) })
	pictureAt(t, s.url+live, 320, 180)
	if _, told := headOf(t, s.url+"/watch/acme/desk"); told["og:image"] != s.url+live || told["og:image:alt"] != "A picture of acme/desk" {
		t.Errorf("the stream's page: %v", told)
	}
	id := within(t, "the recording", func() string {
		id, _ := s.app.recorder.Active(publication.Info().ID)
		return id
	})
	recording := s.url + "/api/v1/recordings/" + id
	kept := within(t, "a picture of the recording", func() string { return posterOf(t, recording) })
	pictureAt(t, s.url+kept, 320, 180)
	end()
	<-ended
	if rec, err := s.app.recorder.Recording(id); err != nil || rec.State != recorder.Finished {
		t.Errorf("%+v, %v", rec, err)
	}
	if again := posterOf(t, recording); again != kept {
		t.Errorf("after the end it is at %q, before at %q", again, kept)
	}
	pictureAt(t, s.url+kept, 320, 180)
	if _, told := headOf(t, s.url+"/recordings/"+id); told["og:image"] != s.url+kept {
		t.Errorf("the recording's page: %v", told)
	}
	if files, err := filepath.Glob(filepath.Join(s.dataDir, "recordings", "acme", "desk", "*"+id+".jpg")); err != nil || len(files) != 1 {
		t.Errorf("files: %v, %v", files, err)
	}
}

// TestPostersInHeadsAreForThoseWhoMayWatch: who may know of a broadcast, but not see it,
// is not told where its picture is.
func TestPostersInHeadsAreForThoseWhoMayWatch(t *testing.T) {
	may := map[signaling.Action]bool{signaling.ReadPage: true, signaling.ReadStream: true, signaling.ReadRecording: true}
	dataDir := t.TempDir()
	addRecording(t, dataDir)
	base := filepath.Join(dataDir, "recordings", "acme", "desk", "20260102T030405Z-"+headRecording)
	sidecar, err := os.ReadFile(base + ".json")
	if err == nil {
		err = os.WriteFile(base+".json", []byte(strings.Replace(string(sidecar), `"gaps"`, `"poster_bytes":9,"gaps"`, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := startServerIn(t, dataDir, pageOnly{may})
	publication, err := s.app.hub.Publish("acme/desk", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer publication.Close()
	tracks, err := publication.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.VP8})
	if err != nil {
		t.Fatal(err)
	}
	tracks[0].WriteFrame(media.Frame{PTS: publication.Now(), Sync: true, Data: sfutest.Keyframe180})
	within(t, "a picture", func() string {
		path, _ := s.app.posterPath(publication.Info())
		return path[len("/streams/acme/desk/poster.jpg?v="):]
	})
	for _, target := range []string{"/watch/acme/desk", "/recordings/" + headRecording} {
		if _, told := headOf(t, s.url+target); !strings.HasPrefix(told["og:image"], s.url+"/static/h-") {
			t.Errorf("%s: %v", target, told)
		}
	}
}
