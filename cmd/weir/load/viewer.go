package load

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"

	"github.com/pion/transport/v4/packetio"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// maxEarly bounds the packets that a viewer keeps until it has the keys. The
// server has them one flight earlier, and may send a second of media at once.
const maxEarly = 4096

// viewer is one WHEP session. The fields for its media are owned by the goroutine of
// its fleet.
type viewer struct {
	// set once
	number  int
	stream  *publisher
	ssrc    uint32 // of our reports
	fleet   *fleet
	socket  *socket
	ice     *iceAgent
	records *packetio.Buffer // DTLS records that have come

	session *session // set when the server has answered
	close   func()   // ends DTLS; set when it is through
	ended   atomic.Bool

	// owned by the fleet's goroutine
	started       int64 // when the offer was sent; all times are ns since 1970
	kinds         [128]media.Kind
	keys          *keys
	early         []arrived
	tracks        []*track
	firstPacket   int64 // when it came; 0: not yet
	keyframe      int64 // when the first keyframe was whole; 0: not yet
	coming        assembly
	untilDecrypt  int
	dropped       uint32 // by our socket, since it was opened
	droppedBefore uint32 // the window
	nextConsent   int64
	nextReport    int64
}

// arrived is a packet that came before the keys.
type arrived struct {
	data []byte
	at   int64
}

// assembly is a keyframe of which not all packets have come.
type assembly struct {
	time        uint32 // RTP timestamp
	first, last int64  // packets; last is 0 while it is unknown
	count       int64
	active      bool
}

func newViewer(f *fleet, number int) (*viewer, error) {
	s, err := openSocket()
	if err != nil {
		return nil, err
	}
	return &viewer{number: number, ssrc: rand.Uint32(), fleet: f, socket: s, ice: newICEAgent(), records: newRecords()}, nil
}

// receive takes in a datagram (RFC 7983 section 7 tells them apart).
func (v *viewer) receive(b []byte, at int64, dropped uint32) {
	v.dropped = max(v.dropped, dropped)
	switch {
	case len(b) == 0:
	case b[0] < 4:
		v.ice.receive(v.socket, b)
	case b[0] >= 20 && b[0] < 64:
		_, _ = v.records.Write(b) // an error means that it is full or closed
	case b[0] >= 128 && b[0] < 192 && len(b) >= 12:
		if b[1] >= 192 && b[1] < 224 {
			return // RTCP (RFC 5761 section 4): nothing in it that is needed here
		}
		if v.keys == nil {
			if len(v.early) < maxEarly {
				v.early = append(v.early, arrived{append([]byte(nil), b...), at})
			}
			return
		}
		v.packet(b, at)
	}
}

// setKeys lets the viewer read packets, and those first that have come already.
func (v *viewer) setKeys(k *keys) {
	v.keys = k
	for _, p := range v.early {
		v.packet(p.data, p.at)
	}
	v.early = nil
}

// packet takes in an SRTP packet.
func (v *viewer) packet(b []byte, at int64) {
	f := v.fleet
	kind := v.kinds[b[1]&0x7f]
	if kind == 0 {
		f.unknown++
		return
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	t := v.track(ssrc, kind, binary.BigEndian.Uint16(b[2:]))
	ext, fresh := t.countPacket(binary.BigEndian.Uint16(b[2:]))
	if !fresh {
		return
	}
	f.count(len(b))
	if v.firstPacket == 0 {
		v.firstPacket = at
	}
	payload := payloadOf(b, v.keys.tagSize)
	if payload == nil {
		return
	}
	if v.untilDecrypt--; v.untilDecrypt <= 0 {
		v.untilDecrypt = f.decryptEvery
		f.decrypt(v.keys, b)
	}
	head := v.keys.head.read(ssrc, ext, payload)
	start, key := false, false
	if kind == media.Video {
		d, size, ok := codec.ParseVP8Descriptor(head)
		if !ok {
			return
		}
		head = head[size:]
		start, key = d.StartOfFrame(), codec.VP8Keyframe(head)
	}
	number, ok := readStamp(head)
	if !ok && f.realKeys {
		number, ok = t.following(ext)
	}
	if ok {
		t.stamped(ext, number)
		// Packets that a server repeats for a joiner are old on purpose, and not in the
		// measurement.
		if v.stream.window[kind].hold(number) {
			t.measured++
			f.latency(at, v.stream.left[kind].of(number))
		}
	} else if f.windowOpen {
		f.unstamped++
	}
	if kind == media.Video && v.keyframe == 0 && v.coming.addPacket(ext, binary.BigEndian.Uint32(b[4:]), start && key, b[1]&0x80 != 0) {
		v.keyframe = at
	}
}

// track returns the track of an SSRC. There are two, or some more when a server
// starts anew.
func (v *viewer) track(ssrc uint32, kind media.Kind, seq uint16) *track {
	for _, t := range v.tracks {
		if t.ssrc == ssrc {
			return t
		}
	}
	t := newTrack(ssrc, kind, seq, v.fleet.windowOpen)
	v.tracks = append(v.tracks, t)
	return t
}

// payloadOf returns what is encrypted in an SRTP packet, without the tag; nil if
// there is nothing, or the packet is malformed. (RFC 3550 section 5.1, RFC 3711
// section 3.1)
func payloadOf(b []byte, tagSize int) []byte {
	at := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return nil
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	if len(b)-tagSize <= at {
		return nil
	}
	return b[at : len(b)-tagSize]
}

// addPacket takes in a packet of the video, and reports whether a keyframe is whole now.
func (a *assembly) addPacket(ext int64, time uint32, keyStart, marker bool) bool {
	if keyStart && (!a.active || a.time != time) {
		*a = assembly{time: time, first: ext, active: true}
	}
	if !a.active || a.time != time || ext < a.first {
		return false
	}
	a.count++
	if marker {
		a.last = ext
	}
	return a.last != 0 && a.count == a.last-a.first+1
}
