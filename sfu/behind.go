package sfu

import (
	"time"

	"weir/sfu/catchup"
	"weir/sfu/media"
)

const (
	// longGroup is how far back the newest keyframe may be for all that has come since
	// to be sent to a joiner, if the publisher answers requests. Beyond it the joiner
	// is sent that keyframe, so that it has a picture at once, and goes on with a new
	// one that is asked for.
	longGroup = 2 * time.Second
	// keyframeWithin is how long a joiner waits for that: a request and the first
	// packet of its answer are there after a round trip, an encoder's picture and what
	// the publisher has queued. After that it is sent what has come since after all.
	keyframeWithin = 600 * time.Millisecond
	// measureEvery is how often the stream's rate is measured while a reader catches
	// up: a publisher that has just begun sends more each second.
	measureEvery = 100 * time.Millisecond
	// measured is how much of a track is looked at for its rate, and measuredItems how
	// many packets or frames at most.
	measured      = 3 * time.Second
	measuredItems = 2048
	// youngest is how much has to be there to tell a rate, and youngRate the least that
	// is assumed until then, in bytes a second (1 Mbit/s).
	youngest  = 300 * time.Millisecond
	youngRate = 125_000
)

// behind is where a reader is that catches up with its lane, and how fast it does.
type behind struct {
	pos  uint64
	pace catchup.Pace
	next time.Duration // when it may have more; all times are on the stream's clock
	look time.Duration // when to measure the stream's rate anew
	hold uint64        // where it waits for a keyframe that was asked for, until then
	then time.Duration // 0: it does not wait
}

// reader returns a new reader of l. It begins at the newest sync point, or with the
// lane when there is none. Sound begins with the lane: a decoder can start anywhere in
// it.
func (l *lane) reader(a *Attachment) *laneReader {
	r := &laneReader{viewer: a}
	pos, ok := l.startPoint()
	if !ok || pos == l.pos {
		return r
	}
	now := l.track.stream.now()
	b := &behind{pos: pos, next: now, look: now + measureEvery}
	back := l.backlog(pos)
	b.pace = catchup.New(a.near, l.rate(back), back.picture, now)
	if back.span > longGroup && l.track.keyframe.answers() {
		l.track.RequestKeyframe()
		b.hold, b.then = back.second, now+keyframeWithin
	}
	r.behind = b
	return r
}

// startPoint returns the position where a decoder can start, or asks for a keyframe if
// there is none.
func (l *lane) startPoint() (pos uint64, ok bool) {
	if l.track.info.Kind() != media.Video {
		return 0, false
	}
	if pos, ok = l.ring.syncPoint(); !ok {
		l.track.RequestKeyframe()
	}
	return pos, ok
}

// catchUp serves the readers that are behind the lane. It returns the time until
// the next of them may have more, or -1 if none is behind.
func (l *lane) catchUp() time.Duration {
	wait := time.Duration(-1)
	for _, r := range l.readers {
		if r.live() {
			continue
		}
		if w := l.serve(r); w >= 0 && (wait < 0 || w < wait) {
			wait = w
		}
	}
	return wait
}

// serve gives one reader that is behind its next packets. It returns the time until
// it may have more, or -1 if only what is new makes work for it.
func (l *lane) serve(r *laneReader) time.Duration {
	b, now := r.behind, l.track.stream.now()
	l.skip(r)
	if b.then != 0 && b.pos >= b.hold {
		if now < b.then {
			return b.then - now
		}
		b.then = 0
	}
	if b.next > now {
		return b.next - now
	}
	if now >= b.look {
		b.look = now + measureEvery
		b.pace.Measured(l.rate(l.backlog(b.pos)))
	}
	for due := b.pace.Due(now); due > 0; {
		if b.pos >= l.pos {
			// A reader that is to begin ahead of the lane waits until it comes along.
			if b.pos == l.pos {
				r.behind = nil
			}
			return -1
		}
		if b.then != 0 && b.pos >= b.hold {
			return b.then - now
		}
		sent, lapped := l.pass(r, due)
		if lapped && !l.restart(r) {
			return -1
		}
		b.pace.Sent(sent)
		due -= sent
	}
	wait := b.pace.Wait()
	b.next = now + wait
	return wait
}

// pass gives a reader packets of about so many bytes, and returns how many there were.
func (l *lane) pass(r *laneReader, due int) (bytes int, lapped bool) {
	b := r.behind
	limit := min(uint64(len(l.batch)), l.pos-b.pos)
	if b.then != 0 {
		limit = min(limit, b.hold-b.pos)
	}
	n, lapped := l.ring.read(b.pos, l.batch[:limit])
	if lapped {
		return 0, true
	}
	take := 0
	for take < n && bytes < due {
		bytes += wire(l.batch[take])
		take++
	}
	l.deliver(r, l.batch[:take])
	clear(l.batch[:n])
	b.pos += uint64(take)
	return bytes, false
}

// skip has a reader that is still behind when a newer keyframe comes go on there: it
// is live the sooner, and what lies in between need not pass its link. What it has
// begun to send of a picture it sends.
func (l *lane) skip(r *laneReader) {
	b := r.behind
	pos, ok := l.ring.syncPoint()
	if !ok || pos <= b.pos {
		return
	}
	if p := l.ring.slot(b.pos).Load(); l.ring.tail.Load() > b.pos || !p.Start {
		return
	}
	l.jump(r, pos)
}

// restart has a reader go on after the ring has lapped it. It returns false if there
// is nothing to begin at: then the reader goes on with the lane.
func (l *lane) restart(r *laneReader) bool {
	pos, ok := l.startPoint()
	if !ok {
		r.behind, r.lagged = nil, true
		return false
	}
	l.jump(r, pos)
	return true
}

// jump has a reader go on at a keyframe further on.
func (l *lane) jump(r *laneReader, pos uint64) {
	b := r.behind
	r.lagged = true
	b.pos, b.then, b.next = pos, 0, 0
	b.pace.Begin(l.backlog(pos).picture)
}

// backlog is what a reader has yet to be sent.
type backlog struct {
	bytes   int           // on the wire
	picture int           // those of its first picture
	second  uint64        // position behind that
	span    time.Duration // how much of the stream it is
}

// backlog looks at what comes from pos on.
func (l *lane) backlog(pos uint64) (b backlog) {
	var first, last *media.Packet
	whole := false
	b.second = pos
	for head := l.ring.head.Load(); pos < head; pos++ {
		p := l.ring.slot(pos).Load()
		if l.ring.tail.Load() > pos {
			continue
		}
		if first == nil {
			first, last = p, p
		}
		if p.PTS > last.PTS {
			last = p
		}
		whole = whole || p.Time != first.Time
		n := wire(p)
		if b.bytes += n; !whole {
			b.picture += n
			b.second = pos + 1
		}
	}
	if first != nil {
		b.span = last.PTS - first.PTS
	}
	return b
}

// rate returns the rate of the lane's track in bytes a second: that of its newest
// seconds, or of what a reader has yet to be sent, if more happened then. Over less
// than measured a keyframe would make too much of the latter.
func (l *lane) rate(b backlog) int {
	return max(l.track.rate(), perSecond(b.bytes, max(b.span, measured)))
}

// rate returns the rate of the track's newest seconds on the wire, in bytes a second.
func (t *Track) rate() int {
	packets, frames, native := t.rings()
	if native == Frames {
		const payload = 1200
		return rateOf(frames, func(f *media.Frame) sample {
			return sample{f.PTS, len(f.Data) + catchup.Overhead*(1+len(f.Data)/payload), f.Sync}
		})
	}
	return rateOf(packets, func(p *media.Packet) sample { return sample{p.PTS, wire(p), p.Sync} })
}

// sample is what a frame, or a part of one, tells of a track's rate.
type sample struct {
	at    time.Duration
	bytes int
	sync  bool // of a frame where a decoder can start; in packets, of its first
}

// rateOf returns the rate of the newest items of a ring. Keyframes are counted by
// themselves: right behind one, the second that it belongs to is not over.
func rateOf[T any](r *ring[T], look func(item *T) sample) int {
	head := r.head.Load()
	var newest, oldest time.Duration // of frames
	keys, others, frame := 0, 0, 0   // bytes; of the frame at oldest
	for pos := head; pos > 0 && head-pos < measuredItems; {
		pos--
		item := r.slot(pos).Load()
		if r.tail.Load() > pos {
			break
		}
		s := look(item)
		if pos == head-1 {
			newest, oldest = s.at, s.at
		}
		if newest-s.at > measured {
			break
		}
		if s.at < oldest {
			others += frame
			frame, oldest = 0, s.at
		}
		if frame += s.bytes; s.sync {
			keys += frame
			frame = 0
		}
	}
	span := newest - oldest // what is left in frame lies before it
	rate := perSecond(keys, max(span, time.Second))
	if span > 0 {
		rate += perSecond(others, span)
	}
	if span < youngest {
		rate = max(rate, youngRate)
	}
	return rate
}

func perSecond(bytes int, span time.Duration) int { return int(float64(bytes) / span.Seconds()) }

// wire returns what a packet has on the wire, in bytes, with what is sent Ahead of it.
func wire(p *media.Packet) int {
	bytes := len(p.Payload) + catchup.Overhead
	for _, ahead := range p.Ahead {
		bytes += len(ahead) + catchup.Overhead
	}
	return bytes
}
