package load

import "math/bits"

const (
	// subBits makes 64 buckets for each doubling: a bucket's middle is at most
	// 0.8 % away from what is in it.
	subBits  = 6
	buckets  = (64-subBits)<<subBits + 1<<subBits
	maxValue = 1<<62 - 1
)

// histogram counts values of at least 0, with a relative error of 0.8 %. The
// largest value is exact. Adding costs some nanoseconds and no memory.
type histogram struct {
	counts [buckets]uint64
	total  uint64
	most   int64
}

func bucketOf(v int64) int {
	shift := max(0, bits.Len64(uint64(v))-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// add counts v. A negative value counts as 0.
func (h *histogram) add(v int64) {
	v = min(max(v, 0), maxValue)
	h.counts[bucketOf(v)]++
	h.total++
	h.most = max(h.most, v)
}

// percentile returns the value that p of 100 values do not exceed. Without
// values it is 0.
func (h *histogram) percentile(p float64) int64 {
	rank := uint64(p / 100 * float64(h.total))
	var sum uint64
	for i, n := range h.counts {
		sum += n
		if sum > rank || n > 0 && sum == h.total {
			return min(middle(i), h.most)
		}
	}
	return 0
}

// middle is the middle of bucket i.
func middle(i int) int64 {
	shift := max(0, i>>subBits-1)
	low := int64(i-shift<<subBits) << shift
	return low + int64(1)<<shift/2
}
