package sfu

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/sfutest"
)

const grace = 10 * time.Second

// lostSource writes n pictures from the first one of clip on, and a sound with
// each, and is lost, or ends with why if that is given.
type lostSource struct {
	form    Form
	first   int
	n       int
	why     error
	sound   bool
	picture media.Codec // VP8 if absent
}

func (l lostSource) Run(_ context.Context, p *Publication) error {
	codecs := []media.Codec{cmp.Or(l.picture, media.VP8)}
	if l.sound {
		codecs = append(codecs, media.Opus)
	}
	var sources []*source
	writers, err := p.AddTracks(l.form, infos(codecs...)...)
	if err != nil {
		return err
	}
	var session rtp.SyncContext
	for _, w := range writers {
		s := newSource(w, &session)
		s.seq, s.time = s.seq+uint16(1000*l.first), s.time-uint32(77777*l.first) // another RTP stream
		sources = append(sources, s)
	}
	clip := sfutest.Clip{Length: time.Hour, KeyEvery: 1, Codec: l.picture}
	for i := range l.n {
		for j, s := range sources {
			f := clip.Video(l.first + i).Frame
			if j > 0 {
				f = clip.Audio(l.first + i).Frame
			}
			f.PTS = p.Now()
			s.write(f)
		}
		time.Sleep(sfutest.VideoInterval)
	}
	if l.why != nil {
		return l.why
	}
	return ErrLost
}

// graceHub returns a hub with a grace, whose one standing sink collects the
// pictures of every stream, and what it was told of streams that ended.
func graceHub(t *testing.T) (*Hub, func(id string) []*media.Frame, func() []StreamInfo) {
	var mu sync.Mutex
	frames := map[string][]*media.Frame{}
	var ended []StreamInfo
	h := newHub(t, Config{
		Grace: grace,
		Standing: []func(StreamInfo) Sink{func(i StreamInfo) Sink {
			return sinkFunc(func(ctx context.Context, s *Subscription) error {
				tracks, err := s.Tracks(ctx)
				if err != nil {
					return nil
				}
				return readAll(ctx, tracks[0].AllFrames(), func(batch []*media.Frame, _ bool) {
					mu.Lock()
					defer mu.Unlock()
					frames[i.ID] = append(frames[i.ID], batch...)
				})
			})
		}},
	})
	watch := h.Watch(t.Context())
	go func() {
		for e := range watch {
			if e.Kind != StreamDrained {
				continue
			}
			if e.Err != nil {
				t.Errorf("a standing sink failed: %v", e.Err)
			}
			mu.Lock()
			ended = append(ended, e.Stream)
			mu.Unlock()
		}
	}()
	return h, func(id string) []*media.Frame {
			mu.Lock()
			defer mu.Unlock()
			return frames[id]
		}, func() []StreamInfo {
			mu.Lock()
			defer mu.Unlock()
			return ended
		}
}

func publish(t *testing.T, h *Hub, o PublishOptions) *Publication {
	t.Helper()
	p, err := h.Publish("s", o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantState(t *testing.T, h *Hub, want State) StreamInfo {
	t.Helper()
	i, err := h.Stream("s")
	if err != nil || i.State != want || !i.Live {
		t.Fatalf("the stream is %q (live: %v), %v; want %q", i.State, i.Live, err, want)
	}
	return i
}

// TestGrace: a publisher that comes back goes on with its stream. Viewers and
// recorders see a gap, and nothing else.
func TestGrace(t *testing.T) {
	for name, form := range map[string]Form{"packets": Packets, "frames": Frames} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, frames, ended := graceHub(t)
				first := publish(t, h, PublishOptions{})
				if err := first.Run(t.Context(), lostSource{form: form, n: 30, sound: true}); !errors.Is(err, ErrLost) {
					t.Fatal(err)
				}
				if !isClosed(first.Done()) {
					t.Error("the source's end is not told")
				}
				before := wantState(t, h, Waiting)
				sub, err := h.Subscribe("s") // while nobody publishes
				if err != nil {
					t.Fatal(err)
				}
				defer sub.Close()
				tracks, _ := sub.Tracks(t.Context())
				var some []*media.Packet
				go readAll(t.Context(), tracks[0].Packets(), func(batch []*media.Packet, _ bool) { some = append(some, batch...) })
				time.Sleep(grace - time.Millisecond)

				second := publish(t, h, PublishOptions{})
				if i := wantState(t, h, Waiting); i.ID != before.ID {
					t.Error("it is another stream")
				}
				if _, err := h.Publish("s", PublishOptions{}); !errors.Is(err, ErrNameTaken) {
					t.Errorf("a third publisher: %v", err)
				}
				done := make(chan error)
				go func() {
					done <- second.Run(t.Context(), lostSource{form: form, first: 30, n: 30, why: errors.New("bye"), sound: true})
				}()
				time.Sleep(time.Second / 2)
				if i := wantState(t, h, Live); i.ID != before.ID {
					t.Error("it is another stream")
				}
				<-done
				got := frames(before.ID)
				if len(got) != 60 {
					t.Fatalf("the recorder got %d frames, want 60", len(got))
				}
				for i := 1; i < len(got); i++ {
					step := got[i].PTS - got[i-1].PTS
					if back := i == 30; back != got[i].Gap || back && (step < grace || step > grace+time.Second) || !back && step.Round(time.Millisecond) != sfutest.VideoInterval {
						t.Errorf("frame %d comes %v after the one before; gap: %v", i, step, got[i].Gap)
					}
				}
				synctest.Wait()
				seq := uint64(0)
				for i, p := range some {
					if seq > 0 && p.Seq != seq+1 && (p.Seq != seq+2 || form == Frames) {
						t.Errorf("packet %d: number %d after %d", i, p.Seq, seq)
					}
					seq = p.Seq
				}
				if len(some) != 31*3 {
					t.Errorf("%d packets, want those of the last keyframe and the new publisher", len(some))
				}
				if e := ended(); len(e) != 1 || e[0].ID != before.ID || e[0].State != Ended {
					t.Errorf("ended: %+v", e)
				}
				if err := h.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestGraceExpires: also when somebody came back who never sent anything.
func TestGraceExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, ended := graceHub(t)
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3})
		lost := time.Now()
		time.Sleep(grace / 2)
		publish(t, h, PublishOptions{}).Close()
		wantState(t, h, Waiting)
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{})
		wantState(t, h, Waiting)
		sub, err := h.Subscribe("s")
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		<-sub.Done()
		if took := time.Since(lost); took != grace {
			t.Errorf("it ended after %v, want %v", took, grace)
		}
		synctest.Wait()
		if len(ended()) != 1 {
			t.Error("its end was not told")
		}
		if _, err := h.Stream("s"); !errors.Is(err, ErrNotLive) {
			t.Errorf("it is still there: %v", err)
		}
		// Somebody who holds the name when the time is up still may go on with it.
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3})
		time.Sleep(grace / 2)
		p := publish(t, h, PublishOptions{})
		time.Sleep(grace)
		wantState(t, h, Waiting)
		p.Close()
		time.Sleep(time.Millisecond)
		if len(h.Streams()) != 0 {
			t.Error("it has outlived its grace")
		}
	})
}

// TestNoGrace: a publisher that stopped, one that never sent anything, and a hub
// that shuts down wait for nobody.
func TestNoGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := graceHub(t)
		for _, src := range []lostSource{{n: 3, why: errors.New("stopped")}, {}} {
			publish(t, h, PublishOptions{}).Run(t.Context(), src)
			if n := len(h.Streams()); n != 0 {
				t.Errorf("%+v: %d streams are left", src, n)
			}
		}
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3})
		start := time.Now()
		if err := h.Shutdown(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Shutdown() = %v after %v", err, time.Since(start))
		}
	})
}

// TestComesBackDifferent: with other options or tracks it is another stream, and
// the old one has ended.
func TestComesBackDifferent(t *testing.T) {
	for name, back := range map[string]struct {
		o    PublishOptions
		src  lostSource
		same bool
	}{
		"recorded":      {PublishOptions{Record: true}, lostSource{n: 5}, false},
		"frames":        {PublishOptions{Source: "websocket"}, lostSource{form: Frames, n: 5}, true},
		"other codec":   {PublishOptions{}, lostSource{n: 5, picture: media.VP9}, false},
		"more tracks":   {PublishOptions{}, lostSource{n: 5, sound: true}, false},
		"then the same": {PublishOptions{}, lostSource{n: 5}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, frames, ended := graceHub(t)
				publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3})
				old := wantState(t, h, Waiting).ID
				p := publish(t, h, back.o)
				p.Run(t.Context(), back.src)
				synctest.Wait()
				i := wantState(t, h, Waiting)
				if i.Source != back.o.Source {
					t.Errorf("its source is %q", i.Source)
				}
				if back.same {
					if i.ID != old || len(frames(old)) != 8 {
						t.Errorf("stream %s, then %s; %d frames", old, i.ID, len(frames(old)))
					}
				} else if i.ID == old || len(frames(old)) != 3 || len(frames(i.ID)) != 5 || len(ended()) != 1 {
					t.Errorf("%d and %d frames in %s and %s; %d ended", len(frames(old)), len(frames(i.ID)), old, i.ID, len(ended()))
				}
				h.Shutdown(t.Context())
			})
		})
	}
}

// TestComesBackWithLess: one track of two is no going on either, though the hub
// knows that only when all are added.
func TestComesBackWithLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, frames, _ := graceHub(t)
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3, sound: true})
		old := wantState(t, h, Waiting).ID
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 5})
		synctest.Wait()
		i := wantState(t, h, Waiting)
		if i.ID == old || len(i.Tracks) != 1 || len(frames(old)) != 3 || len(frames(i.ID)) != 5 {
			t.Errorf("%d and %d frames; %+v", len(frames(old)), len(frames(i.ID)), i)
		}
		h.Shutdown(t.Context())
	})
}

// TestGraceRace: of a publisher that comes back and the end of the grace, one
// wins.
func TestGraceRace(t *testing.T) {
	h := newHub(t, Config{Grace: time.Millisecond})
	for range 200 {
		publish(t, h, PublishOptions{}).Run(t.Context(), sourceFunc(func(ctx context.Context, p *Publication) error {
			writers, err := p.AddTracks(Frames, media.TrackInfo{ID: "a", Codec: media.Opus})
			if err != nil {
				return err
			}
			w := writers[0]
			w.WriteFrame(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: sfutest.OpusFrame(0, 50)})
			return ErrLost
		}))
		time.Sleep(time.Millisecond)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(h.Streams()) != 0 {
		t.Error("streams are left")
	}
}

// TestGraceOutlivesVisitors: whoever claims the name of a stream that waits and
// comes to nothing leaves it as it is.
func TestGraceOutlivesVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := graceHub(t)
		publish(t, h, PublishOptions{}).Run(t.Context(), lostSource{n: 3})
		old := wantState(t, h, Waiting).ID
		publish(t, h, PublishOptions{Record: true}).Close()
		publish(t, h, PublishOptions{}).Close()
		for _, o := range []PublishOptions{{}, {Record: true}} {
			publish(t, h, o).Run(t.Context(), sourceFunc(func(context.Context, *Publication) error { return errors.New("bad offer") }))
			if i := wantState(t, h, Waiting); i.ID != old {
				t.Errorf("%+v: another stream has taken its place", o)
			}
		}
		h.Shutdown(t.Context())
	})
}
