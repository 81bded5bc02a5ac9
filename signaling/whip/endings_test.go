package whip

import (
	"fmt"
	"testing"
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
