package ws_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/signaling/ws"
)

// TestUploadCuts: however the bytes of a recording are cut into messages, at
// MediaRecorder's own places, after every byte or anywhere, a viewer of packets
// gets the same pictures and the same sound.
func TestUploadCuts(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	cuts := map[string]func(chunks [][]byte) [][]byte{
		"own":   func(chunks [][]byte) [][]byte { return chunks },
		"bytes": func(chunks [][]byte) [][]byte { return slices.Collect(slices.Chunk(slices.Concat(chunks...), 1)) },
		"random": func(chunks [][]byte) (pieces [][]byte) {
			for rest := slices.Concat(chunks...); len(rest) > 0; {
				n := min(len(rest), 1+dice.IntN(9000))
				pieces, rest = append(pieces, rest[:n]), rest[n:]
			}
			return pieces
		},
	}
	names := []string{"a_only_2s", "av_canvas_2s", "av_request", "av_reschange", "av_ts100ms"}
	viewers := map[string]*packetViewer{}
	t.Run("uploads", func(t *testing.T) {
		for _, name := range names {
			_, chunks := sample(t, name)
			for how, cut := range cuts {
				v, pieces := newPacketViewer(), cut(chunks)
				viewers[name+how] = v
				t.Run(name+"/"+how, func(t *testing.T) {
					t.Parallel()
					s := newUploadServer(t, ws.Config{}, func(sfu.StreamInfo) sfu.Sink { return v })
					u := s.publish(t, "a")
					u.send(t, pieces...)
					u.leave(t)
					s.settle(t)
				})
			}
		}
	})
	for _, name := range names {
		path, _ := sample(t, name)
		var pictures []string
		for _, p := range probe(t, path)["vp8"] {
			pictures = append(pictures, p.hash)
		}
		sound := hashes(viewers[name+"own"].frames[media.Opus]) // it leaves in pieces of 20 ms
		for how := range cuts {
			v := viewers[name+how]
			if got := hashes(v.frames[media.VP8]); !slices.Equal(got, pictures) || v.lagged {
				t.Errorf("%s/%s: %d pictures, want %d; lagged: %v", name, how, len(got), len(pictures), v.lagged)
			}
			got := hashes(v.frames[media.Opus])
			// A viewer begins at the newest point where it can: with sound, that is
			// anywhere in what came before it.
			common := min(len(got), len(sound))
			got, sound = got[len(got)-common:], sound[len(sound)-common:]
			if !slices.Equal(got, sound) || len(got) < 50 {
				t.Errorf("%s/%s: %d pieces of sound, want %d", name, how, len(got), len(sound))
			}
		}
	}
}
