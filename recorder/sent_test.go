package recorder

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// pacer is a Source that sends pictures as Chromium does on a busy machine: when it
// makes a keyframe it throws away what it has queued, in the middle of a picture too,
// and numbers on without a hole. It makes one whenever it is asked for one, and some
// that nobody asked for.
type pacer struct {
	codec media.Codec
	bare  bool // it sets no markers
	cuts  bool
	dice  *rand.Rand

	whole []int // numbers of the pictures that it has sent
	cut   int   // how many it has cut off, but for the last
	asked int
}

func (p *pacer) Run(_ context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "video", Codec: p.codec})
	if err != nil {
		return err
	}
	w := writers[0]
	format, _ := codec.For(p.codec)
	z, seq := format.NewPacketizer(0), uint16(65500)
	in := rtptest.NewWriter(p.codec, w, nil)
	const last = 200
	for n := 0; n <= last; n++ {
		key := n == 0
		select {
		case <-pub.KeyframeRequests():
			p.asked++
			key = true
		default:
		}
		cut := n == last || p.cuts && p.dice.IntN(25) == 0
		key = key || p.cuts && n > 0 && p.dice.IntN(40) == 0
		var packets []media.Packet
		f := media.Frame{PTS: pub.Now(), Sync: key, Data: sfutest.Frame(p.codec, n, key, 3000+p.dice.IntN(4000))}
		z.Packetize(&f, func(out media.Packet) { packets = append(packets, out) })
		if cut {
			packets = packets[:1+p.dice.IntN(len(packets)-1)]
		}
		for _, out := range packets {
			in.WritePacket(rtptest.Packet{Seq: seq, Time: uint32(out.Time), Marker: out.Marker && !p.bare, Arrival: pub.Now(), Payload: bytes.Clone(out.Payload)})
			seq++
			time.Sleep(time.Duration(p.dice.IntN(4)) * time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		switch {
		case !cut:
			p.whole = append(p.whole, n)
		case n < last: // what it throws away is never sent, and a keyframe is
			p.cut++
			f.Sync, f.PTS, f.Data = true, pub.Now(), sfutest.Frame(p.codec, n+1000, true, 5000)
			z.Packetize(&f, func(out media.Packet) {
				in.WritePacket(rtptest.Packet{Seq: seq, Time: uint32(out.Time), Marker: out.Marker, Arrival: pub.Now(), Payload: bytes.Clone(out.Payload)})
				seq++
			})
			p.whole = append(p.whole, n+1000)
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// TestAllThatWasSent compares each picture that was sent with each in the file: all
// that were sent whole are there, byte for byte, those that were cut off are counted,
// and the one that the end cuts off is not. No keyframe is asked for.
func TestAllThatWasSent(t *testing.T) {
	for _, c := range []media.Codec{media.VP8, media.VP9, media.AV1, media.H264} {
		for seed := range uint64(4) {
			p := &pacer{codec: c, cuts: seed > 1, bare: seed == 1, dice: rand.New(rand.NewPCG(seed, uint64(c)))}
			synctest.Test(t, func(t *testing.T) { p.check(t) })
		}
	}
}

func (p *pacer) check(t *testing.T) {
	r, hub := newTest(t, t.TempDir())
	pub, err := hub.Publish("a", sfu.PublishOptions{Record: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	list, _, err := r.Recordings(Query{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, recordings %+v", err, list)
	}
	file, _, err := r.Open(list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	in := &frames{}
	reader := read.NewReader(in, read.Config{})
	if err := errors.Join(reader.Push(data), reader.Close()); err != nil {
		t.Fatal(err)
	}
	var got []int
	for i, f := range in.list {
		n, intact := sfutest.Number(p.codec, f)
		if p.bare && i == len(in.list)-1 && n == 200 {
			break // of the last one nobody knows whether it is whole
		}
		if !intact {
			t.Errorf("%v: picture %d is not what was sent", p.codec, n)
		}
		got = append(got, n)
	}
	if !slices.Equal(got, p.whole) {
		t.Errorf("%v, without markers %v: in the file are %v, sent were %v", p.codec, p.bare, got, p.whole)
	}
	q := list[0].Quality
	if q.Lost != 0 || q.CutOff != uint64(p.cut) || q.Dropped != q.CutOff || (q.Verdict == "clean") != (p.cut == 0) {
		t.Errorf("%v: %+v, %d were cut off", p.codec, q, p.cut)
	}
	if len(list[0].Gaps) != p.cut || p.asked != 0 {
		t.Errorf("%v: gaps %v, asked for %d keyframes", p.codec, list[0].Gaps, p.asked)
	}
}

// TestKeyframeStretches: the longest stretch without a keyframe may be that to the
// end, or the whole recording; a pause is none.
func TestKeyframeStretches(t *testing.T) {
	const second = time.Second
	video := &input{info: videoTrack}
	for _, tt := range []struct {
		name      string
		keys      []int // seconds
		end       int
		resumed   int // there the picture goes on after a pause of 100 s; 0: never
		mean, max int64
	}{
		{"one", []int{0}, 15, 0, 0, 15_000},
		{"the end", []int{0, 3, 8}, 20, 0, 4000, 12_000},
		{"the middle", []int{0, 9, 10}, 12, 0, 5000, 9000},
		{"a pause", []int{0, 104}, 108, 104, 3000, 4000},
	} {
		c := collector{inputs: []*input{video}, before: make([]sfu.TrackStats, 1), last: make([]time.Duration, 1)}
		for at := 0; at <= tt.end; at++ {
			if tt.resumed > 0 && at > 3 && at < tt.resumed {
				continue
			}
			c.frame(0, time.Duration(at)*second, slices.Contains(tt.keys, at), false, at > 0 && at == tt.resumed)
		}
		if mean, longest := c.stretches(); mean != tt.mean || longest != tt.max {
			t.Errorf("%s: mean %d ms, longest %d ms; want %d, %d", tt.name, mean, longest, tt.mean, tt.max)
		}
	}
}
