package rtp

import (
	"math"
	"time"

	"weir/sfu/media"
)

const (
	// wrongRate is what no quartz is off by, as a share: sound cards are within 100
	// to 300 ppm. A clock that is has another rate than it says.
	wrongRate = 500e-6
	// maxStretch is the wrongest rate that is made up for: 44.1 kHz that pass for 48
	// are 8 % slow. More than that is no rate.
	maxStretch = 0.2
	// wrongBy is how much a wrong rate has to amount to before it is called that. A
	// machine that has no time drops a packet of sound now and then: 20 ms in 20 s
	// look like 1000 ppm.
	wrongBy = 50 * time.Millisecond
	// A rate is told from so many points on, over so long.
	minPoints = 6
	minSpan   = 5 * time.Second
	// rateInterval is how long the first intervals are of which the least delayed
	// packet makes a point.
	rateInterval = 500 * time.Millisecond
)

// rate measures how fast arrival less media time grows: it does so by how much
// slower than ours the sender's clock runs. Of each interval the least delayed
// packet counts; there are at most so many points, and intervals get longer.
type rate struct {
	points [32]ratePoint
	n      int
	width  time.Duration // of an interval
	began  time.Duration // when the current interval did
	least  ratePoint     // of the current interval
	some   bool          // there is one
}

type ratePoint struct{ at, transit time.Duration }

// observe takes in a packet and reports whether there is a new point.
func (r *rate) observe(at, transit time.Duration) bool {
	p := ratePoint{at, transit}
	switch {
	case !r.some:
		r.some, r.began, r.least = true, at, p
		r.width = max(r.width, rateInterval)
		return false
	case at-r.began < r.width:
		if transit < r.least.transit {
			r.least = p
		}
		return false
	}
	if r.n == len(r.points) {
		r.halve()
	}
	r.points[r.n] = r.least
	r.n++
	r.began, r.least = at, p
	return true
}

// halve makes one point of two.
func (r *rate) halve() {
	for i := range r.n / 2 {
		p, q := r.points[2*i], r.points[2*i+1]
		if q.transit < p.transit {
			p = q
		}
		r.points[i] = p
	}
	r.n /= 2
	r.width *= 2
}

// span is how long the points are apart.
func (r *rate) span() time.Duration { return r.points[max(0, r.n-1)].at - r.points[0].at }

// slope returns what transit grows by in a second, in seconds, and how sure that
// is: it is right within margin. A delay that changes once or twice looks like a slope,
// but not in each third of the time.
func (r *rate) slope() (slope, margin float64, ok bool) {
	if r.n < minPoints || r.span() < minSpan {
		return 0, 0, false
	}
	slope, deviation := fit(r.points[:r.n])
	margin = 3 * deviation
	for i := range 3 {
		part, _ := fit(r.points[i*r.n/3 : (i+1)*r.n/3])
		margin = max(margin, math.Abs(slope-part))
	}
	return slope, margin, true
}

// fit returns the slope of the straight line through points, by least squares, and
// its standard deviation.
func fit(points []ratePoint) (slope, deviation float64) {
	n := float64(len(points))
	var sx, sy, sxx, sxy, syy float64
	for _, p := range points {
		x, y := (p.at - points[0].at).Seconds(), (p.transit - points[0].transit).Seconds()
		sx, sy, sxx, sxy, syy = sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
	}
	sxx, sxy, syy = sxx-sx*sx/n, sxy-sx*sy/n, syy-sy*sy/n
	if sxx <= 0 {
		return 0, math.Inf(1)
	}
	slope = sxy / sxx
	if n > 2 {
		deviation = math.Sqrt(max(0, syy-slope*sxy) / (n - 2) / sxx)
	}
	return slope, deviation
}

// rates are those of one clock, by two witnesses.
type rates struct {
	moved      int64 // ticks by which RTP times were moved since
	byArrivals rate
	byReports  rate
}

// restart forgets what was measured: the clock has jumped.
func (r *rates) restart() { *r = rates{} }

func (r *rates) arrived(at, transit time.Duration) bool { return r.byArrivals.observe(at, transit) }

func (r *rates) reported(at, transit time.Duration) { r.byReports.observe(at, transit) }

// Rate tells how fast a sender's clock runs.
type Rate struct {
	// PPM is by how much faster than ours, in parts per million.
	PPM float64
	// Wrong reports whether this is more than any clock is off by: its rate is another than
	// the one that it is taken for.
	Wrong bool
}

// Rate returns how fast the sender's clock runs, as soon as it is known. Sender
// reports tell it best, unless they are made up: then arrival contradicts them.
func (t *Timeline) Rate() (r Rate, ok bool) {
	slope, margin, known := t.rates.byArrivals.slope()
	told, within, ok := t.rates.byReports.slope()
	if ok && (!known || math.Abs(told-slope) <= margin+within) {
		slope, margin, known = told, min(within, max(margin, within)), true
	}
	if !known || margin > max(wrongRate, math.Abs(slope)/2) {
		return Rate{}, false
	}
	amount := math.Abs(slope) * float64(max(t.rates.byArrivals.span(), t.rates.byReports.span()))
	return Rate{PPM: -slope * 1e6, Wrong: math.Abs(slope)-margin > wrongRate && amount > float64(wrongBy)}, true
}

// rate makes up for the rate of a clock, if it is wrong for certain.
func (t *Timeline) rate() {
	slope, margin, ok := t.rates.byArrivals.slope()
	if !ok || math.Abs(slope) > maxStretch || t.rtp < t.highest { // what was placed stays there
		return
	}
	by := 0.0
	switch {
	case math.Abs(slope)-margin > wrongRate:
		by = slope / (1 - slope)
	case math.Abs(slope)+margin > wrongRate:
		return // it may be either
	}
	change := math.Abs(by - t.stretch.by)
	if change < wrongRate/5 {
		return
	}
	t.stretch.set(t.codec, t.rtp, by)
	t.known.rtp = 0
	if change > wrongRate {
		// The intervals before were on a slope: begin with the last interval.
		last := t.rates.byArrivals.points[t.rates.byArrivals.n-1]
		late := max(0, (t.rates.byArrivals.least.transit - last.transit))
		t.arrivals = windowMin{window: minWindow}
		t.arrivals.observe(t.rates.byArrivals.least.at, t.transit-late)
	}
}

// stretch makes up for the wrong rate of a clock from an RTP time on.
type stretch struct {
	from uint64
	at   time.Duration // media time of from
	by   float64       // what is added to each second of the clock, in seconds
}

// set changes the rate at rtp, where the media time goes on.
func (s *stretch) set(c media.Codec, rtp uint64, by float64) {
	s.at, s.from, s.by = s.media(c, rtp), rtp, by
}

func (s *stretch) media(c media.Codec, rtp uint64) time.Duration {
	d := c.Duration(int64(rtp - s.from))
	if s.by == 0 {
		return s.at + d
	}
	return s.at + d + time.Duration(float64(d)*s.by)
}

// clock returns how long the sender's clock takes for d of media time.
func (s *stretch) clock(d time.Duration) time.Duration {
	return time.Duration(float64(d) / (1 + s.by))
}
