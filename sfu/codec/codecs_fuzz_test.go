package codec

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"weir/sfu/media"
)

// scriptOf is a fuzz script of frames as they are packetized, with a packet left
// out after each skip of them; 0: none.
func scriptOf(c media.Codec, frames []media.Frame, skip int) (script []byte) {
	format, _ := For(c)
	z, n, step, tick := format.NewPacketizer(0), 0, int16(0), byte(0)
	for i := range frames {
		z.Packetize(&frames[i], func(p media.Packet) {
			n++
			step++
			if skip > 0 && n%skip == 0 {
				return
			}
			script = appendScript(script, step, tick, 10, p.Marker, p.Payload)
			step, tick = 0, 0
		})
		tick = 90
	}
	return script
}

// fuzzDepacketizer feeds scripts to a depacketizer and checks what holds for all.
func fuzzDepacketizer[D any](f *testing.F, c media.Codec, keyframe func([]byte) bool) {
	rng := rand.New(rand.NewSource(1))
	frames := synthFrames(rng, c, 4)
	frames = append(frames, media.Frame{PTS: time.Second, Data: synthFrame(rng, c, 2500, 4, false)})
	for skip := range 4 {
		f.Add(scriptOf(c, frames, skip))
	}
	f.Add(scriptOf(c, []media.Frame{{Data: synthFrame(rng, c, 20, 0, true)}, {PTS: 33 * ms, Data: synthFrame(rng, c, 3, 1, false)}}, 0))
	format, _ := For(c)
	f.Fuzz(func(t *testing.T, script []byte) {
		limits := Config{Window: 300 * ms, MaxBytes: 4096, MaxPackets: 16}
		d := format.NewDepacketizer(limits).(*depacketizer[D])
		started, last := false, time.Duration(0)
		fed, came := 0, 0
		emit := func(frame media.Frame) {
			if len(frame.Data) == 0 || len(frame.Data) > 3*maxFrameBytes {
				t.Fatalf("a frame of %d bytes", len(frame.Data))
			}
			if !started && (!frame.Sync || frame.Gap) || started && frame.PTS <= last {
				t.Fatalf("frame at %v after %v: Sync %v Gap %v", frame.PTS, last, frame.Sync, frame.Gap)
			}
			if frame.Sync != keyframe(frame.Data) {
				t.Fatalf("Sync %v", frame.Sync)
			}
			format.FrameSize(frame.Data)
			if private, ok := format.CodecPrivate(frame.Data); ok && len(private) == 0 {
				t.Fatal("an empty CodecPrivate")
			}
			// What came out goes in again, and comes out as it is.
			z, again := format.NewPacketizer(0), format.NewDepacketizer(Config{})
			var got sink
			z.Packetize(&frame, func(p media.Packet) {
				if len(p.Payload) > MaxPayload || len(p.Payload) == 0 {
					t.Fatalf("a payload of %d bytes", len(p.Payload))
				}
				again.Depacketize(&p, got.emit)
			})
			if frame.Sync && (len(got.frames) != 1 || !bytes.Equal(got.frames[0].Data, frame.Data)) {
				t.Fatalf("keyframe % x is not the same when cut and joined again", frame.Data)
			}
			started, last = true, frame.PTS
			came += len(frame.Data)
		}
		runScript(script, func(p *media.Packet) {
			where := format.Inspect(p.Payload)
			if where.Sync && !where.Start || !where.Sync && where.Width != 0 {
				t.Fatalf("%+v", where)
			}
			fed += len(p.Payload)
			d.Depacketize(p, emit)
			if d.in.bytes > limits.MaxBytes || len(d.in.held) > limits.MaxPackets || d.frame.size > maxFrameBytes {
				t.Fatalf("%d bytes in %d packets held, %d in the frame", d.in.bytes, len(d.in.held), d.frame.size)
			}
		})
		d.Flush(emit)
		// Lengths in front of units and the index of a superframe take room.
		if came > 5*fed+100 || len(d.in.held) != 0 || d.in.bytes != 0 || len(d.frame.parts) != 0 {
			t.Fatalf("%d bytes came of %d, %d packets held", came, fed, len(d.in.held))
		}
		if l := d.Losses(); !started && l.Gaps != 0 {
			t.Fatalf("%+v", l)
		}
	})
}

func FuzzVP9Depacketizer(f *testing.F) { fuzzDepacketizer[VP9Descriptor](f, media.VP9, VP9Keyframe) }

func FuzzAV1Depacketizer(f *testing.F) { fuzzDepacketizer[av1Payload](f, media.AV1, AV1Keyframe) }

func FuzzH264Depacketizer(f *testing.F) { fuzzDepacketizer[h264Frame](f, media.H264, H264Keyframe) }

// FuzzFrames gives whatever it is to all that looks at frames: an upload may say
// of anything that it is a frame.
func FuzzFrames(f *testing.F) {
	rng := rand.New(rand.NewSource(1))
	for i, c := range newCodecs {
		f.Add(uint8(i), synthFrame(rng, c, 30, 0, true))
		f.Add(uint8(i), synthFrame(rng, c, 2000, 1, false))
	}
	f.Add(uint8(0), []byte{0xc1, 1, 2, 3, 4, 5, 6, 7, 8, 0xc9})
	f.Add(uint8(1), []byte{0x0a, 0x01, 0x38, 0x32, 0x01, 0x10})
	f.Add(uint8(2), join([]byte{0x67, 100, 0, 0, 0xff, 0xff}, h264PPSUnit, idrUnit))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		c := newCodecs[int(which)%len(newCodecs)]
		format, _ := For(c)
		if w, h, ok := format.FrameSize(data); ok && (w <= 0 || h <= 0 || w > 1<<17 || h > 1<<17) {
			t.Fatalf("%v: %dx%d", c, w, h)
		}
		format.CodecPrivate(data)
		total := 0
		markers := 0
		format.NewPacketizer(0).Packetize(&media.Frame{Data: data}, func(p media.Packet) {
			if len(p.Payload) == 0 || len(p.Payload) > MaxPayload {
				t.Fatalf("%v: a payload of %d bytes", c, len(p.Payload))
			}
			if p.Marker {
				markers++
			}
			total += len(p.Payload)
			format.Inspect(p.Payload)
		})
		if markers > 1 || (markers == 0) != (total == 0) || total > 3*len(data)+20 {
			t.Fatalf("%v: %d markers, %d bytes of %d", c, markers, total, len(data))
		}
	})
}
