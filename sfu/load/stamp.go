package load

import (
	"bytes"
	"encoding/binary"
	"time"
)

// A stamp is 16 bytes that a publisher puts into every packet's media, behind
// the 10 bytes that a VP8 keyframe's header may take (RFC 6386 section 9.1):
//
//	magic (4) | number of the packet in its track (4) | time of sending (8)
//
// The time is in nanoseconds of the system's clock, since the kernel's receive
// stamps are. With the largest VP8 payload descriptor (6 bytes, RFC 7741 section
// 4.2) a stamp ends within the first 32 bytes of the payload: two AES blocks.
const (
	stampAt   = 10
	stampSize = 16
	stampEnd  = stampAt + stampSize // the smallest media that can have one
	headSize  = 32                  // what is decrypted of each packet
)

var stampMagic = []byte{0xf7, 0x57, 0x1d, 0x9c}

type stamp struct {
	number uint32
	sent   int64 // ns since 1970
}

// putStamp writes a stamp into the media of a packet, which is left as it is
// when there is no room: the next packet will do.
func putStamp(media []byte, number uint32, at time.Time) {
	if len(media) < stampEnd {
		return
	}
	b := media[stampAt:stampEnd]
	copy(b, stampMagic)
	binary.BigEndian.PutUint32(b[4:], number)
	binary.BigEndian.PutUint64(b[8:], uint64(at.UnixNano()))
}

// readStamp reads the stamp of a packet's media, of which the first bytes do.
func readStamp(media []byte) (s stamp, ok bool) {
	if len(media) < stampEnd {
		return stamp{}, false
	}
	b := media[stampAt:stampEnd]
	if !bytes.Equal(b[:4], stampMagic) {
		return stamp{}, false
	}
	return stamp{binary.BigEndian.Uint32(b[4:]), int64(binary.BigEndian.Uint64(b[8:]))}, true
}
