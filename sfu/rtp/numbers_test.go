package rtp

import (
	"testing"
	"time"
)

// TestNumbers: sequence numbers extended, and the rule of a sender that counts anew.
func TestNumbers(t *testing.T) {
	type run struct {
		from  uint16
		n     int
		each  time.Duration
		again bool // retransmitted
	}
	for _, tt := range []struct {
		name     string
		runs     []run
		restarts int
		last     uint64 // extended number of the last packet, less the epoch
	}{
		{"in order", []run{{5, 10, 20 * ms, false}}, 0, 14},
		{"wraps", []run{{65530, 10, 20 * ms, false}}, 0, 65539},
		{"wraps, and a late one comes from before that", []run{{65530, 10, ms, false}, {65535, 1, ms, false}}, 0, 65535},
		{"a gap", []run{{5, 1, ms, false}, {32000, 1, ms, false}}, 0, 32000},
		{"before the first", []run{{100, 2, ms, false}, {85, 15, ms, false}}, 0, 99},
		{"more than that before the first", []run{{100, 2, ms, false}, {80, 16, ms, false}}, 1, 95},
		{"retransmitted before the first", []run{{100, 2, ms, true}, {50, 40, ms, true}}, 0, 89},
		{"twice", []run{{100, 200, ms, false}, {100, 200, ms, false}}, 0, 299},
		{"long ago", []run{{100, 1000, 20 * ms, false}, {100, 30, 20 * ms, false}}, 1, 129},
		{"long ago, retransmitted", []run{{100, 1000, 20 * ms, false}, {100, 30, 20 * ms, true}}, 0, 129},
		{"far behind", []run{{100, 9000, 50 * time.Microsecond, false}, {100, 30, 0, false}}, 1, 129},
		{"half a turn", []run{{100, 2, ms, false}, {32869, 100, ms, false}}, 1, 32968},
		{"twice anew", []run{{5000, 100, ms, false}, {1000, 100, ms, false}, {10, 100, ms, false}}, 2, 109},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n numbers
			var at time.Duration
			restarts, last := 0, uint64(0)
			for _, r := range tt.runs {
				for i := range r.n {
					var restarted bool
					if last, restarted = n.place(&Packet{Seq: r.from + uint16(i), Arrival: at, Retransmitted: r.again}); restarted {
						restarts++
					}
					at += r.each
				}
			}
			if restarts != tt.restarts || last-epoch != tt.last {
				t.Errorf("%d restarts, the last number is %d; want %d, %d", restarts, int64(last-epoch), tt.restarts, tt.last)
			}
		})
	}
}

// TestNumbersInBetween: old packets are no restart while new ones come.
func TestNumbersInBetween(t *testing.T) {
	var n numbers
	for i := range uint16(1000) {
		at := time.Duration(i) * 20 * ms
		n.place(&Packet{Seq: 20000 + i, Arrival: at})
		if _, restarted := n.place(&Packet{Seq: 1000 + i, Arrival: at}); restarted {
			t.Fatalf("after %d old packets", i)
		}
	}
}
