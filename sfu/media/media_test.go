package media

import (
	"testing"
	"time"
)

func TestTicksAndDuration(t *testing.T) {
	tests := []struct {
		codec Codec
		d     time.Duration
		ticks int64
	}{
		{VP8, 0, 0},
		{VP8, time.Second, 90000},
		{VP8, time.Millisecond, 90},
		{VP8, -time.Millisecond, -90},
		{VP8, 33333333 * time.Nanosecond, 3000},
		{Opus, 20 * time.Millisecond, 960},
		{Opus, 400 * 24 * time.Hour, 400 * 24 * 3600 * 48000},
	}
	for _, tt := range tests {
		if got := tt.codec.Ticks(tt.d); got != tt.ticks {
			t.Errorf("%v.Ticks(%v) = %d, want %d", tt.codec, tt.d, got, tt.ticks)
		}
		if got := tt.codec.Duration(tt.ticks); (got - tt.d).Abs() > time.Microsecond {
			t.Errorf("%v.Duration(%d) = %v, want %v", tt.codec, tt.ticks, got, tt.d)
		}
	}
}

func TestUnwrapSequence(t *testing.T) {
	const base = uint64(1) << 32
	tests := []struct {
		name string
		in   []uint16
		want []uint64
	}{
		{"in order", []uint16{5, 6, 7}, []uint64{base + 5, base + 6, base + 7}},
		{"wraps", []uint16{65534, 65535, 0, 1}, []uint64{base + 65534, base + 65535, base + 65536, base + 65537}},
		{"late after the wrap", []uint16{65535, 1, 0, 65534}, []uint64{base + 65535, base + 65537, base + 65536, base + 65534}},
		{"before the first", []uint16{0, 65535}, []uint64{base, base - 1}},
		{"forward jump", []uint16{0, 32767}, []uint64{base, base + 32767}},
		{"half a turn is backward", []uint16{0, 32768}, []uint64{base, base - 32768}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var u Unwrapper[uint16]
			for i, v := range tt.in {
				if got := u.Unwrap(v); got != tt.want[i] {
					t.Fatalf("Unwrap(%d), the value at %d, = %d, want %d", v, i, got, tt.want[i])
				}
			}
		})
	}
}

func TestUnwrapManyTurns(t *testing.T) {
	var u Unwrapper[uint32]
	start := uint32(1<<32 - 1000)
	first := u.Unwrap(start)
	for i := uint64(1); i < 40; i++ {
		step := i << 28 // 1/16 of a turn each
		if got := u.Unwrap(start + uint32(step)); got != first+step {
			t.Fatalf("after %d steps: %d, want %d", i, got, first+step)
		}
	}
}

func TestNTP(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)
	got := NTPDuration(NTPTime(now))
	want := time.Duration(now.Unix()+ntpUnix)*time.Second + 123456789
	if (got - want).Abs() > 2 {
		t.Errorf("round trip differs by %v", got-want)
	}
}

func TestKinds(t *testing.T) {
	for codec, want := range map[Codec]string{Opus: "audio", VP8: "video", VP9: "video", AV1: "video", H264: "video"} {
		if got := (TrackInfo{Codec: codec}).Kind().String(); got != want {
			t.Errorf("%v is %s, want %s", codec, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for codec, want := range map[Codec]string{0: "none", Opus: "opus", VP8: "vp8", VP9: "vp9", AV1: "av1", H264: "h264"} {
		if got := codec.String(); got != want {
			t.Errorf("codec %d is called %q, want %q", codec, got, want)
		}
		if rate := codec.ClockRate(); codec.Kind() == Video && rate != 90000 {
			t.Errorf("%v has a clock of %d Hz", codec, rate)
		}
	}
}
