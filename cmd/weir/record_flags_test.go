package main

import (
	"testing"
	"time"
)

func TestTimeOrSize(t *testing.T) {
	for given, want := range map[string]struct {
		d     time.Duration
		bytes int64
	}{
		"": {}, "1h": {d: time.Hour}, "30d": {d: 720 * time.Hour}, "500MB": {bytes: 500e6}, "1GiB": {bytes: 1 << 30}, "1h, 2GB": {time.Hour, 2e9},
	} {
		d, bytes, err := timeOrSize("--record-keep", given)
		if err != nil || d != want.d || bytes != want.bytes {
			t.Errorf("%q is %v and %d bytes, %v", given, d, bytes, err)
		}
	}
	// A number alone would delete everything but so many bytes.
	for _, bad := range []string{"30", "1", "5000000000", "0", "0s", "-1h", "10kB", "soon", "1h,x", "3 days"} {
		if d, bytes, err := timeOrSize("--record-keep", bad); err == nil {
			t.Errorf("%q is taken for %v and %d bytes", bad, d, bytes)
		}
	}
}
