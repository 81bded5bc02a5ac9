package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling/session"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// connection is what a session knows of its client.
type connection struct {
	silent bool
	counts session.Counters
}

func (c connection) Silent() bool               { return c.silent }
func (c connection) Counters() session.Counters { return c.counts }

// fake is a session that holds its stream's name until it is cancelled, and that runs
// until it is told to stop.
type fake struct {
	*session.Session
	ended context.Context // done with the cause with which it was ended
	over  chan struct{}
	free  func() // closes over
}

// begin registers a session whose name is free as soon as it is cancelled.
func begin(t *testing.T, r *session.Registry, a session.About, c session.Connection) fake {
	t.Helper()
	f := hold(t, r, a, c)
	context.AfterFunc(f.ended, f.free)
	return f
}

// hold registers a session whose name is not free until free is called.
func hold(t *testing.T, r *session.Registry, a session.About, c session.Connection) fake {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	f := fake{ended: ctx, over: make(chan struct{})}
	f.free = sync.OnceFunc(func() { close(f.over) })
	var err error
	if f.Session, err = r.Begin(a, c, f.over, cancel); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel(nil)
		f.free()
		f.Close()
	})
	return f
}

func publisher(name string, transport session.Transport) session.About {
	return session.About{Role: session.Publisher, Transport: transport, Wire: "whip", Name: name, Client: "test/1", Address: "192.0.2.1:5"}
}

// TestFind: a session is found by its id until its stream's name is free.
func TestFind(t *testing.T) {
	var r session.Registry
	s := hold(t, &r, publisher("a", session.WebRTC), connection{})
	if len(s.ID()) < 26 || len(session.LogID(s.ID())) != 6 || session.LogID("x") != "x" {
		t.Errorf("the id is %q, %q in the log", s.ID(), session.LogID(s.ID()))
	}
	for _, id := range []string{"", "nobody", s.ID()[:25]} {
		if r.Find(id) != nil || r.End(id, session.ErrKicked) {
			t.Errorf("there is a session with the id %q", id)
		}
	}
	if r.Find(s.ID()) != s.Session || s.About() != publisher("a", session.WebRTC) {
		t.Errorf("found %+v", s.About())
	}
	s.free()
	if r.Find(s.ID()) != nil || len(r.Sessions()) != 0 || r.End(s.ID(), session.ErrKicked) {
		t.Error("a session is found that is over")
	}
	s.Close()
	s.Close()
}

// TestViewerIsOver: a session that holds no name is over when it is closed.
func TestViewerIsOver(t *testing.T) {
	var r session.Registry
	_, cancel := context.WithCancelCause(t.Context())
	s, err := r.Begin(session.About{Role: session.Viewer}, connection{}, nil, cancel)
	if err != nil {
		t.Fatal(err)
	}
	if r.Find(s.ID()) == nil {
		t.Error("it is not found")
	}
	s.Close()
	select {
	case <-s.Over():
	default:
		t.Error("it is closed and not over")
	}
	if r.Find(s.ID()) != nil {
		t.Error("it is found")
	}
}

// TestEnd: a session gets the cause with which it is ended.
func TestEnd(t *testing.T) {
	var r session.Registry
	s, other := begin(t, &r, publisher("a", session.WebRTC), connection{}), begin(t, &r, publisher("b", session.WebRTC), connection{})
	cause := errors.New("cause")
	if !r.End(s.ID(), cause) {
		t.Error("there is none")
	}
	if got := context.Cause(s.ended); got != cause {
		t.Errorf("ended with %v", got)
	}
	if other.ended.Err() != nil {
		t.Error("the other one was ended")
	}
}

// TestReplace: who gives way to a new publisher, and who does not.
func TestReplace(t *testing.T) {
	const name = "a/b"
	for _, tt := range []struct {
		what     string
		about    session.About
		silent   bool
		id       string // "own": that of the session
		replaced bool
	}{
		{"its own, over the same", publisher(name, session.WebRTC), false, "own", true},
		{"its own, over WebSocket", publisher(name, session.WebSocket), false, "own", true},
		{"silent", publisher(name, session.WebRTC), true, "", true},
		{"silent, and another id", publisher(name, session.WebRTC), true, "nobody", true},
		{"no id", publisher(name, session.WebRTC), false, "", false},
		{"no such id", publisher(name, session.WebRTC), false, "nobody", false},
		{"of another name", publisher("a", session.WebRTC), false, "own", false},
		{"silent, of another name", publisher("a", session.WebRTC), true, "", false},
		{"a viewer's", session.About{Role: session.Viewer, Name: name}, false, "own", false},
		{"a silent viewer", session.About{Role: session.Viewer, Name: name}, true, "", false},
		{"undecided", session.About{Role: session.Undecided}, false, "own", false},
	} {
		var r session.Registry
		s := begin(t, &r, tt.about, connection{silent: tt.silent})
		id := tt.id
		if id == "own" {
			id = s.ID()
		}
		r.Replace(t.Context(), name, id)
		if cause := context.Cause(s.ended); (cause == session.ErrReplaced) != tt.replaced || cause != nil && !tt.replaced {
			t.Errorf("%s: ended with %v", tt.what, cause)
		}
		if found := r.Find(s.ID()) != nil; found == tt.replaced {
			t.Errorf("%s: found: %v", tt.what, found)
		}
	}
	if !errors.Is(session.ErrReplaced, sfu.ErrLost) || errors.Is(session.ErrKicked, sfu.ErrLost) {
		t.Error("a stream goes on that must not, or does not that must")
	}
}

// TestReplaceWaits: the new publisher waits until the name is free, and no longer than
// its client does.
func TestReplaceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r session.Registry
		s := hold(t, &r, publisher("a", session.WebSocket), connection{})
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		r.Replace(impatient, "a", s.ID())
		if took := time.Since(start); took != time.Second {
			t.Errorf("the impatient one waited %v", took)
		}
		time.AfterFunc(time.Minute, s.free)
		start = time.Now()
		r.Replace(t.Context(), "a", s.ID())
		if took := time.Since(start); took != time.Minute {
			t.Errorf("the patient one waited %v", took)
		}
	})
}

// TestDecide: a session that was undecided is what it becomes.
func TestDecide(t *testing.T) {
	var r session.Registry
	s := begin(t, &r, session.About{Role: session.Undecided, Transport: session.WebSocket, Wire: "amlive"}, nil)
	if s.Connection() != nil || len(r.Sessions()) != 1 {
		t.Errorf("%v, %+v", s.Connection(), r.Sessions())
	}
	s.Decide(session.Publisher, "amlive/x", connection{counts: session.Counters{Bytes: 7}})
	want := session.About{Role: session.Publisher, Transport: session.WebSocket, Wire: "amlive", Name: "amlive/x"}
	if got := r.Sessions(); len(got) != 1 || got[0].About != want || got[0].Bytes != 7 || s.About() != want {
		t.Errorf("%+v", got)
	}
}

// TestSessions: the list has all sessions that are not over, the oldest first, with
// their counters.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r session.Registry
		if got := r.Sessions(); len(got) != 0 {
			t.Errorf("there are %+v", got)
		}
		start := time.Now()
		var all []fake
		for i := range 20 {
			about := publisher(fmt.Sprint(i), session.WebSocket)
			all = append(all, begin(t, &r, about, connection{counts: session.Counters{Packets: uint64(i), Bytes: uint64(10 * i)}}))
			time.Sleep(time.Second)
		}
		all[3].free()
		var want []session.Snapshot
		for i, s := range slices.Delete(all, 3, 4) {
			if i >= 3 {
				i++
			}
			want = append(want, session.Snapshot{
				ID: s.ID(), About: publisher(fmt.Sprint(i), session.WebSocket), Started: start.Add(time.Duration(i) * time.Second),
				Counters: session.Counters{Packets: uint64(i), Bytes: uint64(10 * i)},
			})
		}
		if got := r.Sessions(); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// TestCounts: sessions are counted by what they do and over what, zeros included.
func TestCounts(t *testing.T) {
	var r session.Registry
	begin(t, &r, publisher("a", session.WebRTC), connection{})
	begin(t, &r, publisher("b", session.WebSocket), connection{})
	over := begin(t, &r, publisher("c", session.WebSocket), connection{})
	over.free()
	for range 3 {
		begin(t, &r, session.About{Role: session.Viewer, Transport: session.WebRTC, Name: "a"}, connection{})
	}
	want := []session.Count{
		{session.Publisher, session.WebRTC, 1}, {session.Publisher, session.WebSocket, 1},
		{session.Viewer, session.WebRTC, 3}, {session.Viewer, session.WebSocket, 0},
		{session.Undecided, session.WebSocket, 0},
	}
	if got := r.Counts(); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestShutdown: all sessions are told, and waited for until nothing of them runs; no
// more are taken.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r session.Registry
		s, viewer := hold(t, &r, publisher("a", session.WebRTC), connection{}), hold(t, &r, session.About{Role: session.Viewer}, connection{})
		limited, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("limit"))
		defer cancel()
		if err := r.Shutdown(limited); err == nil || err.Error() != "limit" {
			t.Errorf("while sessions run: %v", err)
		}
		for _, f := range []fake{s, viewer} {
			if cause := context.Cause(f.ended); cause != sfu.ErrShutdown {
				t.Errorf("ended with %v", cause)
			}
		}
		if _, err := r.Begin(publisher("b", session.WebRTC), connection{}, nil, func(error) {}); err != sfu.ErrShutdown {
			t.Errorf("a new session: %v", err)
		}
		viewer.Close()
		s.free() // its recording is still being finished
		time.AfterFunc(time.Minute, s.Close)
		start := time.Now()
		if err := r.Shutdown(t.Context()); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v, after %v", err, time.Since(start))
		}
	})
}

// TestConcurrent: sessions come, are listed, replaced and go at the same time.
func TestConcurrent(t *testing.T) {
	var r session.Registry
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithCancelCause(context.Background())
				s, err := r.Begin(publisher(fmt.Sprint(n%3), session.WebRTC), connection{silent: n%2 == 0}, ctx.Done(), cancel)
				if err != nil {
					t.Error(err)
					return
				}
				r.Sessions()
				r.Counts()
				r.Replace(t.Context(), fmt.Sprint(n%3), "")
				r.End(s.ID(), session.ErrKicked)
				s.Close()
			}
		})
	}
	all.Wait()
	if left := r.Sessions(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// TestReceived: a publisher counts what it has brought itself, in a stream that it goes
// on with and in one that it begins.
func TestReceived(t *testing.T) {
	hub, err := sfu.New(sfu.Config{Grace: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Shutdown(context.Background()) })
	// publish writes n frames of 10 bytes and is lost, then.
	publish := func(n int, codec media.Codec) session.Counters {
		pub, err := hub.Publish("a", sfu.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		received := session.ReceivedBy(pub)
		_ = pub.Run(t.Context(), source(func(ctx context.Context, pub *sfu.Publication) error {
			writers, err := pub.AddTracks(sfu.Frames, media.TrackInfo{ID: "x", Codec: codec})
			if err != nil {
				t.Error(err)
				return nil
			}
			for i := range n {
				writers[0].WriteFrame(media.Frame{PTS: pub.Now() + time.Duration(i)*time.Millisecond, Sync: true, Data: make([]byte, 10)})
			}
			return sfu.ErrLost
		}))
		return received()
	}
	for _, n := range []int{5, 3} {
		if got := publish(n, media.Opus); got.Bytes != uint64(10*n) {
			t.Errorf("%d frames: %+v", n, got)
		}
	}
	if got := publish(2, media.VP8); got.Bytes != 20 {
		t.Errorf("in another stream: %+v", got)
	}
}

// source is a source that is but a function.
type source func(context.Context, *sfu.Publication) error

func (f source) Run(ctx context.Context, pub *sfu.Publication) error { return f(ctx, pub) }
