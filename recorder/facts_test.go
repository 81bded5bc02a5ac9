package recorder

import (
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

// TestFacts: a sidecar tells where the media came from, and how many channels the sound
// has: the most of any frame.
func TestFacts(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	pub, err := hub.Publish("a", sfu.PublishOptions{Record: true, Source: "websocket"})
	if err != nil {
		t.Fatal(err)
	}
	b := &broadcast{writers: addTracks(t, pub, both...), script: func(b *broadcast) {
		for n := range 50 {
			b.audio(n, time.Duration(n)*audioStep)
			if n%2 == 0 {
				b.video(n/2, time.Duration(n/2)*videoStep)
			}
		}
	}}
	if err := pub.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	rec, _ := only(t, r, dir)
	if rec.Source != "websocket" {
		t.Errorf("the source is %q", rec.Source)
	}
	for _, track := range rec.Tracks {
		want := 0
		if track.Kind == media.Audio.String() {
			want = 2
		}
		if track.Channels != want {
			t.Errorf("%s has %d channels, want %d", track.ID, track.Channels, want)
		}
	}
}
