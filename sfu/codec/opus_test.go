package codec

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
)

func TestOpusDuration(t *testing.T) {
	toc := func(config, code byte) byte { return config<<3 | code }
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	tests := []struct {
		name   string
		packet []byte
		want   time.Duration
	}{
		{"empty", nil, 0},
		{"SILK 10", []byte{toc(0, 0)}, us(10_000)},
		{"SILK 20, stereo", []byte{toc(5, 0) | 4}, us(20_000)},
		{"SILK 40", []byte{toc(10, 0)}, us(40_000)},
		{"SILK 60", []byte{toc(11, 0)}, us(60_000)},
		{"hybrid 10", []byte{toc(12, 0)}, us(10_000)},
		{"hybrid 20", []byte{toc(15, 0)}, us(20_000)},
		{"CELT 2.5", []byte{toc(16, 0)}, us(2500)},
		{"CELT 5", []byte{toc(21, 0)}, us(5000)},
		{"CELT 10", []byte{toc(26, 0)}, us(10_000)},
		{"CELT 20", []byte{toc(31, 0)}, us(20_000)},
		{"two equal", []byte{toc(31, 1), 1, 1}, us(40_000)},
		{"two", []byte{toc(11, 2), 1, 1}, us(120_000)},
		{"three, as MediaRecorder", []byte{0xff, 3}, us(60_000)},
		{"48 of 2.5", []byte{toc(16, 3), 0xc0 | 48}, us(120_000)},
		{"49 of 2.5", []byte{toc(16, 3), 49}, 0},
		{"63 of 60", []byte{toc(3, 3), 63}, 0},
		{"none", []byte{toc(31, 3), 0xc0}, 0},
		{"no count", []byte{toc(31, 3)}, 0},
		{"silence", []byte{0xf8, 0xff, 0xfe}, us(20_000)},
	}
	for _, tt := range tests {
		if got := OpusDuration(tt.packet); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestOpusFrames(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 300)
	tests := []struct {
		name   string
		packet []byte
		want   []string
	}{
		{"empty", nil, nil},
		{"one", []byte("\xf8abc"), []string{"abc"}},
		{"one, of no bytes", []byte("\xf8"), []string{""}},
		{"two equal", []byte("\xf9abcd"), []string{"ab", "cd"}},
		{"two equal, odd", []byte("\xf9abc"), nil},
		{"two", []byte("\xfa\x01abc"), []string{"a", "bc"}},
		{"two, size missing", []byte("\xfa"), nil},
		{"two, first too long", []byte("\xfa\x04abc"), nil},
		{"two, long size", append([]byte{0xfa, 252, 12}, append(long, 'x')...), []string{string(long), "x"}},
		{"two, long size cut", []byte{0xfa, 252}, nil},
		{"three equal", []byte("\xfb\x03aabbcc"), []string{"aa", "bb", "cc"}},
		{"three, padded", []byte("\xfb\x43\x02abc\x00\x00"), []string{"a", "b", "c"}},
		{"three, sized", []byte("\xfb\x83\x01\x02abbccc"), []string{"a", "bb", "ccc"}},
		{"one, padding of 254 and 1", append(append([]byte{0xfb, 0x41, 255, 1}, 'a'), make([]byte, 255)...), []string{"a"}},
		{"padding too long", []byte("\xfb\x41\x05abc"), nil},
		{"padding cut", []byte("\xfb\x41\xff"), nil},
		{"too large", append([]byte{0xf8}, make([]byte, 1276)...), nil},
	}
	for _, tt := range tests {
		var got []string
		for _, f := range opusFrames(tt.packet) {
			got = append(got, string(f))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOpusRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	format, _ := For(media.Opus)
	z, d := format.NewPacketizer(1<<32), format.NewDepacketizer(Config{})
	var got sink
	for i := range 300 {
		f := media.Frame{PTS: time.Duration(i) * 20 * ms, Sync: true, Data: make([]byte, 1+rng.Intn(MaxPayload))}
		rng.Read(f.Data)
		f.Data[0] = 31<<3 | f.Data[0]&4 // one frame of 20 ms
		z.Packetize(&f, func(p media.Packet) {
			if p.Seq != 1<<32+uint64(i) || p.Time != uint64(1<<32+i*960) || p.Marker || !p.Start || !p.Sync || p.PTS != f.PTS {
				t.Fatalf("packet %+v", p)
			}
			if pos := format.Inspect(p.Payload); pos != (Position{Start: true, Sync: true}) {
				t.Fatalf("Inspect = %+v", pos)
			}
			d.Depacketize(&p, got.emit)
		})
		if len(got.frames) != i+1 {
			t.Fatalf("%d frames out after %d", len(got.frames), i+1)
		}
		wantFrame(t, got.frames[i], f)
	}
	if d.Losses() != (Losses{}) || d.NeedsSync() {
		t.Errorf("%+v, NeedsSync %v", d.Losses(), d.NeedsSync())
	}
}

// TestOpusSplit packetizes 60 ms at 400 kbit/s, which is 3 x 1000 bytes.
func TestOpusSplit(t *testing.T) {
	data := append([]byte{0xff, 3}, make([]byte, 3000)...)
	for i := range 3000 {
		data[2+i] = byte(i / 1000)
	}
	z := newOpusPacketizer(10)
	var got []media.Packet
	emit := func(p media.Packet) { got = append(got, p) }
	z.Packetize(&media.Frame{PTS: time.Second, Data: data}, emit)
	if len(got) != 3 {
		t.Fatalf("%d packets", len(got))
	}
	for i, p := range got {
		want := append([]byte{0xfc}, bytes.Repeat([]byte{byte(i)}, 1000)...)
		if !bytes.Equal(p.Payload, want) || p.Seq != uint64(10+i) || p.Time != uint64(1<<32+48000+960*i) ||
			p.PTS != time.Second+time.Duration(i)*20*ms {
			t.Errorf("packet %d: Seq %d Time %d PTS %v, %d bytes", i, p.Seq, p.Time, p.PTS, len(p.Payload))
		}
	}
	got = nil
	z.Packetize(&media.Frame{Data: append([]byte{0xfd}, make([]byte, 3001)...)}, emit) // malformed
	z.Packetize(&media.Frame{}, emit)
	z.Packetize(&media.Frame{Data: append([]byte{0xfc}, make([]byte, maxOpusFrame)...)}, emit)
	if len(got) != 1 || len(got[0].Payload) != 1276 || got[0].Seq != 13 {
		t.Errorf("%d packets, want one of 1276 bytes", len(got))
	}
}

func TestOpusLoss(t *testing.T) {
	d := newOpusDepacketizer(Config{Window: 100 * ms})
	var got sink
	feed := func(seq uint64, payload string) {
		at := time.Duration(seq) * 20 * ms
		d.Depacketize(&media.Packet{Seq: seq, PTS: at, Arrival: at, Payload: []byte(payload)}, got.emit)
	}
	for seq := range uint64(40) {
		switch {
		case seq == 5 || seq == 20 || seq == 21: // lost
		case seq == 10: // padding
			feed(seq, "")
		default:
			feed(seq, "x")
		}
	}
	d.Flush(got.emit)
	for i, f := range got.frames {
		if gap := f.PTS == 6*20*ms || f.PTS == 22*20*ms; f.Gap != gap || !f.Sync {
			t.Errorf("frame %d at %v: Gap %v Sync %v", i, f.PTS, f.Gap, f.Sync)
		}
	}
	if want := (Losses{Packets: 3, Gaps: 2}); len(got.frames) != 36 || d.Losses() != want {
		t.Errorf("%d frames, %+v, want 36, %+v", len(got.frames), d.Losses(), want)
	}
}

func TestOpusPTSIncreases(t *testing.T) {
	d := newOpusDepacketizer(Config{})
	var got sink
	for seq, pts := range []time.Duration{-5 * ms, -5 * ms, 10 * ms, 3 * ms, 10*ms + 1, 20 * ms} {
		d.Depacketize(&media.Packet{Seq: uint64(seq), PTS: pts, Payload: []byte{1}}, got.emit)
	}
	us := time.Microsecond
	want := []time.Duration{-5 * ms, -5*ms + us, 10 * ms, 10*ms + us, 10*ms + 2*us, 20 * ms}
	if !slices.Equal(got.pts(), want) {
		t.Errorf("PTS %v, want %v", got.pts(), want)
	}
}
