package codec

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/pion/rtp/codecs"

	"weir/sfu/media"
)

// TestPionReads: what is packetized here, another implementation reads.
func TestPionReads(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for _, c := range newCodecs {
		format, _ := For(c)
		z := format.NewPacketizer(0)
		for i, f := range synthFrames(rng, c, 60) {
			var got []byte
			h264, av1 := codecs.H264Packet{IsAVC: true}, codecs.AV1Depacketizer{}
			z.Packetize(&f, func(p media.Packet) {
				var data []byte
				var err error
				switch c {
				case media.VP9:
					var vp9 codecs.VP9Packet
					data, err = vp9.Unmarshal(p.Payload)
					if vp9.B != p.Start || vp9.E != p.Marker || vp9.P == f.Sync {
						t.Fatalf("%v frame %d: B %v E %v P %v", c, i, vp9.B, vp9.E, vp9.P)
					}
				case media.AV1:
					data, err = av1.Unmarshal(p.Payload)
				case media.H264:
					data, err = h264.Unmarshal(p.Payload)
				}
				if err != nil {
					t.Fatalf("%v frame %d: %v", c, i, err)
				}
				got = append(got, data...)
			})
			if !bytes.Equal(got, f.Data) {
				t.Fatalf("%v frame %d: %d bytes of %d", c, i, len(got), len(f.Data))
			}
		}
	}
}

// TestPionWrites: what another implementation packetizes is read here.
func TestPionWrites(t *testing.T) {
	type payloader interface {
		Payload(mtu uint16, payload []byte) [][]byte
	}
	rng := rand.New(rand.NewSource(8))
	for name, tt := range map[string]struct {
		codec media.Codec
		by    payloader
	}{
		"VP9":           {media.VP9, &codecs.VP9Payloader{}},
		"VP9, flexible": {media.VP9, &codecs.VP9Payloader{FlexibleMode: true}},
		"AV1":           {media.AV1, &codecs.AV1Payloader{}},
		"H264":          {media.H264, &codecs.H264Payloader{}},
	} {
		format, _ := For(tt.codec)
		d := format.NewDepacketizer(Config{})
		seq := uint64(0)
		for i, f := range synthFrames(rng, tt.codec, 60) {
			data := f.Data
			if tt.codec == media.H264 { // it takes a byte stream
				data = nil
				for nal, rest, ok := nextNAL(f.Data); ok; nal, rest, ok = nextNAL(rest) {
					data = append(append(data, 0, 0, 0, 1), nal...)
				}
			}
			payloads := tt.by.Payload(1200, data)
			var got sink
			for j, payload := range payloads {
				if where := format.Inspect(payload); where.Sync != (f.Sync && j == 0) {
					t.Fatalf("%s frame %d, packet %d: %+v", name, i, j, where)
				}
				d.Depacketize(&media.Packet{Seq: seq, Time: uint64(i), PTS: f.PTS, Marker: j == len(payloads)-1, Payload: payload}, got.emit)
				seq++
			}
			if len(got.frames) != 1 {
				t.Fatalf("%s frame %d of %d bytes: %d frames", name, i, len(f.Data), len(got.frames))
			}
			wantFrame(t, got.frames[0], f)
		}
	}
}
