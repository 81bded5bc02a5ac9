package poster

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/poster/picture"
)

const (
	// interval is how far apart the pictures of a stream are, longest how far they are at
	// most where the budget is spent.
	interval = time.Minute
	longest  = 5 * time.Minute
	// lookAgain is how long it takes to look again for a keyframe, at first. The time
	// doubles up to lookRarely.
	lookAgain  = 100 * time.Millisecond
	lookRarely = 5 * time.Second
	// lookBefore is how often it is looked for a keyframe before one is asked for: most
	// publishers begin with one.
	lookBefore = 4
	// settle is how long streams may come and go until it is looked which there are.
	settle = 100 * time.Millisecond

	// share is what posters may cost, of a core, and saved how much of it may be spent at
	// a time. Those that are urgent have more: the first one of a stream, and those that
	// have waited for as long as they may.
	share, saved             = 0.02, time.Second
	urgentShare, urgentSaved = 0.10, 5 * time.Second
)

// subject is a stream that pictures are taken of.
type subject struct {
	id, name string
	started  time.Time // the zero of its keyframes' times
	due      time.Time
	taken    time.Time     // the last picture; zero: none yet
	pts      time.Duration // of its keyframe
	looked   int           // how often in vain
	asked    time.Time     // for a keyframe, the last time
	waits    bool          // counted as late
	warned   bool          // of a keyframe that cannot be decoded
}

// taker takes the pictures. One goroutine owns it.
type taker struct {
	gallery  *Gallery
	subjects map[string]*subject // by ID of the stream
	regular  budget
	urgent   budget
	load     load
}

// Run takes pictures of the streams until ctx is done.
func (g *Gallery) Run(ctx context.Context) error {
	now := time.Now()
	t := &taker{gallery: g, subjects: map[string]*subject{}, regular: newBudget(share, saved, now), urgent: newBudget(urgentShare, urgentSaved, now)}
	g.tell()
	events := g.config.Hub.Watch(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for e := range events {
			if e.Kind == sfu.ViewerJoined || e.Kind == sfu.ViewerLeft {
				continue
			}
			g.tell()
		}
	}()
	for ctx.Err() == nil {
		t.round(ctx)
		t.await(ctx)
	}
	<-watched
	return nil
}

// await waits until a picture is due or wanted, or streams have come or gone.
func (t *taker) await(ctx context.Context) {
	next := time.NewTimer(t.next(time.Now()))
	defer next.Stop()
	select {
	case <-next.C:
	case <-t.gallery.changed:
		select { // a hundred streams that come at once are one change
		case <-time.After(settle):
			t.survey()
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
}

// next returns how long no picture is due.
func (t *taker) next(now time.Time) time.Duration {
	wait := interval
	for _, s := range t.subjects {
		wait = min(wait, s.due.Sub(now))
	}
	return max(0, wait)
}

// survey looks which streams there are.
func (t *taker) survey() {
	there := map[string]bool{}
	for _, i := range t.gallery.config.Hub.Streams() {
		there[i.ID] = true
		if i.Live && t.subjects[i.ID] == nil {
			t.subjects[i.ID] = &subject{id: i.ID, name: i.Name, started: i.StartedAt, due: time.Now()}
		}
	}
	maps.DeleteFunc(t.subjects, func(id string, _ *subject) bool { return !there[id] })
	t.gallery.clear(there)
	for _, id := range t.gallery.takeWanted() {
		if s := t.subjects[id]; s != nil {
			s.due = time.Now()
		}
	}
}

// round takes the pictures that are due, those of streams without one first.
func (t *taker) round(ctx context.Context) {
	now := time.Now()
	var due []*subject
	for _, s := range t.subjects {
		if !s.due.After(now) {
			due = append(due, s)
		}
	}
	slices.SortFunc(due, func(a, b *subject) int {
		return cmp.Or(a.taken.Compare(b.taken), a.due.Compare(b.due), cmp.Compare(a.id, b.id))
	})
	for _, s := range due {
		if ctx.Err() != nil {
			return
		}
		t.visit(ctx, s, time.Now())
	}
}

// visit takes a picture of s, which is due, if that may be, and says when the next one
// is.
func (t *taker) visit(ctx context.Context, s *subject, now time.Time) {
	s.due = now.Add(interval)
	if t.gallery.config.SentOnly || t.gallery.sentLately(s.id, now) {
		return
	}
	track := t.track(ctx, s)
	if track == nil {
		return // nothing that could be decoded
	}
	if wait := t.load.wait(now); wait > 0 {
		t.gallery.count(skipped)
		s.due = now.Add(wait)
		return
	}
	frame := track.Keyframe()
	if frame == nil || !s.taken.IsZero() && frame.PTS == s.pts {
		t.miss(s, track, now)
		return
	}
	if wait := t.afford(s, now); wait > 0 {
		if !s.waits {
			s.waits = true
			t.gallery.count(late)
		}
		s.due = now.Add(wait)
		return
	}
	s.looked, s.waits = 0, false
	t.take(s, frame, now)
}

// track returns the track that the pictures of s are taken of; nil: there is none.
func (t *taker) track(ctx context.Context, s *subject) *sfu.Track {
	sub, err := t.gallery.config.Hub.Subscribe(s.name)
	if err != nil {
		return nil // it has just ended
	}
	defer sub.Close()
	if sub.Stream().ID != s.id {
		return nil
	}
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return nil
	}
	for _, track := range sfu.Smallest(tracks) {
		if picture.Decodes(track.Info().Codec) {
			return track
		}
	}
	return nil
}

// miss says when to look again for a keyframe that is not there, and asks for one.
func (t *taker) miss(s *subject, track *sfu.Track, now time.Time) {
	s.due = now.Add(min(lookAgain<<min(s.looked, 10), lookRarely))
	if s.looked++; s.looked > lookBefore && now.Sub(s.asked) >= interval {
		s.asked = now
		track.RequestKeyframe()
	}
}

// afford returns how long a picture of s has to wait until its cost can be borne.
func (t *taker) afford(s *subject, now time.Time) time.Duration {
	wait := t.regular.wait(now)
	if wait == 0 {
		return 0
	}
	urgent := s.taken.Add(longest) // the first one is at once
	return min(wait, max(urgent.Sub(now), t.urgent.wait(now)))
}

// take makes a picture of a keyframe.
func (t *taker) take(s *subject, frame *media.Frame, now time.Time) {
	var jpeg []byte
	var err error
	cpu, wall := t.gallery.config.measure(func() { jpeg, err = t.gallery.config.decode(frame.Data) })
	t.gallery.spent.Add(int64(cpu))
	now = now.Add(wall)
	t.regular.spend(cpu, now)
	t.urgent.spend(cpu, now)
	t.load.note(cpu, wall, now)
	s.taken, s.pts = now, frame.PTS
	if err == nil {
		t.gallery.hang(s.id, newPoster(jpeg, now, s.started.Add(frame.PTS)))
		t.gallery.count(taken)
		return
	}
	t.gallery.count(failed)
	if !s.warned {
		s.warned = true
		t.gallery.config.Log.Warn("no picture can be made of a keyframe", "stream", s.name, "reason", err)
	}
}
