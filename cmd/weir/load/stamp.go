package load

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// A stamp is 8 bytes that a publisher puts into every packet's media, behind the 10
// bytes that a VP8 keyframe's header may take (RFC 6386 section 9.1):
//
//	magic (4) | number of the packet in its track (4)
//
// With the largest VP8 payload descriptor (6 bytes, RFC 7741 section 4.2) a stamp ends
// within the first 32 bytes of the payload: two AES blocks.
const (
	stampAt   = 10
	stampSize = 8
	stampEnd  = stampAt + stampSize // the smallest media that can have one
	headSize  = 32                  // what is decrypted of each packet
)

var stampMagic = []byte{0xf7, 0x57, 0x1d, 0x9c}

// putStamp writes a stamp into the media of a packet, which is left as it is
// when there is no room: the next packet will do.
func putStamp(media []byte, number uint32) {
	if len(media) < stampEnd {
		return
	}
	b := media[stampAt:stampEnd]
	copy(b, stampMagic)
	binary.BigEndian.PutUint32(b[4:], number)
}

// readStamp reads the number in the stamp of a packet's media, of which the first
// bytes do.
func readStamp(media []byte) (number uint32, ok bool) {
	if len(media) < stampEnd {
		return 0, false
	}
	b := media[stampAt:stampEnd]
	if !bytes.Equal(b[:4], stampMagic) {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[4:]), true
}

// departures tells when packets were sent, in ns since 1970 as the kernel's receive
// stamps: when the last of those that left together had been encrypted. A stamp, which
// is encrypted, could not tell that. A departure is noted before the packets leave: a
// viewer that had one first would read that of a packet long before, or none.
type departures struct {
	at    [4096]atomic.Int64 // 12 s of 320 packets a second
	ready atomic.Uint32      // the number behind the newest packet that is ready to leave
	noted uint32             // the number behind the newest packet that left; owned by who calls leave
}

// leave notes that all packets that are ready leave now.
func (d *departures) leave(at time.Time) {
	to := d.ready.Load()
	d.note(d.noted, to, at)
	d.noted = to
}

// note notes when the packets from one number to before another one are sent.
func (d *departures) note(from, to uint32, at time.Time) {
	for n := from; n != to; n++ {
		d.at[n%uint32(len(d.at))].Store(at.UnixNano())
	}
}

// of returns when a packet was sent.
func (d *departures) of(number uint32) int64 { return d.at[number%uint32(len(d.at))].Load() }
