package sfu

// inlineReaders is how many readers a shard may have to be served on the goroutine of
// the source: with a picture's packets for each, some 50 us.
const inlineReaders = 16

// wake implements reader. A small shard is served inline, on the goroutine of the
// source, if the source allows that: to wake its own goroutine would cost more than its
// work, and take longer. A larger one has its goroutine woken, so that the source can go
// on meanwhile.
func (sh *shard) wake(inline bool) {
	if !inline || !sh.serveInline() {
		sh.waker.wake(false)
	}
}

// serveInline serves the viewers once. It returns false if the shard's goroutine has
// to: because it is at work, there is too much to do, or something is left.
func (sh *shard) serveInline() bool {
	if !sh.serving.TryLock() {
		return false
	}
	defer sh.serving.Unlock()
	readers := 0
	for _, l := range sh.lanes {
		readers += len(l.readers)
	}
	if readers > inlineReaders {
		return false
	}
	wait := sh.round()
	sh.flush()
	return wait < 0
}
