package webm

import (
	"time"

	"weir/recorder/webm/ebml"
)

const (
	// smallOverlap is how much of a frame of sound may lie before the end of the one
	// before it, because of rounding and of clocks that are being matched. Silence
	// reaches as far into it.
	smallOverlap = 10 * time.Millisecond
	// longestHole is the longest hole that is filled, 27 kB of blocks where a frame is
	// of 20 ms. A longer one stays: the player has to jump it.
	longestHole = time.Minute
	// lateSound is how much sound may be too late in a row before the picture is
	// made to wait longer for it.
	lateSound = time.Second
	// stillSoon is how soon a picture has to follow the last one for that not to be shown
	// again in between, if it has come already: it will be with the player as soon.
	stillSoon = 250 * time.Millisecond
	// maxQueue is how many frames of a track wait for their turn: all that a track's
	// ring holds may come at once. More come only when times make no sense.
	maxQueue = 1024
)

// Push adds a frame of the track at the given place in NewLive's list. Its data is not
// changed, and is kept until its unit is made. Frames of a track come in the order of
// their times. Frames before the first keyframe are left out, and so is sound in whose
// place there is silence already.
func (l *Live) Push(track int, b Block) {
	t := l.audio
	if l.video != nil && int(l.video.number) == track+1 {
		t = l.video
	}
	if t == nil || int(t.number) != track+1 || len(b.Data) == 0 || len(b.Data) > ebml.MaxFrame || b.Time < 0 || b.Time > ebml.MaxTime {
		return
	}
	if l.order.Waiting(t.place) >= maxQueue {
		l.order.Pop(t.place)
	}
	t.newest = max(t.newest, b.Time)
	if t == l.video && !l.started {
		if !b.Sync {
			return
		}
		l.start(b.Time)
	}
	l.order.Push(t.place, b.Time, b)
	if l.video == nil && !l.started {
		l.start(b.Time)
	}
}

// start begins the stream at the time of its first frame.
func (l *Live) start(at time.Duration) {
	l.started = true
	l.filler.Begin(at)
	for {
		first, _, ok := l.order.Head(sounds)
		if !ok || first >= at {
			return
		}
		l.order.Pop(sounds)
	}
}

// Advance ends the wait for frames from before the time to: the clock that Live does
// not have.
func (l *Live) Advance(to time.Duration) {
	if l.started {
		l.passed = max(l.passed, to)
	}
}

// Flush ends the stream: Next puts all frames that wait into units.
func (l *Live) Flush() { l.flushing = true }

// writeNext puts the next frame into a unit, if it is certain which one that is:
// blocks of all tracks must lie in the order of their times (WebM byte stream
// format, section 4, "Media Segments").
func (l *Live) writeNext() bool {
	if !l.started {
		return false
	}
	l.fillSound()
	if l.video != nil && l.video.last < 0 && l.order.Waiting(pictures) > 0 {
		l.writePicture(l.order.Pop(pictures)) // before any sound: a player starts with a keyframe
		return true
	}
	track, at, b, ok := l.order.Next(l.awaits)
	switch {
	case !ok:
		return false
	case track == pictures:
		l.writePicture(b)
	default:
		l.writeStill(at)
		l.writeSound(b)
	}
	return true
}

// awaits reports whether a frame of a track without any may come that is earlier than
// the first one of the other track.
func (l *Live) awaits(track, first int) bool {
	at, _, _ := l.order.Head(first)
	if track == sounds {
		return l.filler.End() <= at // else the sound is there
	}
	return !l.flushing && l.passed < at && l.audio.newest-at < pictureWait
}

// writeStill shows the last picture again, if there was none for long before the time
// at, which is that of a sound.
func (l *Live) writeStill(at time.Duration) {
	if l.still == nil || l.video.last < 0 || at-msec(l.video.last) < stillAfter {
		return
	}
	if next, _, ok := l.order.Head(pictures); ok && !l.standing && next-msec(l.video.last) <= stillSoon {
		return // pictures come slowly, but they come
	}
	if again := l.still.Repeat(); again != nil {
		l.stills++
		l.standing = true
		l.appendBlock(l.video, Block{Time: at, Data: again}, false, at)
	}
}

// fillSound puts silence where the sound so far ends, if it is known that there is no
// sound: because the next one comes later, or because it was waited for. Sound in whose
// place there is silence already is left out.
func (l *Live) fillSound() {
	if l.audio == nil {
		return
	}
	for {
		at, _, ok := l.order.Head(sounds)
		if !ok {
			break
		}
		hole := at - l.filler.End()
		if hole < -smallOverlap {
			l.dropLate(-hole)
			continue
		}
		if s, ok := l.filler.Hole(at); ok && hole <= longestHole {
			l.order.PushFront(sounds, s.Time, Block{Time: s.Time, Filler: true, Data: s.Data})
		}
		return
	}
	to := l.awaited()
	if s, ok := l.filler.Hole(to); ok && s.Time+s.Duration <= to {
		l.order.Push(sounds, s.Time, Block{Time: s.Time, Filler: true, Data: s.Data})
	}
}

// awaited returns the time before which sound is no longer waited for.
func (l *Live) awaited() time.Duration {
	to := l.passed
	if l.video == nil {
		return to
	}
	if l.flushing {
		return max(to, l.video.newest+20*time.Millisecond)
	}
	return max(to, l.video.newest-l.soundWait)
}

// dropLate drops the next frame of sound, in whose place there is silence. When
// all sound is late, as with a publisher whose clocks disagree, it is worth more
// than a short latency.
func (l *Live) dropLate(late time.Duration) {
	l.lateFor += l.filler.Length(l.order.Pop(sounds).Data)
	if l.lateFor >= lateSound {
		l.lateFor = 0
		l.soundWait = min(maxSoundWait, l.soundWait+late+smallOverlap)
	}
}

func (l *Live) writeSound(b Block) {
	if b.Filler {
		l.silent++
	} else {
		l.lateFor = 0
	}
	l.filler.Add(b.Time, b.Data)
	l.appendBlock(l.audio, b, true, b.Time+l.filler.Length(b.Data))
}

func (l *Live) writePicture(b Block) {
	end := b.Time + l.video.step
	if next, _, ok := l.order.Head(pictures); ok {
		end = next
	}
	l.standing = false
	l.appendBlock(l.video, b, b.Sync, end)
	if l.still != nil {
		l.still.Saw(b.Data)
	}
}
