package poster

import "time"

// leastWait keeps streams that wait for a budget from asking all the time.
const leastWait = 100 * time.Millisecond

// budget is a share of one core: a bucket of processor time that fills at a rate, and
// that what was spent is taken out of. The cost of a picture is known afterwards only, so
// it may go below zero; then nothing is spent until it is above.
type budget struct {
	rate float64   // of a core
	most float64   // ns that it holds at most, and that it lacks at most: debts beyond are forgiven
	left float64   // ns
	at   time.Time // when left was true
}

// newBudget returns a full one.
func newBudget(rate float64, most time.Duration, now time.Time) budget {
	return budget{rate: rate, most: float64(most), left: float64(most), at: now}
}

// fill brings the budget up to date.
func (b *budget) fill(now time.Time) {
	if since := now.Sub(b.at); since > 0 {
		b.left = min(b.most, b.left+float64(since)*b.rate)
		b.at = now
	}
}

// wait returns how long nothing may be spent.
func (b *budget) wait(now time.Time) time.Duration {
	b.fill(now)
	if b.left > 0 {
		return 0
	}
	return max(leastWait, time.Duration(-b.left/b.rate))
}

// spend takes out what something has cost.
func (b *budget) spend(cost time.Duration, now time.Time) {
	b.fill(now)
	b.left = max(-b.most, b.left-float64(cost))
}
