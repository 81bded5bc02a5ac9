package codec

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"weir/sfu/media"
)

// A script is packets in bytes: 7 bytes of header and the payload, each.
//
//	step of Seq (2, signed) | step of Time (1) | step of Arrival in ms (1) | marker (1) | size of payload (2)
//
// The upper bit of the marker byte multiplies the step of Seq by 2^40.
const scriptHeader = 7

// appendScript appends a packet to a script.
func appendScript(b []byte, seq int16, time, arrival byte, marker bool, payload []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(seq))
	b = append(b, time, arrival, 0)
	if marker {
		b[len(b)-1] = 1
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}

// runScript calls feed for each packet of a script.
func runScript(b []byte, feed func(*media.Packet)) {
	seq, ticks, now := uint64(1)<<33, uint64(1)<<33, time.Duration(0)
	for len(b) >= scriptHeader {
		step := int64(int16(binary.BigEndian.Uint16(b)))
		if b[4]&0x80 != 0 {
			step <<= 40
		}
		seq += uint64(step)
		ticks += uint64(b[2])
		now += time.Duration(b[3]) * ms
		marker := b[4]&1 != 0
		size := min(int(binary.BigEndian.Uint16(b[5:])), len(b)-scriptHeader)
		payload := b[scriptHeader : scriptHeader+size]
		b = b[scriptHeader+size:]
		feed(&media.Packet{Seq: seq, Time: ticks, PTS: media.VP8.Duration(int64(ticks)), Arrival: now, Marker: marker, Payload: payload})
	}
}

func vp8Seeds() [][]byte {
	id := func(n uint16, tl0, tid uint8, start bool) []byte {
		return VP8Descriptor{StartOfPart: start, HasPictureID: true, LongID: true, PictureID: n,
			HasTL0PicIdx: true, TL0PicIdx: tl0, HasTID: true, TID: tid, LayerSync: tid > 0}.encode()
	}
	key := append(id(1, 1, 0, true), keyHeader...)
	inter := append(id(3, 2, 0, true), 1, 2, 3)
	whole := appendScript(nil, 0, 0, 0, true, key)
	layers := appendScript(bytes.Clone(whole), 2, 90, 30, true, inter)
	layers = appendScript(layers, 1, 90, 255, true, append(id(4, 2, 1, true), 1))
	layers = appendScript(layers, 1, 90, 255, true, append(id(5, 3, 0, true), 1))
	parts := appendScript(bytes.Clone(whole), 1, 90, 30, false, append([]byte{0x10}, 1, 2))
	parts = appendScript(parts, 2, 0, 1, true, []byte{0x00, 5})
	parts = appendScript(parts, -1, 0, 1, false, []byte{0x01, 4})
	padding := appendScript(bytes.Clone(whole), 1, 0, 0, true, nil)
	padding = appendScript(padding, 1, 90, 0, true, []byte{0x90})
	jump := appendScript(bytes.Clone(whole), 0x7fff, 90, 200, true, inter)
	jump[len(whole)+4] |= 0x80
	return [][]byte{nil, whole, layers, parts, padding, jump}
}

func FuzzVP8Depacketizer(f *testing.F) {
	for _, seed := range vp8Seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		c := Config{Window: 300 * ms, MaxBytes: 4096, MaxPackets: 16}
		d := newVP8Depacketizer(c).(*vp8Depacketizer)
		fed, came, started, last := 0, 0, false, time.Duration(0)
		emit := func(frame media.Frame) {
			if len(frame.Data) == 0 || len(frame.Data) > maxFrameBytes {
				t.Fatalf("a frame of %d bytes", len(frame.Data))
			}
			if !started && (!frame.Sync || frame.Gap) || started && frame.PTS <= last {
				t.Fatalf("frame at %v after %v: Sync %v Gap %v", frame.PTS, last, frame.Sync, frame.Gap)
			}
			if frame.Sync != VP8Keyframe(frame.Data) {
				t.Fatalf("Sync %v", frame.Sync)
			}
			started, last = true, frame.PTS
			came += len(frame.Data)
		}
		runScript(script, func(p *media.Packet) {
			inspectVP8(p.Payload)
			fed += len(p.Payload)
			d.Depacketize(p, emit)
			if d.in.bytes > c.MaxBytes || len(d.in.held) > c.MaxPackets || d.frame.size > maxFrameBytes {
				t.Fatalf("%d bytes in %d packets held, %d in the frame", d.in.bytes, len(d.in.held), d.frame.size)
			}
		})
		d.Flush(emit)
		if came > fed || len(d.in.held) != 0 || d.in.bytes != 0 || len(d.frame.parts) != 0 {
			t.Fatalf("%d bytes came of %d, %d packets held", came, fed, len(d.in.held))
		}
		if l := d.Losses(); !started && l.Gaps != 0 {
			t.Fatalf("%+v", l)
		}
	})
}

func FuzzVP8Descriptor(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x10})
	f.Add([]byte{0xb3, 0xf0, 0x92, 0x34, 0x56, 0x65, 0xaa})
	f.Add([]byte{0x90, 0x80, 0x7f, 0x10, 0, 0, 0x9d, 1, 0x2a, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, payload []byte) {
		pos := inspectVP8(payload)
		d, size, ok := ParseVP8Descriptor(payload)
		if !ok {
			if d != (VP8Descriptor{}) || size != 0 || pos != (Position{}) {
				t.Fatalf("malformed, but %+v, %d, %+v", d, size, pos)
			}
			return
		}
		if size < 1 || size > 6 || size > len(payload) {
			t.Fatalf("size %d of %d", size, len(payload))
		}
		// What was read, written again, is read the same.
		again, n, ok := ParseVP8Descriptor(d.encode())
		if again != d || !ok || n > size {
			t.Fatalf("%+v, again %+v", d, again)
		}
		w, h, ok := VP8Size(payload[size:])
		if ok && (w < 1 || w > 16383 || h < 1 || h > 16383) {
			t.Fatalf("%dx%d", w, h)
		}
		if pos.Sync && !pos.Start || pos.Sync != (pos.Start && VP8Keyframe(payload[size:])) {
			t.Fatalf("%+v", pos)
		}
	})
}

func FuzzOpusDuration(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xf8, 0xff, 0xfe})
	f.Add([]byte("\xfb\x43\x02abc\x00\x00"))
	f.Add([]byte("\xfb\x83\x01\x02abbccc"))
	f.Add([]byte{0xfa, 252, 12})
	f.Fuzz(func(t *testing.T, packet []byte) {
		d := OpusDuration(packet)
		if d < 0 || d > maxOpusDuration || d%(2500*time.Microsecond) != 0 {
			t.Fatalf("%v", d)
		}
		frames := opusFrames(packet)
		if len(frames) == 0 {
			return
		}
		if d != time.Duration(len(frames))*opusFrameDuration(packet[0]) {
			t.Fatalf("%d frames, %v", len(frames), d)
		}
		total := 1
		for _, frame := range frames {
			total += len(frame)
		}
		if total > len(packet) {
			t.Fatalf("%d bytes of %d", total, len(packet))
		}
	})
}

func FuzzVP8RoundTrip(f *testing.F) {
	f.Add([]byte{1}, uint16(0))
	f.Add(bytes.Repeat([]byte{3}, 5000), uint16(32767))
	f.Fuzz(func(t *testing.T, data []byte, id uint16) {
		z, d := newVP8Packetizer(9).(*vp8Packetizer), newVP8Depacketizer(Config{})
		z.pictureID = id & vp8PictureIDMask
		var got sink
		feed := func(p media.Packet) { d.Depacketize(&p, got.emit) }
		z.Packetize(&media.Frame{Data: keyHeader}, feed)
		z.Packetize(&media.Frame{PTS: time.Second, Data: data}, feed)
		decodable := len(data) > 0 && (vp8Inter(data) || VP8Keyframe(data))
		if !decodable {
			if len(got.frames) != 1 {
				t.Fatal("it came out")
			}
			return
		}
		if len(got.frames) != 2 || !bytes.Equal(got.frames[1].Data, data) {
			t.Fatalf("%d frames", len(got.frames))
		}
	})
}
