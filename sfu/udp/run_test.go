package udp

import (
	"bytes"
	"net/netip"
	"testing"
)

func peer(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(1000+i))
}

func TestRuns(t *testing.T) {
	repeat := func(count, n int) (sizes []int) {
		for range count {
			sizes = append(sizes, n)
		}
		return sizes
	}
	for _, test := range []struct {
		name  string
		sizes []int
		want  []int // datagrams in each run
	}{
		{"equal", repeat(10, 1200), []int{10}},
		{"the last is shorter", []int{1200, 1200, 300}, []int{3}},
		{"a shorter one ends the run", []int{1200, 300, 300, 1200}, []int{2, 1, 1}},
		{"a longer one begins a run", []int{300, 301, 301}, []int{1, 2}},
		{"empty ones are alone", []int{0, 0, 5, 0, 5}, []int{1, 1, 1, 1, 1}},
		{"64 segments at most", repeat(130, 100), []int{64, 64, 2}},
		{"65,507 bytes at most", repeat(60, 1200), []int{54, 6}},
		{"exactly 65,507 bytes", []int{maxDatagram - 1, 1, 1}, []int{2, 1}},
		{"the largest", []int{maxDatagram, 1}, []int{1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var runs []run
			start := 0
			for _, n := range test.sizes {
				runs = add(runs, start, n, peer(0))
				start += n
			}
			if len(runs) != len(test.want) {
				t.Fatalf("%d runs: %v", len(runs), runs)
			}
			for i, r := range runs {
				if r.count != test.want[i] {
					t.Errorf("run %d has %d datagrams, want %d", i, r.count, test.want[i])
				}
			}
		})
	}
}

// FuzzRuns: whatever is added comes out as the same datagrams in the same order,
// and every run is one that the kernel takes.
func FuzzRuns(f *testing.F) {
	f.Add([]byte{0, 200, 0, 200, 0, 50, 1, 50})
	f.Add([]byte{0, 0, 0, 0, 1, 1})
	f.Add(bytes.Repeat([]byte{0, 255}, 300))
	f.Fuzz(func(t *testing.T, script []byte) {
		type item struct {
			to         netip.AddrPort
			start, end int
		}
		var want, got []item
		var runs []run
		start := 0
		for i := 0; i+1 < len(script); i += 2 {
			to, n := peer(int(script[i]&3)), int(script[i+1])*(1+int(script[i]>>4)*16)
			if script[i]&4 != 0 {
				start++ // a gap, which no run may bridge
			}
			want = append(want, item{to, start, start + n})
			runs = add(runs, start, n, to)
			start += n
		}
		for _, r := range runs {
			if r.count < 1 || r.count > maxSegments || r.count > 1 && r.size > maxDatagram {
				t.Fatalf("impossible run %+v", r)
			}
			for j := range r.count {
				start, end := r.datagram(j)
				if r.count > 1 && (end <= start || j < r.count-1 && end-start != r.segment) {
					t.Fatalf("datagram %d of %+v: %d to %d", j, r, start, end)
				}
				got = append(got, item{r.to, start, end})
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d datagrams came out of %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("datagram %d: %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}
