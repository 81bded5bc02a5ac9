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
	// maxQueue is how many frames of a track wait for their turn. More come only
	// when times make no sense, or before the first keyframe.
	maxQueue = 1024
)

// Push adds a frame of the track at the given place in NewLive's list. Its data
// is not changed, and is kept until its unit is made. Frames of a track come in
// the order of their times. What precedes the first keyframe is left out, and so
// is sound in whose place there is silence already.
func (l *Live) Push(track int, b Block) {
	t := l.audio
	if l.video != nil && int(l.video.number) == track+1 {
		t = l.video
	}
	if t == nil || int(t.number) != track+1 || len(b.Data) == 0 || len(b.Data) > ebml.MaxFrame || b.Time < 0 || b.Time > ebml.MaxTime {
		return
	}
	if len(t.queue) >= maxQueue {
		t.shift()
	}
	t.newest = max(t.newest, b.Time)
	if t == l.video && !l.started {
		if !b.Sync {
			return
		}
		l.start(b.Time)
	}
	t.queue = append(t.queue, b)
	if l.video == nil && !l.started {
		l.start(b.Time)
	}
	l.write()
}

// start begins the stream at the time of its first frame.
func (l *Live) start(at time.Duration) {
	l.started = true
	l.filler.Begin(at)
	if l.audio == nil {
		return
	}
	for len(l.audio.queue) > 0 && l.audio.queue[0].Time < at {
		l.audio.shift()
	}
}

// Advance says that frames from before the time to are no longer to be waited
// for: the clock that Live does not have.
func (l *Live) Advance(to time.Duration) {
	if l.started && to > l.settled {
		l.settled = to
		l.write()
	}
}

// Flush ends the stream: all frames that wait are put into units.
func (l *Live) Flush() {
	l.flushing = true
	if l.started {
		l.write()
	}
	l.closeUnit()
}

// write puts all frames whose turn has come into units.
func (l *Live) write() {
	for l.writeNext() {
	}
}

// writeNext puts the next frame into a unit, if it is certain which one that is:
// blocks of all tracks must lie in the order of their times (WebM byte stream
// format, section 4, "Media Segments").
func (l *Live) writeNext() bool {
	if !l.started {
		return false
	}
	sound, haveSound := l.nextSound()
	if l.video != nil && len(l.video.queue) > 0 {
		at := l.video.queue[0].Time
		first := l.video.last < 0 // before any sound: a player starts with a keyframe
		switch {
		case l.audio == nil, first, haveSound && sound.Time >= at, !haveSound && l.filler.End() > at:
			l.writePicture()
			return true
		case !haveSound:
			return false
		}
	} else if !haveSound || !l.pictureKnown(sound.Time) {
		return false
	}
	l.writeStill(sound.Time)
	l.writeSound(sound)
	return true
}

// writeStill shows the last picture again, if there was none for long before the time
// at, which is that of a sound.
func (l *Live) writeStill(at time.Duration) {
	if l.still == nil || l.video.last < 0 || at-msec(l.video.last) < stillAfter {
		return
	}
	if again := l.still.Again(); again != nil {
		l.stills++
		l.append(l.video, Block{Time: at, Data: again}, false, at)
	}
}

// pictureKnown reports whether no picture from before at is waited for.
func (l *Live) pictureKnown(at time.Duration) bool {
	return l.video == nil || l.flushing || l.settled >= at || l.audio.newest-at >= pictureWait
}

// nextSound returns what is to be heard at the end of the sound so far: the next
// frame, or silence. It returns false if that is not known yet.
func (l *Live) nextSound() (b Block, ok bool) {
	if l.audio == nil {
		return Block{}, false
	}
	for len(l.audio.queue) > 0 {
		next := l.audio.queue[0]
		hole := next.Time - l.filler.End()
		if hole < -smallOverlap {
			l.dropLate(-hole)
			continue
		}
		if s, ok := l.filler.Hole(next.Time); ok && hole <= longestHole {
			return Block{Time: s.Time, Data: s.Data}, true
		}
		return next, true
	}
	to := l.awaited()
	s, ok := l.filler.Hole(to)
	return Block{Time: s.Time, Data: s.Data}, ok && s.Time+s.Duration <= to
}

// awaited returns the time before which sound is no longer waited for.
func (l *Live) awaited() time.Duration {
	to := l.settled
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
	l.lateFor += l.filler.Length(l.audio.shift().Data)
	if l.lateFor >= lateSound {
		l.lateFor = 0
		l.soundWait = min(maxSoundWait, l.soundWait+late+smallOverlap)
	}
}

func (l *Live) writeSound(b Block) {
	if len(l.audio.queue) > 0 && &l.audio.queue[0].Data[0] == &b.Data[0] {
		l.audio.shift()
		l.lateFor = 0
	} else {
		l.silent++
	}
	l.filler.Add(b.Time, b.Data)
	l.append(l.audio, b, true, l.filler.End())
}

func (l *Live) writePicture() {
	b := l.video.shift()
	end := b.Time + l.video.step
	if n := len(l.video.queue); n > 0 {
		end = l.video.queue[0].Time
	}
	l.append(l.video, b, b.Sync, end)
	if l.still != nil {
		l.still.Saw(b.Data)
	}
}

// shift takes out the frame whose turn it is.
func (t *liveTrack) shift() Block {
	b := t.queue[0]
	copy(t.queue, t.queue[1:])
	t.queue[len(t.queue)-1] = Block{}
	t.queue = t.queue[:len(t.queue)-1]
	return b
}
