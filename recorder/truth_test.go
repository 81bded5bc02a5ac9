package recorder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/rtp/rtptest"
)

// weather is what a network and a publisher do to the packets of a broadcast.
type weather struct {
	loss    int // percent of packets
	burst   int // packets that are lost at a time
	reorder int // how many packets one may come too late
	twice   bool
	wrap    bool // numbers and times wrap at once
	ssrc    bool // another RTP stream in the middle
	gap     bool // 10 s of nothing in the middle
}

func (w weather) String() string {
	return fmt.Sprintf("loss %d%% x %d, reorder %d, twice %v, wrap %v, ssrc %v, gap %v", w.loss, w.burst, w.reorder, w.twice, w.wrap, w.ssrc, w.gap)
}

// allWeather is the table.
func allWeather() (all []weather) {
	both := []bool{false, true}
	for _, loss := range []int{0, 1, 5, 20} {
		for _, burst := range []int{1, 5, 10} {
			if loss == 0 && burst > 1 {
				continue
			}
			for _, reorder := range []int{0, 4, 8, 60} {
				for _, twice := range both {
					for _, wrap := range both {
						for _, ssrc := range both {
							for _, gap := range both {
								all = append(all, weather{loss, burst, reorder, twice, wrap, ssrc, gap})
							}
						}
					}
				}
			}
		}
	}
	return all
}

// clip is what MediaRecorder made of a camera: real pictures and sound, by codec.
type clip map[media.Codec][]read.Frame

// clipReader is a read.Receiver.
type clipReader struct {
	codecs []media.Codec
	clip   clip
}

func (c *clipReader) Header(h read.Header) error {
	for _, t := range h.Tracks {
		c.codecs = append(c.codecs, t.Codec)
	}
	return nil
}

func (c *clipReader) Frame(f read.Frame) error {
	of := c.codecs[f.Track]
	f.Data = bytes.Clone(f.Data)
	c.clip[of] = append(c.clip[of], f)
	return nil
}

func (*clipReader) Damage(ebml.Damage) {}

func readClip(t *testing.T, file string) clip {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &clipReader{clip: clip{}}
	r := read.NewReader(c, read.Config{})
	if err := errors.Join(r.Push(data), r.Close()); err != nil {
		t.Fatal(err)
	}
	// In RTP sound comes in pieces of 20 ms; so it does here from the start.
	format, _ := codec.For(media.Opus)
	z := format.NewPacketizer(0)
	var pieces []read.Frame
	for _, f := range c.clip[media.Opus] {
		first := len(pieces)
		z.Packetize(&media.Frame{PTS: f.Time, Data: f.Data}, func(p media.Packet) {
			at := f.Time + time.Duration(len(pieces)-first)*20*time.Millisecond
			pieces = append(pieces, read.Frame{Track: f.Track, Time: at, Key: true, Data: bytes.Clone(p.Payload)})
		})
	}
	c.clip[media.Opus] = pieces
	return c.clip
}

// rough is a Source that sends a clip through bad weather.
type rough struct {
	clip clip
	weather
	dice *rand.Rand
}

// sending is one track on its way.
type sending struct {
	writer *rtptest.Writer
	frames []read.Frame
	z      codec.Packetizer
	seq    uint16
	time   uint32
	held   []delayed // packets that come too late
	burst  int       // packets that are still to be lost
	begun  bool      // a packet has come
}

// delayed is a packet that is passed by others first.
type delayed struct {
	rtptest.Packet
	after int
}

func (r *rough) Run(_ context.Context, pub *sfu.Publication) error {
	var tracks []*sending
	var session rtp.SyncContext
	writers, err := pub.AddTracks(sfu.Packets, videoTrack, audioTrack)
	if err != nil {
		return err
	}
	for i, c := range []media.Codec{media.VP8, media.Opus} {
		w := writers[i]
		format, _ := codec.For(c)
		s := &sending{writer: rtptest.NewWriter(c, w, &session), frames: r.clip[c], z: format.NewPacketizer(0), seq: uint16(r.dice.Uint32()), time: r.dice.Uint32()}
		if r.wrap {
			s.seq, s.time = 1<<16-20, 1<<32-5000
		}
		tracks = append(tracks, s)
	}
	half := r.clip[media.VP8][len(r.clip[media.VP8])/2].Time
	var before time.Duration
	for at, turned := time.Duration(0), false; ; at += 10 * time.Millisecond {
		left := false
		if at >= half && !turned {
			turned = true
			for _, s := range tracks {
				s.flush(pub) // a network delivers within 10 s, or not at all
			}
			if r.gap {
				before = 10 * time.Second
				time.Sleep(before)
			}
			for _, s := range tracks {
				if r.ssrc {
					s.seq, s.time = uint16(r.dice.Uint32()), r.dice.Uint32()
					s.writer.Restart()
				}
			}
		}
		for _, s := range tracks {
			for len(s.frames) > 0 && s.frames[0].Time <= at {
				s.send(pub, r, media.Frame{PTS: s.frames[0].Time + before, Data: s.frames[0].Data})
				s.frames = s.frames[1:]
			}
			left = left || len(s.frames) > 0
		}
		if !left {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range tracks {
		s.flush(pub)
	}
	return nil
}

// send sends the packets of a frame.
func (s *sending) send(pub *sfu.Publication, r *rough, f media.Frame) {
	s.z.Packetize(&f, func(p media.Packet) {
		out := rtptest.Packet{Seq: uint16(p.Seq) + s.seq, Time: uint32(p.Time) + s.time, Marker: p.Marker, Payload: bytes.Clone(p.Payload)}
		if s.burst == 0 && r.loss > 0 && r.dice.IntN(100*r.burst) < r.loss {
			s.burst = r.burst
		}
		if s.burst > 0 {
			s.burst--
			return
		}
		// What comes before the first packet that comes is not waited for: where sound
		// begins is where it is heard first.
		if r.reorder > 0 && s.begun && r.dice.IntN(10) == 0 {
			s.held = append(s.held, delayed{out, 1 + r.dice.IntN(r.reorder)})
			return
		}
		s.put(pub, out)
		if r.twice && r.dice.IntN(10) == 0 {
			s.put(pub, out)
		}
		for i := range s.held {
			s.held[i].after--
		}
		s.held = slices.DeleteFunc(s.held, func(d delayed) bool {
			if d.after <= 0 {
				s.put(pub, d.Packet)
			}
			return d.after <= 0
		})
	})
}

// put hands a packet to the hub, which may keep it.
func (s *sending) put(pub *sfu.Publication, r rtptest.Packet) {
	s.begun = true
	r.Arrival, r.Payload = pub.Now(), bytes.Clone(r.Payload)
	s.writer.WritePacket(r)
}

func (s *sending) flush(pub *sfu.Publication) {
	for _, d := range s.held {
		s.put(pub, d.Packet)
	}
	s.held = nil
}

// timed is a read.Receiver that keeps frames and times by track.
type timed struct {
	clipReader
	blocks []read.Frame
}

func (c *timed) Frame(f read.Frame) error {
	f.Data = bytes.Clone(f.Data)
	c.blocks = append(c.blocks, f)
	return nil
}

// TestTruth: whatever the weather, each frame in the file is one that was sent,
// byte for byte, in order, once; its time goes on; and no picture is there that a
// decoder could not show.
func TestTruth(t *testing.T) {
	sent := readClip(t, filepath.Join("webm", "testdata", "mediarecorder", "av_ts100ms.webm"))
	number := map[string][]int{} // some pieces of sound are the same
	for _, c := range []media.Codec{media.VP8, media.Opus} {
		for n, f := range sent[c] {
			number[string(f.Data)] = append(number[string(f.Data)], n)
		}
	}
	dir := t.TempDir()
	seed := uint64(0)
	// A decoder forgets at a keyframe what was before: a run of pictures from one on is
	// decoded once, in whatever file it comes first, and the file that brings nothing
	// else is only read.
	decoded := map[pictures]bool{}
	var decoding sync.WaitGroup
	defer decoding.Wait()
	for part := range slices.Chunk(allWeather(), 40) {
		var files []decodable
		synctest.Test(t, func(t *testing.T) {
			hub, r := recordingHub(t, dir)
			defer r.Close()
			for _, w := range part {
				src := &rough{clip: sent, weather: w, dice: rand.New(rand.NewPCG(seed, 1))}
				name := fmt.Sprint(seed)
				seed++
				file := broadcast1(t, hub, dir, name, src)
				if file == "" {
					if w.loss < 20 {
						t.Errorf("%v: there is no file", w)
					}
					continue
				}
				d := decodable{name: file, known: true}
				for _, run := range checkTruth(t, w, file, sent, number) {
					d.picture, d.known = true, d.known && decoded[run]
					decoded[run] = true
				}
				files = append(files, d)
			}
		})
		decoding.Go(func() { decode(t, files) })
	}
}

// record1 records what a source sends below dir, which is for it alone, and returns the
// file, "" if there is none.
func record1(t *testing.T, dir string, src sfu.Source) string {
	t.Helper()
	hub, r := recordingHub(t, dir)
	defer r.Close()
	return broadcast1(t, hub, dir, "a", src)
}

// recordingHub returns a hub that records each stream below dir, and what does that.
func recordingHub(t *testing.T, dir string) (*sfu.Hub, *Recorder) {
	t.Helper()
	r, err := New(Config{Dir: dir, SyncInterval: -1}) // a second takes no time here, and a disk's does
	if err != nil {
		t.Fatal(err)
	}
	hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{r.Sink}})
	if err != nil {
		t.Fatal(err)
	}
	return hub, r
}

// broadcast1 has a source send as the stream name, which is recorded below dir, and
// returns the file, "" if there is none.
func broadcast1(t *testing.T, hub *sfu.Hub, dir, name string, src sfu.Source) string {
	t.Helper()
	pub, err := hub.Publish(name, sfu.PublishOptions{Record: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.Run(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, name, "*.webm"))
	if err != nil || len(files) > 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if len(files) == 0 {
		return ""
	}
	return files[0]
}

// pictures are the numbers of the first and the last one of a run: from a keyframe on,
// each refers to the one before.
type pictures struct{ first, last int }

// checkTruth returns the runs of pictures in the file.
func checkTruth(t *testing.T, w weather, file string, sent clip, number map[string][]int) (runs []pictures) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := &timed{}
	r := read.NewReader(got, read.Config{})
	if err := errors.Join(r.Push(data), r.Close()); err != nil {
		t.Errorf("%v: %v", w, err)
	}
	last := map[int]int{}
	at := map[int]time.Duration{}
	count := map[media.Codec]int{}
	for i, f := range got.blocks {
		if f.Discardable {
			continue // silence where sound is missing
		}
		of := got.codecs[f.Track]
		before, begun := last[f.Track]
		known := number[string(f.Data)]
		next := slices.IndexFunc(known, func(n int) bool { return !begun || n > before })
		if next < 0 {
			t.Errorf("%v: block %d is %v %v, which was not sent after %d", w, i, of, known, before)
			return nil
		}
		n := known[next]
		if f.Time < at[f.Track] {
			t.Errorf("%v: %v %d goes back from %v to %v", w, of, n, at[f.Track], f.Time)
		}
		if of == media.VP8 && !sent[of][n].Key && (!begun || n != before+1) {
			t.Errorf("%v: picture %d refers to one that is not in the file", w, n)
			return nil
		}
		if begun && n == before+1 && len(known) == 1 && !w.gap && !w.ssrc {
			step, want := f.Time-at[f.Track], sent[of][n].Time-sent[of][before].Time
			if (step - want).Abs() > 60*time.Millisecond {
				t.Errorf("%v: %v %d comes %v after the one before, and was sent %v after it", w, of, n, step, want)
			}
		}
		last[f.Track], at[f.Track] = n, f.Time
		count[of]++
		switch {
		case of == media.VP8 && sent[of][n].Key:
			runs = append(runs, pictures{n, n})
		case of == media.VP8:
			runs[len(runs)-1].last = n
		}
	}
	if w.loss == 0 && w.reorder < 60 && !w.ssrc { // all of it is there
		for _, of := range []media.Codec{media.VP8, media.Opus} {
			if count[of] != len(sent[of]) {
				t.Errorf("%v: %d of %d %v frames", w, count[of], len(sent[of]), of)
			}
		}
	}
	return runs
}

// decodable is a file for ffmpeg.
type decodable struct {
	name    string
	picture bool // it has one
	known   bool // which has been decoded already
}

// decode has ffmpeg read files and decode them, but for pictures that have been, and stop
// at the first error.
func decode(t *testing.T, files []decodable) {
	t.Helper()
	args := []string{"-v", "error", "-nostdin", "-xerror", "-err_detect", "explode"}
	var outputs []string
	video := 0 // of the outputs
	for i, f := range files {
		args = append(args, "-threads", "1", "-i", f.name)
		outputs = append(outputs, "-map", fmt.Sprint(i))
		if f.known && f.picture {
			outputs = append(outputs, fmt.Sprintf("-c:v:%d", video), "copy")
		}
		if f.picture {
			video++
		}
	}
	args = append(append(args, outputs...), "-vsync", "passthrough", "-enc_time_base:v", "1/1000", "-f", "null", "-")
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("ffmpeg: %v\n%s", err, out)
	}
}
