package peer

import (
	"slices"
	"time"

	"weir/sfu/rtp"
)

// An SSRC that had its turn goes on being sent for a moment, and some of its packets
// come late. It has another turn when returnRun of its packets have come without one
// of its successor's in between, which was silent for returnAfter.
const (
	returnRun   = 8
	returnAfter = 200 * time.Millisecond
)

// encoding is one RTP stream by which a track is sent: the only one, or that of one
// of several sizes (simulcast, RFC 8853). It goes on when its SSRC changes.
type encoding struct {
	// set once
	of     *receiver
	number int    // among those of its receiver
	rid    string // its name in packets, "" if it has none

	// Written by the socket's reader with of.mu held, which others need to read them.
	begun  bool          // a packet with media has come
	ssrc   uint32        // of its packets
	turn   int           // how many SSRCs it has had
	newest time.Duration // when the newest packet with media came
	intake *rtp.Intake

	// owned by the socket's reader
	former []uint32 // the SSRCs that it had before, the newest last
	rival  uint32   // one of them, which sends again
	run    int      // how many packets of it have come without one of ssrc
}

// takes reports whether packets of an SSRC are its own from now on. A new one takes
// the place of the one that was there, whatever that still sends.
func (e *encoding) takes(ssrc uint32, now time.Duration) bool {
	if !slices.Contains(e.former, ssrc) {
		return true
	}
	if e.rival != ssrc {
		e.rival, e.run = ssrc, 0
	}
	e.run++
	return e.run >= returnRun && now-e.newest >= returnAfter
}

// begin has the encoding go on with the packets of an SSRC.
func (e *encoding) begin(ssrc uint32) {
	if e.begun {
		if e.former = append(e.former, e.ssrc); len(e.former) > maxRoutes {
			e.former = slices.Delete(e.former, 0, 1)
		}
	}
	e.begun, e.ssrc = true, ssrc
	e.turn++
	e.run = 0
}

// source returns the SSRC of its packets, for other goroutines than the reader.
func (e *encoding) source() uint32 {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	return e.ssrc
}
