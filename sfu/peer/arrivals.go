package peer

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// arrivals tells a publisher when each of its packets came: transport-wide
// feedback, by which it estimates how much the network bears
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). It is safe for concurrent
// use.
type arrivals struct {
	// guarded by mu
	mu        sync.Mutex
	extension uint8 // of the RTP header, with the number; 0: not negotiated
	recorder  *twcc.Recorder
}

// negotiated says which extension of the RTP header has the number.
func (a *arrivals) negotiated(extension uint8) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.extension = extension
	if a.recorder == nil && extension != 0 {
		a.recorder = twcc.NewRecorder(rand.Uint32())
	}
}

// packet takes in a packet that came at the time at of any clock.
func (a *arrivals) packet(h *rtp.Header, at time.Duration) {
	if !h.Extension {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.extension == 0 {
		return
	}
	if number := h.GetExtension(a.extension); len(number) >= 2 {
		a.recorder.Record(h.SSRC, binary.BigEndian.Uint16(number), at.Microseconds())
	}
}

// feedback returns what is to be told of the packets since the last call.
func (a *arrivals) feedback() []rtcp.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.recorder == nil || a.recorder.PacketsHeld() == 0 {
		return nil
	}
	return a.recorder.BuildFeedbackPacket()
}
