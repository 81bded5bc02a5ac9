package webmtest

// Discard is a File that keeps nothing.
type Discard struct{}

func (Discard) Write(p []byte) (int, error) { return len(p), nil }

func (Discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

func (Discard) Close() error { return nil }
