package codec

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
)

// arrival is a packet that comes, and what leaves the window because of it: the
// Seq of each packet, negative where packets were given up right before it.
type arrival struct {
	seq  uint64
	at   time.Duration
	want []int
}

var reorderTests = []struct {
	name     string
	config   Config
	arrivals []arrival
	flush    []int
	lost     uint64
}{
	{"in order", Config{}, []arrival{{5, 0, []int{5}}, {6, 0, []int{6}}, {7, 0, []int{7}}}, nil, 0},
	{"twice", Config{}, []arrival{{5, 0, []int{5}}, {5, 0, nil}, {6, 0, []int{6}}, {5, 0, nil}}, nil, 0},
	{"older than the first", Config{}, []arrival{{5, 0, []int{5}}, {4, 0, nil}, {6, 0, []int{6}}}, nil, 0},
	{"swapped", Config{}, []arrival{{5, 0, []int{5}}, {7, 0, nil}, {6, 0, []int{6, 7}}}, nil, 0},
	{"held twice", Config{}, []arrival{{5, 0, []int{5}}, {7, 0, nil}, {7, 0, nil}, {8, 0, nil}, {7, 0, nil},
		{6, 0, []int{6, 7, 8}}}, nil, 0},
	{"backwards", Config{}, []arrival{{5, 0, []int{5}}, {9, 0, nil}, {8, 0, nil}, {7, 0, nil},
		{6, 0, []int{6, 7, 8, 9}}}, nil, 0},
	{"two holes, filled in turn", Config{}, []arrival{{1, 0, []int{1}}, {3, 0, nil}, {5, 0, nil},
		{2, 0, []int{2, 3}}, {4, 0, []int{4, 5}}}, nil, 0},
	{"flush", Config{}, []arrival{{1, 0, []int{1}}, {3, 0, nil}, {4, 0, nil}, {7, 0, nil}}, []int{-3, 4, -7}, 3},
	{"given up right after the window", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 10 * ms, nil}, {4, 110 * ms, nil}, {5, 110*ms + 1, []int{-3, 4, 5}}, {2, 111 * ms, nil}}, nil, 1},
	{"the first held behind the hole counts", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {5, 10 * ms, nil}, {3, 60 * ms, nil}, {6, 111 * ms, []int{-3, -5, 6}}}, nil, 2},
	{"a later hole waits for itself", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 10 * ms, nil}, {5, 60 * ms, nil}, {6, 111 * ms, []int{-3}}, {7, 160 * ms, nil},
		{8, 161 * ms, []int{-5, 6, 7, 8}}}, nil, 2},
	{"the hole after a filled one waits for itself", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 10 * ms, nil}, {5, 60 * ms, nil}, {2, 100 * ms, []int{2, 3}}, {7, 160 * ms, nil},
		{4, 160 * ms, []int{4, 5}}, {8, 260 * ms, nil}, {9, 261 * ms, []int{-7, 8, 9}}}, nil, 1},
	{"the earliest is behind another hole", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 5 * ms, nil}, {7, 10 * ms, nil}, {5, 60 * ms, nil}, {2, 70 * ms, []int{2, 3}},
		{8, 111 * ms, []int{-5, -7, 8}}}, nil, 2},
	{"filled at the last moment", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 10 * ms, nil}, {2, time.Second, []int{2, 3}}}, nil, 0},
	{"an old packet tells the time too", Config{Window: 100 * ms}, []arrival{
		{1, 0, []int{1}}, {3, 10 * ms, nil}, {1, 111 * ms, []int{-3}}}, nil, 1},
	{"too many packets", Config{MaxPackets: 3}, []arrival{{1, 0, []int{1}}, {3, 0, nil}, {5, 0, nil}, {6, 0, nil},
		{8, 0, []int{-3}}, {9, 0, []int{-5, 6}}}, []int{-8, 9}, 3},
	{"too many bytes", Config{MaxBytes: 35}, []arrival{{1, 0, []int{1}}, {3, 0, nil}, {5, 0, nil}, {6, 0, nil},
		{8, 0, []int{-3}}, {9, 0, []int{-5, 6}}}, []int{-8, 9}, 3},
	{"far jump", Config{Window: 100 * ms}, []arrival{{1, 0, []int{1}}, {1 << 50, 0, nil},
		{1<<50 + 1, 101 * ms, []int{-1 << 50, 1<<50 + 1}}, {2, 101 * ms, nil}}, nil, 1<<50 - 2},
	{"clock steps back", Config{Window: 100 * ms}, []arrival{{1, time.Hour, []int{1}}, {3, time.Hour, nil},
		{4, 0, nil}, {5, 101 * ms, []int{-3, 4, 5}}}, nil, 1},
}

func TestReorder(t *testing.T) {
	for _, tt := range reorderTests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReorder(tt.config)
			var got []int
			out := func(p *media.Packet, lost uint64) {
				n := int(p.Seq)
				if lost > 0 {
					n = -n
				}
				got = append(got, n)
			}
			for i, a := range tt.arrivals {
				got = nil
				r.push(&media.Packet{Seq: a.seq, Arrival: a.at, Payload: make([]byte, 10)}, out)
				if !slices.Equal(got, a.want) {
					t.Fatalf("arrival %d (%d): released %v, want %v", i, a.seq, got, a.want)
				}
			}
			got = nil
			r.flush(out)
			if !slices.Equal(got, tt.flush) {
				t.Errorf("flush released %v, want %v", got, tt.flush)
			}
			if r.lost != tt.lost || r.bytes != 0 || len(r.held) != 0 {
				t.Errorf("lost %d, want %d; %d bytes and %d packets held", r.lost, tt.lost, r.bytes, len(r.held))
			}
		})
	}
}

// TestReorderWork jumps as far as Seq can and fills the window over and over;
// were any of it counted by Seq and not by packet, this would take for ever.
func TestReorderWork(t *testing.T) {
	r := newReorder(Config{})
	released := 0
	out := func(*media.Packet, uint64) { released++ }
	seq := uint64(1)
	for i := range 20_000 {
		r.push(&media.Packet{Seq: seq, Arrival: time.Duration(i) * time.Microsecond}, out)
		seq += 1 << 49
		if len(r.held) > defaultMaxPackets {
			t.Fatalf("%d packets held", len(r.held))
		}
	}
	r.flush(out)
	if released != 20_000 || cap(r.held) != 0 {
		t.Errorf("%d released, room for %d kept", released, cap(r.held))
	}
}

func TestReorderPassesUncopied(t *testing.T) {
	r := newReorder(Config{})
	for seq := range uint64(10) {
		p := &media.Packet{Seq: seq}
		passed := false
		r.push(p, func(q *media.Packet, lost uint64) { passed = q == p && lost == 0 })
		if !passed {
			t.Fatal(fmt.Sprint("packet ", seq, " was held or copied"))
		}
	}
}
