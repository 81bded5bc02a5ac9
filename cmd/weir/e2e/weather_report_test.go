package e2e

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// report logs what a client went through.
func (c *weatherClient) report(t *testing.T) {
	t.Helper()
	f, n := c.figures(), c.network
	moves := len(n.moved())
	n.mu.Lock()
	t.Logf("%s: %s in its words, %s on the wire; %d sessions, now %s; %d moves; datagrams: %d passed, %d lost, %d sent to where it was before",
		c.name, f.Ciphers, n.agreed, c.answered(), f.State, moves, n.passed, n.lost, n.strayed)
	n.mu.Unlock()
	if c.watches == nil {
		t.Logf("%s: %.0f frames sent in %.0f packets, %.0f keyframes; asked %.0f times for lost packets, sent %.0f again",
			c.name, f.Video["framesSent"], f.Video["packetsSent"], f.Video["keyFramesEncoded"], f.Video["nackCount"], f.Video["retransmittedPacketsSent"])
		return
	}
	calm, moving := c.freezes()
	t.Logf("%s: %.0f of %.0f frames decoded; of %.0f packets %.0f lost, asked %.0f times, %.0f came again; %.0f keyframes asked for; jitter buffer %.0f ms",
		c.name, c.frames()-c.began, c.watches.frames()-c.watches.began, f.Video["packetsReceived"]+f.Video["packetsLost"], f.Video["packetsLost"],
		f.Video["nackCount"], f.Video["retransmittedPacketsReceived"], f.Video["pliCount"], 1000*f.Video["jitterBufferDelay"]/f.Video["jitterBufferEmittedCount"])
	t.Logf("%s: %d pauses over 400 ms, the longest of %v; where addresses changed %d, the longest of %v; errors %v",
		c.name, len(calm), longest(calm), len(moving), longest(moving), f.Errors)
	t.Logf("%s: %v, %v", c.name, calm, moving)
}

// check checks what a client went through.
func (c *weatherClient) check(t *testing.T) {
	t.Helper()
	f, sessions := c.figures(), c.answered()
	if sessions != 1 || f.State != "live" {
		t.Errorf("%s had %d sessions and is %s", c.name, sessions, f.State)
	}
	again := "retransmittedPacketsSent"
	if c.watches != nil {
		again = "retransmittedPacketsReceived" // unknown to Firefox
	}
	if f.Video["nackCount"] == 0 || f.Video[again] == 0 && c.browser != "firefox" {
		t.Errorf("%s: nothing was lost and sent again: %v", c.name, f.Video)
	}
	if c.watches == nil {
		return
	}
	calm, moving := c.freezes()
	if longest(calm) > freezeMost || longest(moving) > freezeMostMoving || f.Frozen > float64(freezeMostMoving.Milliseconds()) {
		t.Errorf("%s froze: %v; where addresses changed: %v; at the end for %.0f ms", c.name, calm, moving, f.Frozen)
	}
}

// aftermath is for how long a change of an address may have effects: what was lost
// meanwhile is asked for again, and a decoder waits for it before it asks for a
// keyframe.
const aftermath = 5 * time.Second

// freeze is how long a picture stayed on the screen, less what the page was held up.
type freeze struct{ lasted, since time.Duration } // since an address had changed when it began

func (f freeze) String() string {
	if f.since == never {
		return f.lasted.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%v (%v after a move)", f.lasted.Round(time.Millisecond), f.since.Round(time.Millisecond))
}

const never = time.Duration(math.MaxInt64)

// freezes returns those of which no change of an address can be the reason, and
// others.
func (c *weatherClient) freezes() (calm, moving []freeze) {
	moves := append(c.network.moved(), c.watches.network.moved()...)
	for _, g := range c.figures().Gaps {
		end := time.UnixMilli(int64(g.End))
		lasted := time.Duration(g.MS * float64(time.Millisecond))
		f := freeze{lasted - time.Duration(g.Held*float64(time.Millisecond)), never}
		for _, at := range moves {
			if at.Before(end) {
				f.since = min(f.since, end.Add(-lasted).Sub(at))
			}
		}
		if f.since < aftermath {
			moving = append(moving, f)
		} else {
			calm = append(calm, f)
		}
	}
	return calm, moving
}

func longest(all []freeze) time.Duration {
	var most time.Duration
	for _, f := range all {
		most = max(most, f.lasted)
	}
	return most.Round(time.Millisecond)
}
