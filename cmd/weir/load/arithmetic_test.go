package load

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu/media"
)

// TestPercentiles: those of 1 to 100 ms are what counting says, of the histogram
// within its 0.8 %.
func TestPercentiles(t *testing.T) {
	var h histogram
	var took []int64
	for ms := int64(100); ms >= 1; ms-- {
		h.add(ms * 1e6)
		took = append(took, ms*1e6)
	}
	l := latencyOf(&h, 3)
	for _, c := range []struct {
		name      string
		got, want Figure
	}{{"p50", l.P50, 51}, {"p95", l.P95, 96}, {"p99", l.P99, 100}, {"max", l.Max, 100}} {
		if off := math.Abs(float64(c.got - c.want)); off > 0.008*float64(c.want) {
			t.Errorf("%s is %v ms, want %v", c.name, c.got, c.want)
		}
	}
	if l.Samples != 100 || l.Negative != 3 {
		t.Errorf("%d samples, %d negative", l.Samples, l.Negative)
	}
	if got := timesOf(took); got != (Times{P50: 50, P95: 95, Max: 100}) {
		t.Errorf("times %+v", got)
	}
	if took[0] != 100e6 {
		t.Error("the caller's times were sorted")
	}
	if l := latencyOf(&histogram{}, 0); l.P50.known() || l.Max.known() || l.Samples != 0 {
		t.Errorf("of nothing: %+v", l)
	}
}

// TestHistogramBuckets: buckets follow one another without a hole, and each value
// is at most 0.8 % away from the middle of its own.
func TestHistogramBuckets(t *testing.T) {
	for v, last := int64(0), -1; v < 1<<20; v++ {
		b := bucketOf(v)
		if b != last && b != last+1 {
			t.Fatalf("%d is in bucket %d, the value before in %d", v, b, last)
		}
		last = b
		if off := math.Abs(float64(middle(b) - v)); off > 0.008*float64(v)+1 {
			t.Fatalf("%d is in a bucket around %d", v, middle(b))
		}
	}
	if b := bucketOf(maxValue); b >= buckets {
		t.Errorf("the largest value is in bucket %d of %d", b, buckets)
	}
}

// TestSkipped: what is missing by the publisher's numbers, and not by the
// server's, was left out without a gap.
func TestSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		seqs    []int64
		numbers []uint32
		want    int64
	}{
		"none":                       {[]int64{1, 2, 3}, []uint32{7, 8, 9}, 0},
		"one left out":               {[]int64{1, 2, 3}, []uint32{7, 9, 10}, 1},
		"a gap is none":              {[]int64{1, 3, 4}, []uint32{7, 9, 10}, 0},
		"a gap, and one left out":    {[]int64{1, 3, 4}, []uint32{7, 10, 11}, 1},
		"numbers wrap":               {[]int64{1, 2}, []uint32{math.MaxUint32, 1}, 1},
		"the oldest come last":       {[]int64{3, 1, 2}, []uint32{9, 7, 8}, 0},
		"one packet":                 {[]int64{5}, []uint32{9}, 0},
		"fewer numbers than packets": {[]int64{1, 5}, []uint32{7, 8}, 0},
	} {
		s := span{from: 1, open: true}
		for i, seq := range c.seqs {
			s.note(seq, c.numbers[i])
		}
		if got := s.skipped(); got != c.want {
			t.Errorf("%s: %d were left out, want %d", name, got, c.want)
		}
	}
}

// TestReceiverReport: the shares of lost packets since the last report, and all of
// them (RFC 3550 section 6.4.1).
func TestReceiverReport(t *testing.T) {
	tr := newTrack(9, media.Video, 65530, false)
	for step, c := range []struct {
		from, to uint16 // packets that come, every second one of them if half
		half     bool
		fraction uint8
		total    uint32
		highest  uint32
	}{
		{65530, 65533, false, 0, 0, 65533},
		{65534, 2, true, 256 * 2 / 5, 2, 65536 + 2}, // 65535 and 1 are lost
		{3, 12, false, 0, 2, 65536 + 12},
		{13, 12, false, 0, 2, 65536 + 12}, // nothing new
	} {
		for n := c.from; n != c.to+1; n++ {
			if !c.half || n%2 == 0 {
				tr.countPacket(n)
			}
		}
		got := tr.report()
		if got.SSRC != 9 || got.FractionLost != c.fraction || got.TotalLost != c.total || got.LastSequenceNumber != c.highest {
			t.Errorf("step %d: %+v, want %d/256, %d in all, highest %d", step, got, c.fraction, c.total, c.highest)
		}
	}
	// All lost but one: 255 of 256 is the most that can be told.
	tr = newTrack(9, media.Video, 0, false)
	tr.countPacket(0)
	tr.report()
	tr.countPacket(1000)
	if got := tr.report(); got.FractionLost != 255 || got.TotalLost != 999 {
		t.Errorf("%+v", got)
	}
}

// TestDepartures: the time of a picture's packets is that at which all of them
// left, also across the end of the table and of the numbers.
func TestDepartures(t *testing.T) {
	var d departures
	at := time.Unix(100, 5)
	d.note(math.MaxUint32-1, 2, at)
	for _, n := range []uint32{math.MaxUint32 - 1, math.MaxUint32, 0, 1} {
		if got := d.of(n); got != at.UnixNano() {
			t.Errorf("packet %d left at %d", n, got)
		}
	}
	if d.of(2) != 0 {
		t.Error("a packet has left that was not sent")
	}
	d.note(1+uint32(len(d.at)), 2+uint32(len(d.at)), at.Add(time.Second))
	if got := d.of(1); got != at.Add(time.Second).UnixNano() {
		t.Errorf("a packet of 12 s ago is %d", got)
	}
}

// TestMeasuredNumbers: those belong to the measurement that were sent in it.
func TestMeasuredNumbers(t *testing.T) {
	var n numbers
	n.startAt(10)
	for number, want := range map[uint32]bool{9: false, 10: true, 1000: true} {
		if n.hold(number) != want {
			t.Errorf("while it lasts, packet %d: %v", number, !want)
		}
	}
	n.end(20)
	for number, want := range map[uint32]bool{9: false, 10: true, 19: true, 20: false} {
		if n.hold(number) != want {
			t.Errorf("afterwards, packet %d: %v", number, !want)
		}
	}
}

// TestJoinsOf: what the server uses without joins is taken off.
func TestJoinsOf(t *testing.T) {
	connected := []int64{1e6, 2e6, 3e6, 4e6}
	// 20 % of a core without joins; 3 s of CPU in 5 s, of which 1 s is for 4 joins.
	got := joinsOf(connected, spent{2 * time.Second, 5 * time.Second}, spent{200 * time.Millisecond, time.Second})
	if got.Done != 4 || got.CPUPerJoin != 250 || got.PerCore != 4 || got.BaseCPU != 20 || math.Abs(float64(got.PerSecond)-0.8) > 1e-9 || got.Connected.Max != 4 {
		t.Errorf("%+v", got)
	}
	// Less than nothing is nothing: how many a core could do is not known then.
	got = joinsOf(connected, spent{time.Second, 10 * time.Second}, spent{time.Second, time.Second})
	if got.CPUPerJoin != 0 || got.PerCore.known() {
		t.Errorf("%+v", got)
	}
	if got := joinsOf(nil, spent{time.Second, time.Second}, spent{0, time.Second}); got.Done != 0 || got.CPUPerJoin.known() || got.Connected.P50.known() {
		t.Errorf("%+v", got)
	}
}

// TestFigures: what is unknown is null and a dash; of others there are as many
// digits as are of use.
func TestFigures(t *testing.T) {
	for f, want := range map[Figure][2]string{
		0: {"0", "0"}, 3: {"3", "3"}, 1.234567890: {"1.23", "1.234568"}, 12.345: {"12.3", "12.345"}, 1234.5: {"1234", "1234.5"},
		-0.5: {"-0.50", "-0.5"}, Figure(math.Inf(1)): {"-", "null"}, unknown: {"-", "null"},
	} {
		raw, err := json.Marshal(f)
		if f.String() != want[0] || string(raw) != want[1] || err != nil {
			t.Errorf("%v is %q and %s, %v; want %q", float64(f), f.String(), raw, err, want)
		}
		var back Figure
		if err := json.Unmarshal(raw, &back); err != nil || back.known() != f.known() || f.known() && math.Abs(float64(back-f)) > 1e-6 {
			t.Errorf("%s is read as %v, %v", raw, float64(back), err)
		}
	}
	if ratio(1, 0).known() || ratio(3*time.Second, 2*time.Second) != 1.5 {
		t.Error("ratios")
	}
}

// testKeys are the keys of a viewer whose server has the same ones.
func testKeys(t *testing.T) *keys {
	t.Helper()
	c := srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm}
	c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt = bytes.Repeat([]byte{3}, 16), bytes.Repeat([]byte{5}, 12)
	c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt = c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt
	k, err := keysOf(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testMedia is a publisher without a connection, and a viewer of it that has no
// socket. What the publisher sends can be handed to the viewer at any time.
type testMedia struct {
	t     *testing.T
	run   *loadTest
	keys  *keys
	clock int64
}

func newTestMedia(t *testing.T) *testMedia {
	k := testKeys(t)
	p := &publisher{name: "test", gone: make(chan struct{})}
	f := &fleet{decryptEvery: 1}
	v := &viewer{stream: p, fleet: f, keys: k, started: 1e9}
	v.kinds[typeVP8], v.kinds[typeOpus] = media.Video, media.Audio
	f.viewers = []*viewer{v}
	return &testMedia{t: t, keys: k, clock: 1e9, run: &loadTest{
		c: Config{DecryptEvery: 1}, report: &Report{Streams: 1, Viewers: 1, Joined: 1}, publishers: []*publisher{p}, fleet: f,
	}}
}

// sound notes that a packet of sound was sent, and lets it arrive some time later,
// unless that is negative.
func (m *testMedia) sound(number uint32, seq uint16, took time.Duration) {
	m.t.Helper()
	data := make([]byte, 40)
	putStamp(data, number)
	m.arrive(rtp.Header{Version: 2, PayloadType: typeOpus, SequenceNumber: seq, SSRC: 1}, data, number, took)
}

func (m *testMedia) arrive(h rtp.Header, data []byte, number uint32, took time.Duration) {
	m.t.Helper()
	p := m.run.publishers[0]
	kind := m.run.fleet.viewers[0].kinds[h.PayloadType]
	m.clock += int64(20 * time.Millisecond)
	p.left[kind].note(number, number+1, time.Unix(0, m.clock))
	if took < 0 {
		return
	}
	plain, err := (&rtp.Packet{Header: h, Payload: data}).Marshal()
	if err != nil {
		m.t.Fatal(err)
	}
	sealed, err := m.keys.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.run.fleet.viewers[0].receive(sealed, m.clock+int64(took), 0)
}

// begin and end are those of the measurement.
func (m *testMedia) begin(sent int64) {
	m.run.fleet.openWindow()
	m.run.publishers[0].window[media.Audio].startAt(sent)
	m.run.publishers[0].window[media.Video].startAt(0)
}

func (m *testMedia) end(sent int64) {
	m.run.fleet.closeWindow()
	m.run.publishers[0].window[media.Audio].end(sent)
	m.run.publishers[0].window[media.Video].end(0)
}

const lostPacket = -1

// TestPacketTimes: loss and latency of packets whose fates are known, to the
// packet and the millisecond.
func TestPacketTimes(t *testing.T) {
	m := newTestMedia(t)
	for n := range uint32(5) { // before the measurement
		m.sound(n, uint16(n), time.Second)
	}
	m.begin(5)
	fates := []time.Duration{
		1 * time.Millisecond, 2 * time.Millisecond, lostPacket, 4 * time.Millisecond, 5 * time.Millisecond, lostPacket, lostPacket,
		8 * time.Millisecond, 9 * time.Millisecond, 10 * time.Millisecond,
	}
	for i, took := range fates {
		m.sound(uint32(5+i), uint16(5+i), took)
	}
	m.sound(14, 14, 50*time.Millisecond) // again: not counted twice
	m.end(15)
	m.sound(15, 15, 0) // sent behind the end
	m.run.collect(measurement{took: 2 * time.Second, own: time.Second, machine: 3 * time.Second})

	got := m.run.report.Received
	if m.run.report.Sent.Packets != 10 || got.Packets != 7 || got.Expected != 10 || got.Lost != 3 || got.Gaps != 3 || got.Skipped != 0 || got.Duplicates != 1 ||
		got.Undecryptable != 0 || got.UnknownType != 0 || got.Unstamped != 0 || got.Authenticated != 13 {
		t.Errorf("%+v", got)
	}
	r := m.run.report
	if r.LossPercent != 30 || r.Latency.Samples != 7 || r.Latency.Max != 10 || math.Abs(float64(r.Latency.P50-5)) > 0.05 || r.Latency.Negative != 0 {
		t.Errorf("loss %v %%, latency %+v", r.LossPercent, r.Latency)
	}
	// The first packet came a second after it left, 20 ms after the offer.
	if r.Join.Max != 1020 || r.Join.Vain != 0 || r.Keyframe.Vain != 1 || r.Silent != 0 || r.LostStreams != 0 {
		t.Errorf("join %+v, keyframe %+v, silent %d", r.Join, r.Keyframe, r.Silent)
	}
	if g := r.Generator; g.CPUPercent != 50 || r.OthersCPU != 100 || math.Abs(float64(g.CPUPerPacket)-1e6/7) > 1 {
		t.Errorf("%+v, others %v %%", g, r.OthersCPU)
	}
}

// TestLeftOutWithoutGap: what a server leaves out and numbers past is lost, and
// told apart from gaps.
func TestLeftOutWithoutGap(t *testing.T) {
	m := newTestMedia(t)
	m.sound(0, 100, 0)
	m.begin(1)
	seq := uint16(100)
	for n := uint32(1); n <= 20; n++ {
		if n%5 == 0 {
			m.arrive(rtp.Header{PayloadType: typeOpus}, nil, n, lostPacket)
			continue
		}
		seq++
		m.sound(n, seq, time.Millisecond)
	}
	m.sound(21, seq+1, time.Millisecond)
	m.end(22)
	m.run.collect(measurement{took: time.Second})
	got := m.run.report.Received
	if got.Packets != 17 || got.Expected != 21 || got.Lost != 4 || got.Gaps != 0 || got.Skipped != 4 {
		t.Errorf("%+v", got)
	}
}

// TestUnstampedFallsBack: of a server that cuts packets anew only its sequence
// numbers count.
func TestUnstampedFallsBack(t *testing.T) {
	m := newTestMedia(t)
	m.sound(0, 0, 0)
	m.begin(1)
	for n := uint16(1); n <= 10; n++ {
		if n != 4 {
			m.arrive(rtp.Header{Version: 2, PayloadType: typeOpus, SequenceNumber: n, SSRC: 1}, make([]byte, 40), uint32(n), 0)
		}
	}
	m.end(500)
	m.run.collect(measurement{took: time.Second})
	if got := m.run.report.Received; got.Unstamped != 9 || got.Packets != 9 || got.Expected != 10 || got.Lost != 1 || m.run.report.LossPercent != 10 {
		t.Errorf("%+v", got)
	}
}

// TestWhatIsNoMedia: packets that cannot be counted are told apart, and harm
// nothing.
func TestWhatIsNoMedia(t *testing.T) {
	m := newTestMedia(t)
	v, f := m.run.fleet.viewers[0], m.run.fleet
	m.begin(0)
	v.receive(nil, 1, 7)
	v.receive([]byte{0x80, 200, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 1, 0) // RTCP
	v.receive([]byte{0x80, 96}, 1, 0)                                // too short
	if len(v.tracks) != 0 || v.dropped != 7 {
		t.Errorf("%d tracks, %d dropped", len(v.tracks), v.dropped)
	}
	unknownType := append([]byte{0x80, 50, 0, 1}, make([]byte, 40)...)
	v.receive(unknownType, 1, 0)
	if f.unknown != 1 || f.window.packets != 0 {
		t.Errorf("%d of unknown type, %d counted", f.unknown, f.window.packets)
	}
	forged := append([]byte{0x80, typeOpus, 0, 1}, make([]byte, 60)...)
	v.receive(forged, 1, 0)
	if f.undecryptable != 1 || f.authenticated != 0 {
		t.Errorf("%d could not be decrypted, %d could", f.undecryptable, f.authenticated)
	}
}

// TestEarlyPackets: what comes before the keys is counted once they are there,
// with the time at which it came; and no more than the limit is kept.
func TestEarlyPackets(t *testing.T) {
	m := newTestMedia(t)
	v := m.run.fleet.viewers[0]
	v.keys = nil
	m.begin(0)
	m.sound(0, 0, 3*time.Millisecond)
	came := m.clock + int64(3*time.Millisecond)
	for n := range maxEarly + 10 {
		v.receive(append([]byte{0x80, 50, byte(n >> 8), byte(n)}, make([]byte, 12)...), 1, 0)
	}
	if len(v.early) != maxEarly {
		t.Errorf("%d packets are kept, want at most %d", len(v.early), maxEarly)
	}
	v.setKeys(m.keys)
	if v.firstPacket != came || m.run.fleet.latencies.most != int64(3*time.Millisecond) || v.early != nil {
		t.Errorf("the first packet came at %d, want %d; it took %d", v.firstPacket, came, m.run.fleet.latencies.most)
	}
}

// TestViewersThatAreMissing: they fail the verdict, whatever the figures are.
func TestViewersThatAreMissing(t *testing.T) {
	m := newTestMedia(t)
	silent := &viewer{stream: m.run.publishers[0], fleet: m.run.fleet, keys: m.keys}
	silent.ended.Store(true)
	m.run.fleet.viewers = append(m.run.fleet.viewers, silent, &viewer{fleet: m.run.fleet}) // the last one has no keys: it failed to join
	m.begin(0)
	m.sound(0, 0, 0)
	m.end(1)
	close(m.run.publishers[0].gone)
	m.run.c.Expect = expect(t, "loss<=50%")
	m.run.collect(measurement{took: 2 * settleTime})
	r := m.run.report
	if r.Silent != 1 || r.Ended != 1 || r.LostStreams != 1 || r.Join.Vain != 1 || r.Verdict != VerdictFail || !r.Checks[0].Met {
		t.Errorf("%+v", r)
	}
	missed := r.Missed()
	for _, part := range []string{"1 viewers were ended by the server", "1 viewers received nothing", "1 streams were lost"} {
		if !strings.Contains(missed, part) {
			t.Errorf("%q does not tell %q", missed, part)
		}
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "1 ended by the server, 1 received nothing") ||
		!strings.Contains(table.String(), "50 %: 1 of 2 packets") {
		t.Errorf("%v: %s", err, table.String())
	}
}

// TestProcessFinish: CPU time and memory are told of a process that is gone in
// the middle, too: as an error, not as figures.
func TestProcessFinish(t *testing.T) {
	var none *process
	if none.startWindow(); none.finish(1) != nil {
		t.Error("a process that is not watched has figures")
	}
	gone := &process{pid: 1<<30 - 1, before: 5, goroutines: unknown, stop: make(chan struct{})}
	gone.startWindow()
	s := gone.finish(10)
	if s.Error == "" || s.CPUPercent.known() || s.CPUPerPacket.known() || s.RSSBefore != 5 {
		t.Errorf("%+v", s)
	}
}

// TestTimetable: keyframes come as often as was asked for, at least one frame
// apart, and a second's pictures have the bit rate.
func TestTimetable(t *testing.T) {
	for _, c := range []struct {
		fps      int
		interval time.Duration
		bits     int
		every    int
	}{
		{30, 2 * time.Second, 2_500_000, 60}, {30, time.Second, 10_000, 30}, {25, 100 * time.Millisecond, 1_000_000, 2}, {1, time.Second, 800_000, 1},
		{60, 50 * time.Millisecond, 100_000_000, 3},
	} {
		config := Config{FrameRate: c.fps, KeyframeInterval: c.interval, Bitrate: c.bits}
		if got := config.keyEvery(); got != c.every {
			t.Errorf("%+v: a keyframe every %d frames", c, got)
		}
		inter, key := config.frameSizes()
		if key != keyframeSize*inter || inter < stampEnd {
			t.Errorf("%+v: frames of %d and %d bytes", c, inter, key)
		}
		bits := 8 * float64(key+inter*(c.every-1)) * float64(c.fps) / float64(c.every)
		if bits > 1.01*float64(c.bits) && inter > stampEnd || bits < 0.95*float64(c.bits) {
			t.Errorf("%+v: %v bit/s", c, bits)
		}
	}
	if got := (Config{AudioBitrate: 32_000}).opusSize(); got != 80 {
		t.Errorf("20 ms of 32 kbit/s are %d bytes", got)
	}
}

// TestEach: all are called, no more at a time than allowed.
func TestEach(t *testing.T) {
	var now, most atomic.Int64
	called := make([]atomic.Bool, 20)
	each(len(called), 3, func(i int) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		called[i].Store(true)
		now.Add(-1)
	})
	for i := range called {
		if !called[i].Load() {
			t.Errorf("%d was not called", i)
		}
	}
	if most.Load() > 3 {
		t.Errorf("%d at a time", most.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	if !sleep(ctx, 0) {
		t.Error("it did not sleep")
	}
	if cancel(); sleep(ctx, time.Hour) {
		t.Error("it slept on")
	}
}

// TestTally: visits are counted, the good ones with their times; reasons are kept
// once each, a few.
func TestTally(t *testing.T) {
	tally := &tally{failures: failures{reasons: []string{}}}
	for i := range 20 {
		var err error
		if i%2 == 0 {
			err = &refusal{text: strings.Repeat("x", i/4)}
		}
		if done := tally.add(time.Duration(i), err); done != i+1 {
			t.Errorf("%d are done, want %d", done, i+1)
		}
	}
	if !slices.Equal(tally.connected, []int64{1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) {
		t.Errorf("connected %v", tally.connected)
	}
	if f := &tally.failures; f.count != 10 || len(f.reasons) != maxReasons {
		t.Errorf("%d failures, %q", f.count, f.reasons)
	}
}
