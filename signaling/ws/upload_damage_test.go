package ws

import (
	"log/slog"
	"testing"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestDamageClosesTheGate: after damage no picture comes that may refer to a lost
// one, while sound goes on; both say that something is missing.
func TestDamageClosesTheGate(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("damaged", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	var got []media.Frame
	n := &intake{
		pub: pub, pace: newPacer(pub.Now, maxTracks), out: newEventWriter(nil), log: slog.New(slog.DiscardHandler),
		send: func(_ int, f pacedFrame) error { got = append(got, f.Frame); return nil },
	}
	header := read.Header{Tracks: []ebml.TrackEntry{
		{Codec: media.Opus, Number: 1, CodecID: "A_OPUS"},
		{Codec: media.VP8, Number: 2, CodecID: "V_VP8"},
	}}
	if err := n.Header(header); err != nil {
		t.Fatal(err)
	}
	put := func(at time.Duration, number int, key bool) {
		t.Helper()
		for _, f := range []read.Frame{
			{Track: 0, Time: at, Data: sfutest.OpusFrame(number, 50)},
			{Track: 1, Time: at, Key: true, Data: sfutest.VP8Frame(number, key, 50)}, // the flag lies
		} {
			if err := n.Frame(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(0, 0, true)
	put(20*time.Millisecond, 1, false)
	n.Damage(ebml.Damage{Offset: 100, Length: 10})
	put(60*time.Millisecond, 3, false)
	put(80*time.Millisecond, 4, true)
	put(100*time.Millisecond, 5, false)

	var sound, pictures []int
	for _, f := range got {
		if number, ok := sfutest.OpusNumber(f.Data); ok {
			sound = append(sound, number)
			if f.Gap != (number == 3) {
				t.Errorf("sound %d: gap %v", number, f.Gap)
			}
			continue
		}
		number, _ := sfutest.VP8Number(f.Data)
		pictures = append(pictures, number)
		if f.Gap != (number == 4) || f.Sync != (number == 0 || number == 4) {
			t.Errorf("picture %d: gap %v, sync %v", number, f.Gap, f.Sync)
		}
	}
	if len(sound) != 5 || len(pictures) != 4 {
		t.Errorf("sound %v and pictures %v came; picture 3 only must be held back", sound, pictures)
	}
}
