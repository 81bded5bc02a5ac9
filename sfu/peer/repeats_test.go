package peer

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestRepeats: however often something is found missing, it ticks meanwhile, and not
// when nothing is.
func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRepeats()
		defer r.Stop()
		ticks := func() (n int) {
			for range 100 {
				time.Sleep(nackTick / 10)
				synctest.Wait()
				select {
				case <-r.C:
					n++
				default:
				}
				if r.running {
					r.run(true)
				}
			}
			return n
		}
		if n := ticks(); n != 0 {
			t.Errorf("%d ticks though nothing is missing", n)
		}
		r.run(true)
		if n := ticks(); n != 10 {
			t.Errorf("%d ticks, want 10", n)
		}
		r.run(false)
		if n := ticks(); n != 0 {
			t.Errorf("%d ticks though nothing is missing any more", n)
		}
	})
}
