package webm

// Reserve makes room for n Clusters.
func (w *Writer) Reserve(n int) {
	w.clusters = make([]uint32, 0, n)
}

// HeaderEnd returns where the first Cluster begins.
func (w *Writer) HeaderEnd() int64 { return w.layout.Index + int64(w.layout.IndexRoom) }

// BufferRoom returns how large the buffer of frames that are not flushed is.
func (w *Writer) BufferRoom() int { return cap(w.buf) }

const MaxUnitSpan = maxUnitSpan

const StillAfter = stillAfter

const KeepBuffer = keepBuffer
