package sfu

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// turnRow is publishers that go on with one stream in turn.
type turnRow struct {
	name  string
	forms []Form
}

var turnRows = []turnRow{
	{"to frames and back", []Form{Packets, Frames, Packets}},
	{"to packets and back", []Form{Frames, Packets, Frames}},
	{"to and fro", []Form{Packets, Frames, Packets, Frames, Frames, Packets}},
}

// turnReader notes what a reader of a form gets.
type turnReader struct {
	mu      sync.Mutex
	packets map[media.Codec][]*media.Packet
	frames  map[media.Codec][]*media.Frame
	lagged  int
}

func newTurnReader() *turnReader {
	return &turnReader{packets: map[media.Codec][]*media.Packet{}, frames: map[media.Codec][]*media.Frame{}}
}

// WritePackets implements PacketWriter.
func (r *turnReader) WritePackets(t *Track, batch []*media.Packet, lagged bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets[t.info.Codec] = append(r.packets[t.info.Codec], batch...)
	if lagged {
		r.lagged++
	}
}

// attach reads the packets of all tracks, as a viewer.
func (r *turnReader) attach(t *testing.T, sub *Subscription, tracks []*Track) {
	t.Helper()
	a, err := sub.Attach(r, tracks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
}

// follow reads the frames of all tracks.
func (r *turnReader) follow(ctx context.Context, tracks []*Track) {
	for _, t := range tracks {
		c := t.AllFrames()
		go readAll(ctx, c, func(batch []*media.Frame, lagged bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.frames[t.info.Codec] = append(r.frames[t.info.Codec], batch...)
			if lagged {
				r.lagged++
			}
		})
	}
}

const turnPictures = 20 // of each publisher

// publishInTurn has publishers go on with one stream, each in its form, and calls
// between before each but the first. It returns the stream's id.
func publishInTurn(t *testing.T, h *Hub, forms []Form, between func(n int)) string {
	t.Helper()
	id := ""
	for n, form := range forms {
		if n > 0 {
			between(n)
			time.Sleep(time.Second)
		}
		p := publish(t, h, PublishOptions{Source: fmt.Sprint(form)})
		p.Run(t.Context(), lostSource{form: form, first: n * turnPictures, n: turnPictures, sound: true})
		synctest.Wait()
		i := wantState(t, h, Waiting)
		if id != "" && i.ID != id {
			t.Fatalf("publisher %d begins another stream", n)
		}
		if id = i.ID; i.Source != fmt.Sprint(form) {
			t.Errorf("the stream's source is %q", i.Source)
		}
	}
	return id
}

// TestFormTurns: whatever form the next publisher writes, readers of both forms read
// on. They get every picture and sound once; numbers and times go on, with one
// discontinuity for each change of publisher.
func TestFormTurns(t *testing.T) {
	for _, row := range turnRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTurnReader()
				h := newHub(t, Config{Grace: time.Minute, Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
					return sinkFunc(func(ctx context.Context, s *Subscription) error {
						tracks, err := s.Tracks(ctx)
						if err != nil {
							return err
						}
						r.attach(t, s, tracks)
						r.follow(ctx, tracks)
						<-s.Done()
						return nil
					})
				}}})
				publishInTurn(t, h, row.forms, func(int) {})
				h.Shutdown(t.Context())
				synctest.Wait()
				if r.lagged != 0 {
					t.Errorf("readers lagged %d times", r.lagged)
				}
				for _, c := range []media.Codec{media.VP8, media.Opus} {
					checkTurnedFrames(t, c, r.frames[c], len(row.forms))
					checkTurnedPackets(t, c, r.packets[c], row.forms)
				}
			})
		})
	}
}

// checkTurnedFrames checks the frames that a reader has of n publishers.
func checkTurnedFrames(t *testing.T, c media.Codec, got []*media.Frame, n int) {
	t.Helper()
	if len(got) != n*turnPictures {
		t.Fatalf("%v: %d frames, want %d", c, len(got), n*turnPictures)
	}
	clip := sfutest.Clip{Length: time.Hour, KeyEvery: 1}
	for i, f := range got {
		want := clip.Video(i).Frame.Data
		if c == media.Opus {
			want = clip.Audio(i).Frame.Data
		}
		if !slices.Equal(f.Data, want) {
			t.Errorf("%v: frame %d is another one", c, i)
		}
		if i == 0 {
			continue
		}
		seam, step := i%turnPictures == 0, f.PTS-got[i-1].PTS
		if f.Gap != seam || seam && (step < time.Second || step > 2*time.Second) || !seam && (step < 39*ms || step > 41*ms) {
			t.Errorf("%v: frame %d comes %v after the one before; gap: %v", c, i, step, f.Gap)
		}
	}
}

// checkTurnedPackets is checkTurnedFrames for packets, of publishers with these forms.
func checkTurnedPackets(t *testing.T, c media.Codec, got []*media.Packet, forms []Form) {
	t.Helper()
	starts := 0
	for _, p := range got {
		if p.Start {
			starts++
		}
	}
	frames := len(forms)*turnPictures - starts // that came before it began to read
	if frames < 0 || frames > 1 || frames > 0 && c != media.Opus {
		t.Fatalf("%v: packets of %d frames, want %d", c, starts, len(forms)*turnPictures)
	}
	for i, p := range got {
		publisher := frames / turnPictures
		if p.Start {
			frames++
		}
		if i == 0 {
			continue
		}
		last, step := got[i-1], uint64(1)
		// Frames that go on in frames are packetized as if nothing had been.
		if p.Start && frames%turnPictures == 1 && (forms[publisher] == Packets || forms[publisher-1] == Packets) {
			step = 2
			if !p.Discontinuity || !p.Sync {
				t.Errorf("%v: packet %d is no discontinuity", c, i)
			}
		}
		ticks := int64(p.Time - last.Time)
		if p.Seq != last.Seq+step || ticks < 0 || (ticks == 0) == p.Start {
			t.Errorf("%v: packet %d has number %d after %d, and its time is %d later", c, i, p.Seq, last.Seq, ticks)
		}
		if off := ticks - c.Ticks(p.PTS-last.PTS); off < -c.Ticks(2*ms) || off > c.Ticks(2*ms) {
			t.Errorf("%v: packet %d is shown %v later, and its time is %d later", c, i, p.PTS-last.PTS, ticks)
		}
	}
}

// TestFormTurnsUnread: readers may come and go between publishers, and while nobody
// reads a form it costs nothing.
func TestFormTurnsUnread(t *testing.T) {
	for _, row := range turnRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, Config{Grace: time.Minute})
				var late []*turnReader
				publishInTurn(t, h, row.forms, func(n int) {
					sub, err := h.Subscribe("s")
					if err != nil {
						t.Fatal(err)
					}
					defer sub.Close()
					tracks, err := sub.Tracks(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, track := range tracks {
						packets, frames, native := track.rings()
						if n == 1 && (packets == nil) == (native == Packets) || n == 1 && (frames == nil) == (native == Frames) {
							t.Errorf("rings of %v and %v, native: %v", packets != nil, frames != nil, native)
						}
					}
					r := newTurnReader()
					r.attach(t, sub, tracks)
					ctx, stop := context.WithCancel(t.Context())
					r.follow(ctx, tracks)
					if n%2 == 0 {
						t.Cleanup(stop)
						late = append(late, r)
						return
					}
					stop() // it has left when the next publisher comes
				})
				h.Shutdown(t.Context())
				synctest.Wait()
				for _, r := range late {
					for _, c := range []media.Codec{media.VP8, media.Opus} {
						frames := r.frames[c]
						for i := 1; i < len(frames); i++ {
							if frames[i].PTS <= frames[i-1].PTS {
								t.Errorf("%v: frame %d is shown at %v, the one before at %v", c, i, frames[i].PTS, frames[i-1].PTS)
							}
						}
						packets := r.packets[c]
						for i := 1; i < len(packets); i++ {
							if packets[i].Seq <= packets[i-1].Seq || packets[i].Time < packets[i-1].Time {
								t.Errorf("%v: packet %d has number %d after %d", c, i, packets[i].Seq, packets[i-1].Seq)
							}
						}
						if len(frames) < turnPictures || len(packets) < turnPictures {
							t.Errorf("%v: a reader that came late has %d frames and %d packets", c, len(frames), len(packets))
						}
					}
				}
			})
		})
	}
}
