package sfu

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestTransitions is the table of State: every state with everything that may happen.
func TestTransitions(t *testing.T) {
	all := [happenings]happening{happensClaim, happensMedia, happensLost, happensStop, happensReplace, happensExpire}
	for from, want := range map[State][happenings]State{
		//         claim, media, lost, stop, replace, expire
		Claimed:   {Claimed, Live, Ended, Ended, Claimed, Claimed},
		Live:      {Live, Live, Waiting, Ended, Live, Live},
		Waiting:   {returning, Waiting, Waiting, Waiting, Waiting, Ended},
		returning: {returning, Live, Waiting, Ended, Ended, returning},
		Ended:     {Ended, Ended, Ended, Ended, Ended, Ended},
	} {
		for i, h := range all {
			if got := from.after(h); got != want[i] {
				t.Errorf("%v, when %d happens, becomes %v; want %v", from, h, got, want[i])
			}
		}
	}
	if got := returning.shown(); got != Waiting {
		t.Errorf("returning is shown as %v", got)
	}
}

// lifeRow is a way of bringing a stream to a state, and what then has to hold whatever
// is done to the stream.
type lifeRow struct {
	state State
	come  func(t *testing.T, h *Hub) *Publication // the newest publication of "s"
}

// lives brings a stream to each state by what publishers do.
var lives = []lifeRow{
	{Claimed, func(t *testing.T, h *Hub) *Publication { return publish(t, h, PublishOptions{}) }},
	{Live, live},
	{Waiting, func(t *testing.T, h *Hub) *Publication {
		p := live(t, h)
		p.leave(ErrLost)
		return p
	}},
	{returning, func(t *testing.T, h *Hub) *Publication {
		live(t, h).leave(ErrLost)
		return publish(t, h, PublishOptions{})
	}},
	{Ended, func(t *testing.T, h *Hub) *Publication {
		p := live(t, h)
		p.leave(errors.New("stopped"))
		return p
	}},
}

// live publishes "s", and writes its first frame.
func live(t *testing.T, h *Hub) *Publication {
	t.Helper()
	p := publish(t, h, PublishOptions{})
	writeOne(t, p)
	return p
}

func writeOne(t *testing.T, p *Publication) {
	t.Helper()
	w, err := p.AddTracks(Frames, infos(media.Opus)...)
	if err != nil {
		t.Fatal(err)
	}
	w[0].WriteFrame(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: sfutest.OpusFrame(0, 50)})
}

// TestStates does to a stream in each state whatever can be done to one, and looks
// where it stands then.
func TestStates(t *testing.T) {
	// Each returns the stream's state after it; what cannot be done in a state is left out.
	deeds := []struct {
		name string
		do   func(t *testing.T, h *Hub, p *Publication)
		want map[State]State
	}{
		{"claim", func(t *testing.T, h *Hub, _ *Publication) { h.Publish("s", PublishOptions{}) },
			map[State]State{Claimed: Claimed, Live: Live, Waiting: returning, returning: returning, Ended: Ended}},
		{"media", func(t *testing.T, _ *Hub, p *Publication) { writeOne(t, p) },
			map[State]State{Claimed: Live, returning: Live}},
		{"lost", func(_ *testing.T, _ *Hub, p *Publication) { p.leave(ErrLost) },
			map[State]State{Claimed: Ended, Live: Waiting, returning: Waiting}},
		{"stopped", func(_ *testing.T, _ *Hub, p *Publication) { p.leave(nil) },
			map[State]State{Claimed: Ended, Live: Ended, returning: Waiting}}, // it has come to nothing
		{"came back and stopped", func(t *testing.T, _ *Hub, p *Publication) {
			if _, err := p.AddTracks(Frames, infos(media.Opus)...); err != nil {
				t.Fatal(err)
			}
			p.leave(nil)
		}, map[State]State{Claimed: Ended, returning: Ended}},
		{"other tracks", func(t *testing.T, _ *Hub, p *Publication) {
			if _, err := p.AddTracks(Frames, infos(media.VP8)...); err != nil {
				t.Fatal(err)
			}
		}, map[State]State{Claimed: Claimed, returning: Ended}},
		{"grace over", func(*testing.T, *Hub, *Publication) { time.Sleep(grace) },
			map[State]State{Claimed: Claimed, Live: Live, Waiting: Ended, returning: returning, Ended: Ended}},
		{"shutdown", func(t *testing.T, h *Hub, _ *Publication) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			h.Shutdown(ctx)
		}, map[State]State{Claimed: Claimed, Live: Live, Waiting: Ended, returning: returning, Ended: Ended}},
	}
	for _, deed := range deeds {
		for _, l := range lives {
			want, ok := deed.want[l.state]
			if !ok {
				continue
			}
			t.Run(deed.name+" while "+l.state.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHub(t, Config{Grace: grace})
					p := l.come(t, h)
					s := p.stream()
					if got := s.state(); got != l.state {
						t.Fatalf("it is %v, want %v", got, l.state)
					}
					deed.do(t, h, p)
					synctest.Wait()
					if got := s.state(); got != want {
						t.Errorf("it is %v, want %v", got, want)
					}
					if got := p.stream(); want == Ended && got == s && isClosed(s.over) != true {
						t.Error("its viewers are not told of the end")
					}
				})
			})
		}
	}
}
