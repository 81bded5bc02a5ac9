package sfu

// slab allocates items many at a time: one allocation per slabSize items. Items
// are never reused; the garbage collector frees a slab when no item of it is in
// use any more.
type slab[T any] struct{ free []T }

const slabSize = 64

// add returns a pointer to a new item with the value of v.
func (s *slab[T]) add(v *T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, slabSize)
	}
	item := &s.free[0]
	s.free = s.free[1:]
	*item = *v
	return item
}
