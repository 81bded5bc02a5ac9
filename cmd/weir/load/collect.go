package load

import (
	"slices"
	"sync"
	"time"

	"weir/sfu/media"
)

// numbers are the publisher's numbers of the packets that belong to the
// measurement, by when they were sent: from first on, and, when it is over, up
// to but not including last.
type numbers struct {
	first, last int64
	open        bool
}

func (n numbers) hold(number uint32) bool {
	return int64(number) >= n.first && (n.open || int64(number) < n.last)
}

// startAt is told how many packets were sent before, end how many by then.
func (n *numbers) startAt(sent int64) { *n = numbers{first: sent, open: true} }
func (n *numbers) end(sent int64)     { n.last, n.open = sent, false }

// measurement is the state of things at the beginning of the window, and, from
// its end on, what became of them in it.
type measurement struct {
	start        time.Time
	took         time.Duration
	own, machine time.Duration // CPU
	sent         Sent
}

func (m *measurement) open(r *loadTest) {
	m.own, m.machine, m.sent, m.start = ownCPU(), machineCPU(), r.sent(), time.Now()
	r.process.startWindow()
	r.fleet.openWindow()
	for _, p := range r.publishers {
		p.window[media.Video].startAt(p.sent.video.Load())
		p.window[media.Audio].startAt(p.sent.audio.Load())
	}
}

func (m *measurement) end(r *loadTest) {
	r.fleet.closeWindow()
	r.report.Server = r.process.finish(r.fleet.window.packets)
	m.took = time.Since(m.start)
	m.own, m.machine, m.sent = ownCPU()-m.own, machineCPU()-m.machine, r.sent().minus(m.sent)
	for _, p := range r.publishers {
		p.window[media.Video].end(p.sent.video.Load())
		p.window[media.Audio].end(p.sent.audio.Load())
	}
}

// collect fills in what the viewers received. Nothing reads any more.
func (r *loadTest) collect(m measurement) {
	f, got := r.fleet, &r.report.Received
	r.report.WindowMS, r.report.Sent = m.took.Milliseconds(), m.sent
	r.report.Sent.Packets = 0
	for _, p := range r.publishers {
		for _, n := range p.window {
			r.report.Sent.Packets += n.last - n.first
		}
	}
	var joins, keyframes []int64
	for _, v := range f.viewers {
		if v.keys == nil {
			continue // it is one of those that failed
		}
		joins = append(joins, since(v.started, v.firstPacket))
		keyframes = append(keyframes, since(v.started, v.keyframe))
		if v.ended.Load() {
			r.report.Ended++
		}
		if n := got.add(v); n == 0 && r.report.WindowMS > settleTime.Milliseconds() {
			r.report.Silent++
		}
	}
	r.report.Join, r.report.Keyframe = timesOf(joins), timesOf(keyframes)
	got.Bytes = f.window.bytes
	got.Authenticated, got.Undecryptable, got.UnknownType = f.authenticated, f.undecryptable, f.unknown
	got.Unstamped = f.unstamped
	if f.unstamped > 0 {
		// The server cuts packets anew, so the publishers' numbers are not those of
		// packets: what its sequence numbers tell has to do.
		got.Packets, got.Expected, got.Lost = got.numbered-got.Gaps, got.numbered, got.Gaps
	}
	r.report.LossPercent = 100 * ratio(got.Lost, got.Expected)
	r.report.Latency = latencyOf(&f.latencies, f.negative)
	for _, p := range r.publishers {
		if p.isGone() {
			r.report.LostStreams++
		}
	}
	r.collectCPU(m)
	judge(r.report, r.c.Expect)
}

// collectCPU fills in what this program used, and what else runs on the machine.
func (r *loadTest) collectCPU(m measurement) {
	f := r.fleet
	r.report.Generator = Generator{
		CPUPercent:      100 * ratio(m.own, m.took),
		CPUPerPacket:    ratio(m.own, f.window.packets) / Figure(time.Microsecond),
		ViewerPerPacket: ratio(f.windowCPU, f.window.packets) / Figure(time.Microsecond),
	}
	others := 100 * ratio(m.machine-m.own, m.took)
	if s := r.report.Server; s != nil {
		others -= s.CPUPercent
	}
	r.report.OthersCPU = max(0, others) // the parts are told in steps of 10 ms
}

// add adds what a viewer received in the window, and returns the packets.
func (got *Received) add(v *viewer) (packets int64) {
	for _, t := range v.tracks {
		expected := t.window.expected(t.highest)
		got.numbered += expected
		got.Gaps += expected - t.window.received
		got.Skipped += t.window.skipped()
		got.Duplicates += t.duplicates
		packets += t.measured
	}
	for _, n := range v.stream.window {
		got.Expected += n.last - n.first
	}
	got.Packets += packets
	got.Lost = got.Expected - got.Packets
	got.Dropped += int64(v.dropped - v.droppedBefore)
	return packets
}

// since is the time from one instant to another that may not have come: 0.
func since(from, to int64) int64 {
	if to == 0 {
		return 0
	}
	return max(1, to-from)
}

// failures are why viewers could not join.
type failures struct {
	mu      sync.Mutex
	count   int
	reasons []string // each once, a few; not nil
}

// maxReasons bounds what is listed: the addresses in some make each another one.
const maxReasons = 5

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if len(f.reasons) < maxReasons && !slices.Contains(f.reasons, err.Error()) {
		f.reasons = append(f.reasons, err.Error())
	}
}

// firstOf returns the first error.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
