package load

import "testing"

func TestYardstick(t *testing.T) {
	if us, err := Yardstick(); err != nil || !(us > 0.01 && us < 1000) {
		t.Errorf("one send takes %v µs: %v", us, err)
	}
}
