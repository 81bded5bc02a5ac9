package mp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

const ms = time.Millisecond

var (
	record  = []byte{1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 2, 0x67, 0x42, 1, 0, 2, 0x68, 0xce}
	picture = Description{Codec: media.H264, Width: 640, Height: 360, Private: record}
	sound   = Description{Codec: media.Opus}
)

// walk calls f for each box, with its path. It fails if sizes do not fit.
func walk(t *testing.T, b []byte, path string, f func(path string, body []byte)) {
	t.Helper()
	for len(b) > 0 {
		if len(b) < boxHead || int(binary.BigEndian.Uint32(b)) < boxHead || int(binary.BigEndian.Uint32(b)) > len(b) {
			t.Fatalf("a bad box in %q: % x", path, b[:min(len(b), 16)])
		}
		n := binary.BigEndian.Uint32(b)
		name, body := path+"/"+string(b[4:8]), b[boxHead:n]
		f(name, body)
		switch string(b[4:8]) {
		case "moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf":
			walk(t, body, name, f)
		case "stsd":
			walk(t, body[8:], name, f)
		case "avc1":
			walk(t, body[78:], name, f)
		case "Opus":
			walk(t, body[28:], name, f)
		}
		b = b[n:]
	}
}

// told lists what a viewer whose time zero is zero is told of each sample.
func told(t *testing.T, f *MovieFragment, zero time.Duration) (list []string) {
	t.Helper()
	b := append(f.AppendHead([]byte("before"), zero), f.Data...)[len("before"):]
	var track, base, moof int
	at := 0
	walk(t, b, "", func(path string, body []byte) {
		u := func(i int) int { return int(binary.BigEndian.Uint32(body[i:])) }
		switch path {
		case "/moof":
			moof = at
		case "/moof/traf/tfhd":
			track = u(4)
		case "/moof/traf/tfdt":
			base = int(binary.BigEndian.Uint64(body[4:]))
		case "/moof/traf/trun":
			flags, data := u(0), moof+u(8)
			for i, n := 12, u(4); n > 0; n-- {
				size := u(i + 4)
				key := ""
				if flags&0x400 != 0 {
					if u(i+8) == flagsAlone {
						key = " key"
					}
				}
				list = append(list, fmt.Sprintf("%d: %q at %d for %d%s", track, b[data:data+size], base, u(i), key))
				base, data = base+u(i), data+size
				if i += 8; flags&0x400 != 0 {
					i += 4
				}
			}
		}
		if strings.Count(path, "/") == 1 {
			at += boxHead + len(body)
		}
	})
	return list
}

func video(at time.Duration, key bool, data string) Sample {
	return Sample{Track: 0, Time: at, Length: 40 * ms, Key: key, Data: []byte(data)}
}

func audio(at time.Duration, data string) Sample {
	return Sample{Track: 1, Time: at, Length: 20 * ms, Key: true, Data: []byte(data)}
}

func TestInit(t *testing.T) {
	m, err := New([]Description{picture, sound})
	if err != nil {
		t.Fatal(err)
	}
	if want := `video/mp4; codecs="avc1.42c01e,opus"`; m.MIME() != want {
		t.Errorf("the type is %s, want %s", m.MIME(), want)
	}
	found := map[string]string{}
	walk(t, m.Init(), "", func(path string, body []byte) { found[path] = string(body) })
	const entries = "/moov/trak/mdia/minf/stbl/stsd/"
	if got := found[entries+"avc1/avcC"]; got != string(record) {
		t.Errorf("avcC is %x", got)
	}
	// Two channels, no pre-skip, 48 kHz, family 0.
	if got := found[entries+"Opus/dOps"]; got != "\x00\x02\x00\x00\x00\x00\xbb\x80\x00\x00\x00" {
		t.Errorf("dOps is %x", got)
	}
	alone, err := New([]Description{sound})
	if err != nil || alone.MIME() != `audio/mp4; codecs="opus"` {
		t.Errorf("%v, %v", alone, err)
	}
	for _, bad := range [][]Description{nil, {picture, picture}, {sound, sound}, {{Codec: media.VP8}}, {{Codec: media.H264, Width: 1, Height: 1}},
		{{Codec: media.H264, Private: record}}, {{Codec: media.H264, Width: 1 << 16, Height: 1, Private: record}}} {
		if _, err := New(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v is taken: %v", bad, err)
		}
	}
}

// TestFragments: each sample tells how long it lasts, and each player gets the times
// from its own zero on.
func TestFragments(t *testing.T) {
	m, err := New([]Description{picture, sound})
	if err != nil {
		t.Fatal(err)
	}
	still := video(1120*ms, false, "q")
	still.Length = time.Second
	for i, want := range []struct {
		samples    []Sample
		key        bool
		start, end time.Duration
		told       []string
	}{
		{
			[]Sample{video(1000*ms, true, "K1"), audio(1000*ms, "a"), audio(1020*ms, "b"), video(1040*ms, false, "p"), audio(1040*ms, "c")},
			true, 1000 * ms, 1060 * ms, []string{`1: "K1" at 0 for 3600 key`, `1: "p" at 3600 for 3600`, `2: "a" at 0 for 960`, `2: "b" at 960 for 960`, `2: "c" at 1920 for 960`},
		},
		{
			[]Sample{video(1080*ms, true, "K2"), audio(1083*ms, "d")},
			true, 1080 * ms, 1103 * ms, []string{`1: "K2" at 7200 for 3600 key`, `2: "d" at 3984 for 960`},
		},
		{[]Sample{still}, false, 1120 * ms, 1120 * ms, []string{`1: "q" at 10800 for 90000`}},
	} {
		f := m.Fragment(want.samples)
		if got := told(t, &f, time.Second); f.Key != want.key || f.Time != want.start || f.End != want.end || !slices.Equal(got, want.told) {
			t.Errorf("fragment %d: key %v, %v to %v: %q", i, f.Key, f.Time, f.End, got)
		}
		if i == 1 {
			if got := told(t, &f, 1080*ms); got[0] != `1: "K2" at 0 for 3600 key` || got[1] != `2: "d" at 144 for 960` {
				t.Errorf("for who starts there: %q", got)
			}
			if got := told(t, &f, 0); got[0] != `1: "K2" at 97200 for 3600 key` {
				t.Errorf("and for the first one again: %q", got)
			}
		}
	}
}

// TestSoundAlone: every fragment is one where a player can start.
func TestSoundAlone(t *testing.T) {
	m, err := New([]Description{sound})
	if err != nil {
		t.Fatal(err)
	}
	var got []MovieFragment
	for at := time.Duration(0); at < 100*ms; at += 20 * ms {
		got = append(got, m.Fragment([]Sample{{Time: at, Length: 20 * ms, Key: true, Data: []byte("a")}}))
	}
	if !got[4].Key || got[4].End != 100*ms || told(t, &got[4], 40*ms)[0] != `1: "a" at 1920 for 960` {
		t.Errorf("%+v", got)
	}
}

// TestOtherHeader: from a keyframe of other parameter sets on, each keyframe brings
// them, for who has the old ones.
func TestOtherHeader(t *testing.T) {
	m, err := New([]Description{picture, sound})
	if err != nil {
		t.Fatal(err)
	}
	small := picture
	small.Width, small.Height, small.Private = 320, 180, append(slices.Clone(record), 0xfd)
	keyframe := func(at time.Duration, header *Description) Sample {
		s := video(at, true, "K")
		s.Header = header
		return s
	}
	same := picture
	var inits []string
	for _, samples := range [][]Sample{
		{video(0, true, "K")}, {keyframe(40*ms, &same)}, {keyframe(80*ms, &small), video(120*ms, false, "p")}, {video(160*ms, true, "K")},
	} {
		f := m.Fragment(samples)
		avcC := "none"
		walk(t, append(f.AppendHead(nil, 0), f.Data...), "", func(path string, body []byte) {
			if strings.HasSuffix(path, "avcC") {
				avcC = fmt.Sprint(len(body))
			}
		})
		inits = append(inits, avcC)
	}
	if want := []string{"none", "none", "16", "16"}; !slices.Equal(inits, want) {
		t.Errorf("records of %v bytes, want %v", inits, want)
	}
}
