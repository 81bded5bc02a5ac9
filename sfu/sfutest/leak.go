package sfutest

import (
	"testing"

	"go.uber.org/goleak"
)

// VerifyNoLeaks runs the tests of a package and fails if a goroutine is left
// behind. Call it from TestMain.
func VerifyNoLeaks(m *testing.M) { goleak.VerifyTestMain(m) }
