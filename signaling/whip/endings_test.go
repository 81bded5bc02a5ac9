package whip

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/peer"
)

// TestEndings: of the sessions that ended for a reason the last ones are remembered.
func TestEndings(t *testing.T) {
	var e endings
	why := fmt.Errorf("why")
	e.note("nothing", nil)
	for n := range 2 * maxEndings {
		e.note(fmt.Sprint(n), why)
	}
	for id, want := range map[string]error{"nothing": nil, "0": nil, fmt.Sprint(maxEndings): why, fmt.Sprint(2*maxEndings - 1): why, "": nil} {
		if got := e.cause(id); (got == why) != (want == why) {
			t.Errorf("%q ended with %v", id, got)
		}
	}
}

// TestEndingsAreForgotten: a reason is told for some minutes only.
func TestEndingsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e endings
		e.note("a", errReplaced)
		time.Sleep(keptEnding - time.Second)
		if got := e.cause("a"); got != errReplaced {
			t.Errorf("it ended with %v", got)
		}
		time.Sleep(time.Second)
		if got := e.cause("a"); got != peer.ErrLost {
			t.Errorf("long after, it ended with %v", got)
		}
	})
}
