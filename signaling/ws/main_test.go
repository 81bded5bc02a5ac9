package ws

import (
	"testing"

	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }
