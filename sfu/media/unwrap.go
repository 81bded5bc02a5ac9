package media

// Epoch is where unwrapped counters start: one full turn of the widest counter
// above zero, so that packets from before the first one seen do not underflow.
const Epoch = uint64(1) << 32

// Unwrapper extends a wrapping RTP counter (a 16-bit sequence number or a
// 32-bit timestamp) to 64 bits. The zero value is ready to use. It tolerates any
// reordering of less than half a turn (RFC 3550 appendix A.1).
type Unwrapper[T uint16 | uint32] struct {
	started bool
	highest uint64
}

// Unwrap returns the 64-bit value that v stands for: the one nearest to the
// highest value seen. The first value is Epoch + v, with Epoch = 2^32.
func (u *Unwrapper[T]) Unwrap(v T) uint64 {
	if !u.started {
		u.started = true
		u.highest = Epoch + uint64(v)
		return u.highest
	}
	near := u.Near(v)
	u.highest = max(u.highest, near)
	return near
}

// Near returns what Unwrap would, but learns nothing from v: for values that are
// not to be trusted to lead. Before the first Unwrap it returns 0.
func (u *Unwrapper[T]) Near(v T) uint64 {
	if !u.started {
		return 0
	}
	half := (^T(0))>>1 + 1 // half a turn
	delta := v - T(u.highest)
	if delta < half {
		return u.highest + uint64(delta)
	}
	behind := uint64(-delta) // T arithmetic: how far v lies behind the highest
	return u.highest - min(behind, u.highest)
}
