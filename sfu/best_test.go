package sfu

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestBest: of the encodings of one picture the largest one that is being sent is the
// best, in either form, and what is alone is always taken.
func TestBest(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		synctest.Test(t, func(t *testing.T) {
			h := newHub(t, Config{})
			p, err := h.Publish("test", PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			tracks := []media.TrackInfo{{ID: "audio", Codec: media.Opus}}
			for _, rid := range []string{"q", "h", "f"} {
				tracks = append(tracks, media.TrackInfo{ID: "video-" + rid, Codec: media.VP8, Encoding: media.Encoding{Group: "video", RID: rid}})
			}
			writers, err := p.AddTracks(form, tracks...)
			if err != nil {
				t.Fatal(err)
			}
			var all []*Track
			var sources []*source
			for _, w := range writers {
				all = append(all, w.track)
				sources = append(sources, newSource(w, nil))
			}
			want := func(when string, ids ...string) {
				t.Helper()
				var got []string
				for _, track := range Best(all) {
					got = append(got, track.Info().ID)
				}
				if !slices.Equal(got, ids) {
					t.Errorf("%s: %v, want %v", when, got, ids)
				}
			}
			wantSmallest := func(when, id string) {
				t.Helper()
				if got := Smallest(all); len(got) != 2 || got[1].Info().ID != id {
					t.Errorf("%s: %v is the smallest, want %s", when, got[len(got)-1].Info().ID, id)
				}
			}
			send := func(number int, encodings ...int) {
				for _, i := range encodings {
					data := sfutest.VP8Frame(number, true, 100)
					data[6], data[7] = byte(80*i), 0 // width, RFC 6386 section 9.1
					sources[i].write(media.Frame{PTS: p.Now(), Sync: true, Data: data})
				}
			}
			want("nothing was sent", "audio", "video-q")
			send(1, 1, 2)
			want("two of three", "audio", "video-h")
			wantSmallest("two of three", "video-q")
			send(2, 3)
			want("all of them", "audio", "video-f")
			wantSmallest("all of them", "video-q")
			time.Sleep(liveFor / 2)
			send(3, 1, 2)
			time.Sleep(liveFor/2 + time.Second/2)
			want("the largest one has stopped", "audio", "video-h")
			send(4, 2, 3)
			time.Sleep(liveFor/2 + time.Second/2)
			send(5, 3)
			wantSmallest("the smallest one has stopped", "video-h")
			time.Sleep(time.Hour)
			want("all have", "audio", "video-f")
		})
	}
}

// TestBestTurns: the best encoding may be asked for while another publisher goes on with
// the tracks in the other form.
func TestBestTurns(t *testing.T) {
	h := newHub(t, Config{Grace: grace})
	tracks := make([]media.TrackInfo, 2)
	for i, rid := range []string{"h", "f"} {
		tracks[i] = media.TrackInfo{ID: rid, Codec: media.VP8, Encoding: media.Encoding{Group: "video", RID: rid}}
	}
	publishAs := func(form Form) {
		publish(t, h, PublishOptions{}).Run(t.Context(), sourceFunc(func(_ context.Context, p *Publication) error {
			writers, err := p.AddTracks(form, tracks...)
			if err != nil {
				return err
			}
			for _, w := range writers {
				newSource(w, nil).write(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: sfutest.VP8Frame(1, true, 100)})
			}
			return ErrLost
		}))
	}
	publishAs(Packets)
	sub, err := h.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	all, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(asked)
		for !isClosed(stop) {
			if n := len(Best(all)); n != 1 {
				t.Errorf("%d tracks of one picture are the best", n)
				return
			}
		}
	}()
	for i := range 50 {
		publishAs([]Form{Frames, Packets}[i%2])
	}
	close(stop)
	<-asked
	h.Shutdown(t.Context())
}
