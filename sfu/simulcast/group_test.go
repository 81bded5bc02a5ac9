package simulcast

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/rtp"
)

const ms = time.Millisecond

// layer is an encoding as a publisher sends it.
type layer struct {
	name          string
	width, height int
	perFrame      int // packets
	size          int // of a packet
	every         int // it sends each frame of that many
	delay         time.Duration
	unmarked      bool

	seq    uint16
	offset uint32
	key    bool // the next frame is to be a keyframe
	mute   bool
	frames int
}

// sent is a packet of a layer, and what a look into it tells.
type sent struct {
	rtp.Packet
	Sync          bool
	Width, Height int
}

// stage is a publisher of layers, the group, and what comes out of it.
type stage struct {
	t       *testing.T
	layers  []*layer
	intakes []*rtp.Intake // of the layers
	session rtp.SyncContext
	g       *Group
	now     time.Duration
	number  int // of the frame
	deaf    bool
	lose    func(l int, p *sent) bool

	out   []EncodingPacket
	asked []int
}

const frameTime = 40 * ms

func newStage(t *testing.T, layers ...*layer) *stage {
	s := &stage{t: t, layers: layers}
	s.g = New(media.VP8, len(layers), func(p EncodingPacket) { s.out = append(s.out, p) })
	dice := rand.New(rand.NewPCG(3, 4))
	for _, l := range layers {
		s.intakes = append(s.intakes, rtp.NewIntake(rtp.Config{Codec: media.VP8}))
		l.seq, l.offset, l.key = uint16(dice.Uint32()), dice.Uint32(), true
		if l.every == 0 {
			l.every = 1
		}
	}
	return s
}

// three are the layers of a browser, the smallest first.
func three() []*layer {
	return []*layer{
		{name: "q", width: 320, height: 180, perFrame: 1, size: 600},
		{name: "h", width: 640, height: 360, perFrame: 2, size: 1000, delay: 3 * ms},
		{name: "f", width: 1280, height: 720, perFrame: 5, size: 1100, delay: 6 * ms},
	}
}

// frame sends the next frame of all layers.
func (s *stage) frame() {
	at := time.Duration(s.number) * frameTime
	for i, l := range s.layers {
		if l.mute || s.number%l.every != 0 {
			continue
		}
		for n := range l.perFrame {
			p := sent{Packet: rtp.Packet{
				Seq: l.seq, Time: uint32(media.VP8.Ticks(at)) + l.offset, Arrival: at + l.delay + time.Duration(n)*100*time.Microsecond,
				Marker: n == l.perFrame-1 && !l.unmarked, Payload: append([]byte(fmt.Sprintf("%s %d ", l.name, s.number)), make([]byte, l.size)...),
			}}
			if n == 0 && l.key {
				p.Sync, p.Width, p.Height = true, l.width, l.height
				l.key = false
			}
			l.seq++
			if s.lose == nil || !s.lose(i, &p) {
				s.add(i, p)
			}
		}
		l.frames++
	}
	s.number++
	s.now = at + frameTime - ms
	s.note(s.g.Tick(s.now))
}

func (s *stage) add(i int, p sent) {
	var r rtp.Result
	if s.intakes[i].Receive(&p.Packet, &r); r.Restarted {
		s.g.Restart(i)
	}
	r.Sync = p.Sync
	s.note(s.g.Add(i, EncodingPacket{Packet: r.Packet, Repeat: p.Retransmitted, Width: p.Width, Height: p.Height}))
}

// restart has another RTP stream of a layer begin.
func (s *stage) restart(i int) {
	s.intakes[i].Restart()
	s.g.Restart(i)
}

// note answers a request.
func (s *stage) note(ask int) {
	if ask < 0 {
		return
	}
	s.asked = append(s.asked, ask)
	if !s.deaf {
		s.layers[ask].key = true
	}
}

func (s *stage) run(frames int) {
	for range frames {
		s.frame()
	}
}

// current returns the name of the layer that is passed on.
func (s *stage) current() string {
	if c := s.g.Current(); c >= 0 {
		return s.layers[c].name
	}
	return ""
}

// check holds what came out against what one stream has to be: numbers without a hole,
// the time of each frame later than that of the one before by about what lies between
// them, and each layer beginning with a keyframe. It returns the layers of the frames.
func (s *stage) check(holes int) (shown []string) {
	s.t.Helper()
	last, lastFrame := "", -1
	for i, p := range s.out {
		var name string
		var number int
		if _, err := fmt.Sscanf(string(p.Payload), "%s %d", &name, &number); err != nil {
			s.t.Fatal(err)
		}
		if name != last && !p.Sync {
			s.t.Errorf("packet %d: %s follows %s without a keyframe", i, name, last)
		}
		if i > 0 {
			before := s.out[i-1]
			if step := p.Seq - before.Seq; step == 2 && holes > 0 {
				holes--
			} else if step != 1 {
				s.t.Errorf("packet %d: number %d follows %d", i, p.Seq, before.Seq)
			}
			step := media.VP8.Duration(int64(int32(p.Time - before.Time)))
			want := time.Duration(number-lastFrame) * frameTime
			switch {
			case number == lastFrame && name == last:
				if step != 0 {
					s.t.Errorf("packet %d: frame %d has two times", i, number)
				}
			case step < ms || (step-want).Abs() > 15*ms && step != ms:
				s.t.Errorf("packet %d: %s %d comes %v after %s %d", i, name, number, step, last, lastFrame)
			}
		}
		if name != last || number != lastFrame {
			shown = append(shown, name)
		}
		last, lastFrame = name, number
	}
	return shown
}

// drift is how far the time of the last packet is from when it came.
func (s *stage) drift() time.Duration {
	first, last := s.out[0], s.out[len(s.out)-1]
	return media.VP8.Duration(int64(last.Time-first.Time)) - (last.Arrival - first.Arrival)
}

// TestLargest: whatever order the layers come in, the largest one is passed on, from
// the first picture on if they begin together.
func TestLargest(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		all := three()
		s := newStage(t, all[order[0]], all[order[1]], all[order[2]])
		s.run(100)
		shown := s.check(0)
		if len(shown) != 100 || shown[0] != "f" || s.current() != "f" || len(s.asked) != 0 {
			t.Errorf("order %v: %d frames, the first of %s, now %s; asked %v", order, len(shown), shown[0], s.current(), s.asked)
		}
	}
}

// TestOneOfThree: layers that never come do not hold up the one that does for long.
func TestOneOfThree(t *testing.T) {
	all := three()
	all[1].mute, all[2].mute = true, true
	s := newStage(t, all...)
	s.run(50)
	if shown := s.check(0); len(shown) != 50 || len(s.asked) != 0 {
		t.Errorf("%d frames; asked %v", len(shown), s.asked)
	}
	if waited := s.out[0].Arrival; waited > 0 {
		t.Errorf("begins %v late", waited)
	}
}

// TestUpAndDown: the largest layer begins late, stops, and comes back. What is
// between is the next one, and no picture is missing or out of its time.
func TestUpAndDown(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	all[2].mute = true
	s.run(50)
	if s.current() != "h" {
		t.Fatalf("without the largest: %s", s.current())
	}
	all[2].mute, all[2].key = false, true
	s.run(50)
	if s.current() != "f" || len(s.asked) != 0 {
		t.Fatalf("with the largest: %s; asked %v", s.current(), s.asked)
	}
	stoppedAt := len(s.out)
	all[2].mute = true
	s.run(25)
	if s.current() != "h" || len(s.asked) != 1 || s.asked[0] != 1 {
		t.Fatalf("without the largest again: %s; asked %v", s.current(), s.asked)
	}
	if gap := s.out[stoppedAt].Arrival - s.out[stoppedAt-1].Arrival; gap > 500*ms {
		t.Errorf("no picture for %v", gap)
	}
	all[2].mute, all[2].key = false, true
	s.run(15)
	if s.current() != "h" {
		t.Error("the largest is back at once: it may be gone again")
	}
	s.run(25)
	if s.current() != "f" || len(s.asked) != 2 || s.asked[1] != 2 {
		t.Errorf("with the largest again: %s; asked %v", s.current(), s.asked)
	}
	s.run(100)
	s.check(0)
	if d := s.drift(); d.Abs() > 10*ms {
		t.Errorf("after four changes the time is off by %v", d)
	}
}

// TestFlapping: a layer that comes and goes is not followed each time.
func TestFlapping(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	changes, before := 0, "f"
	for n := range 120 { // 2 s on, 1 s off, for six minutes
		all[2].mute = false
		all[2].key = true
		for range 50 {
			s.frame()
			if s.current() != before {
				changes, before = changes+1, s.current()
			}
		}
		all[2].mute = n < 100
		for range 25 {
			s.frame()
			if s.current() != before {
				changes, before = changes+1, s.current()
			}
		}
	}
	if s.current() != "f" || changes > 10 {
		t.Errorf("now %s, after %d changes", s.current(), changes)
	}
	s.check(0)
}

// TestSlowLayers: a picture that stands still, or a layer with fewer pictures than the
// others, is none that has stopped.
func TestSlowLayers(t *testing.T) {
	all := three()
	all[2].every = 12 // every 480 ms
	s := newStage(t, all...)
	s.run(72) // until that is known
	changes := len(s.asked)
	s.run(300)
	if s.current() != "f" || len(s.asked) != changes || changes > 2 {
		t.Errorf("now %s; asked %v", s.current(), s.asked)
	}
	all = three()
	s = newStage(t, all...)
	s.run(50)
	for range 10 { // seconds
		s.number += 24
		s.frame()
	}
	if s.current() != "f" || len(s.asked) != 0 {
		t.Errorf("of a still picture: %s; asked %v", s.current(), s.asked)
	}
}

// TestPadding: what has no media keeps no layer alive, and its numbers are passed on.
func TestPadding(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	s.run(20)
	all[2].mute = true
	for range 30 {
		s.frame()
		s.add(2, sent{Packet: rtp.Packet{Seq: all[2].seq, Time: all[2].offset, Arrival: s.now}})
		all[2].seq++
	}
	if s.current() != "h" {
		t.Errorf("padding is taken for %s", s.current())
	}
}

// TestStopsInMidPicture: a picture that is cut off is told by a number that is left
// out.
func TestStopsInMidPicture(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	s.lose = func(l int, p *sent) bool { return l == 2 && s.number == 20 && p.Marker }
	s.run(20)
	s.frame()
	s.lose = nil
	all[2].mute = true
	s.run(30)
	if s.current() != "h" {
		t.Fatalf("now %s", s.current())
	}
	s.check(1)
}

// TestLostKeyframe: the keyframe of a layer that is to take over comes late, by a
// retransmission, whole.
func TestLostKeyframe(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	all[2].mute = true
	s.run(20)
	all[2].mute, all[2].key = false, true
	var lost *sent
	s.lose = func(l int, p *sent) bool {
		if l == 2 && p.Sync && lost == nil {
			lost = p
			return true
		}
		return false
	}
	s.run(2)
	lost.Retransmitted, lost.Arrival = true, s.now
	s.add(2, *lost)
	s.run(20)
	if s.current() != "f" || len(s.asked) != 0 {
		t.Errorf("now %s; asked %v", s.current(), s.asked)
	}
}

// TestNeverKeyframe: a layer whose keyframe is lost for good is asked for another one,
// and what is kept back has a limit.
func TestNeverKeyframe(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	all[2].mute = true
	s.run(20)
	all[2].mute, all[2].key, s.deaf = false, false, true
	s.run(5000)
	if s.current() != "h" || len(s.asked) < 10 || len(s.asked) > 40 {
		t.Errorf("now %s; asked %d times in 200 s", s.current(), len(s.asked))
	}
	if held := len(s.g.encodings[2].held); held > holdPackets {
		t.Errorf("%d packets are kept back", held)
	}
	s.deaf = false
	s.run(600)
	if s.current() != "f" {
		t.Errorf("now %s", s.current())
	}
	s.check(0)
}

// TestSameSize: of one size the higher rate counts, if it is clearly higher.
func TestSameSize(t *testing.T) {
	same := func(a, b int) *stage {
		return newStage(t,
			&layer{name: "a", width: 640, height: 360, perFrame: 2, size: a},
			&layer{name: "b", width: 640, height: 360, perFrame: 2, size: b})
	}
	s := same(400, 1000)
	s.run(400)
	if s.current() != "b" {
		t.Errorf("now %s", s.current())
	}
	s.check(0)
	s = same(1000, 1050)
	s.run(400)
	if s.current() != "a" || len(s.asked) > 0 {
		t.Errorf("of equals %s; asked %v", s.current(), s.asked)
	}
}

// TestReports: the layers' own clocks tell how they lie to each other better than their
// arrival.
func TestReports(t *testing.T) {
	all := three()
	all[2].delay = 35 * ms
	s := newStage(t, all...)
	all[2].mute = true
	s.run(10)
	report := func(i int) (joined uint64, ok bool) {
		at := time.Duration(s.number) * frameTime
		ntp := media.NTPTime(time.Unix(1e9, 0).Add(at))
		return s.g.Report(i, s.intakes[i].Time(uint32(media.VP8.Ticks(at))+all[i].offset), s.session.Instant(ntp, s.now))
	}
	if _, ok := report(2); ok {
		t.Error("a report of what never came")
	}
	for range 20 {
		report(0)
		if joined, ok := report(1); !ok || joined-s.out[len(s.out)-1].Time != 3600 {
			t.Errorf("the report places the next frame %d ticks ahead: %v", joined-s.out[len(s.out)-1].Time, ok)
		}
		s.run(25)
	}
	all[2].mute, all[2].key = false, false // it will be asked
	s.run(1)
	report(2)
	s.run(25)
	if s.current() != "f" {
		t.Fatalf("now %s", s.current())
	}
	s.check(0)
}

// TestAnotherStream: the layer that is passed on goes on under another SSRC.
func TestAnotherStream(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	s.run(50)
	s.restart(2)
	all[2].seq, all[2].offset = 40000, 7
	s.frame() // no keyframe
	if len(s.asked) != 1 || s.asked[0] != 2 {
		t.Errorf("asked %v", s.asked)
	}
	s.run(50)
	if s.current() != "f" {
		t.Errorf("now %s", s.current())
	}
	s.check(1)
	if d := s.drift(); d.Abs() > 10*ms {
		t.Errorf("the time is off by %v", d)
	}
	s.restart(0) // another one: nobody notices
	before := len(s.out)
	s.run(10)
	if len(s.out) != before+50 {
		t.Errorf("%d packets", len(s.out)-before)
	}
}

// TestCountsAnew: under the same SSRC.
func TestCountsAnew(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	s.run(50)
	all[2].seq -= 5000
	s.run(20)
	before := len(s.out)
	if s.run(10); len(s.out) != before+50 {
		t.Errorf("%d packets of 50 come out", len(s.out)-before)
	}
}

// TestLateOfFormer: what was missing when another layer took over still gets to its
// place; what comes later of the former one does not.
func TestLateOfFormer(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	all[2].mute = true
	s.run(10)
	var lost *sent
	s.lose = func(l int, p *sent) bool {
		if l == 1 && lost == nil {
			lost = p
			return true
		}
		return false
	}
	s.frame()
	s.lose = nil
	at := s.out[len(s.out)-1]
	all[2].mute, all[2].key = false, true
	s.run(5)
	before := len(s.out)
	lost.Retransmitted, lost.Arrival = true, s.now
	s.add(1, *lost)
	if got := s.out[len(s.out)-1]; len(s.out) != before+1 || got.Seq != at.Seq-1 || got.Time != at.Time {
		t.Errorf("it comes out as number %d, want %d", got.Seq, at.Seq-1)
	}
	s.add(1, sent{Packet: rtp.Packet{Seq: lost.Seq - 100, Time: lost.Time, Arrival: s.now, Retransmitted: true, Payload: lost.Payload}})
	if len(s.out) != before+1 {
		t.Error("a packet from before the beginning comes out")
	}
}

// TestSizeUnknown: a layer whose first keyframe nobody saw is asked for one, and if
// that shows it to be smaller, nothing changes.
func TestSizeUnknown(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	all[1].key = false
	s.run(50)
	if s.current() != "f" || len(s.asked) != 1 || s.asked[0] != 1 {
		t.Errorf("now %s; asked %v", s.current(), s.asked)
	}
	s.check(0)
}

// TestAsked: who is to be asked is who can answer.
func TestAsked(t *testing.T) {
	all := three()
	s := newStage(t, all...)
	if s.g.Asked() != -1 || s.g.Best() != -1 {
		t.Error("there is something to be asked")
	}
	s.run(20)
	if s.g.Asked() != 2 || s.g.Best() != 2 {
		t.Errorf("%d is asked", s.g.Asked())
	}
	all[2].mute, s.deaf = true, true
	s.run(20)
	if s.g.Asked() != 1 || s.g.Current() != 2 {
		t.Errorf("%d is asked, of %d", s.g.Asked(), s.g.Current())
	}
}

// FuzzGroup: whatever comes, what comes out is of bounded size and in few pieces.
func FuzzGroup(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0x40, 1, 9, 0x80, 0xc1, 200, 3, 3, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		out := 0
		g := New(media.H264, 3, func(EncodingPacket) { out++ })
		var intakes [3]*rtp.Intake
		for i := range intakes {
			intakes[i] = rtp.NewIntake(rtp.Config{Codec: media.H264, NACK: true})
		}
		now := time.Duration(0)
		in := 0
		for len(data) >= 4 {
			i, flags, step, seq := int(data[0]%3), data[1], data[2], data[3]
			data = data[4:]
			now += time.Duration(step) * ms
			if flags&0x80 != 0 {
				intakes[i].Restart()
				g.Restart(i)
			}
			if flags&0x40 != 0 {
				g.Report(i, intakes[i].Time(uint32(seq)<<8), time.Duration(step)*time.Second)
			}
			p := rtp.Packet{Seq: uint16(seq) << (flags & 7), Time: uint32(step) << (flags & 31), Arrival: now, Marker: flags&8 != 0, Retransmitted: flags&32 != 0}
			if seq != 0 {
				p.Payload = []byte{1}
			}
			var r rtp.Result
			if intakes[i].Receive(&p, &r); r.Restarted {
				g.Restart(i)
			}
			r.Sync = flags&16 != 0
			g.Add(i, EncodingPacket{Packet: r.Packet, Repeat: p.Retransmitted, Width: int(seq), Height: int(step)})
			in++
		}
		if out > in {
			t.Fatalf("%d packets become %d", in, out)
		}
	})
}
