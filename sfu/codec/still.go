package codec

// Still makes frames of one track that show its last picture again, for players that
// stop where there is no picture though there is sound. With them and without, a
// decoder does the same with the track's own frames that follow. A Still belongs to one
// goroutine.
type Still interface {
	// Saw takes in the next frame of the track, of which it keeps nothing.
	Saw(frame []byte)
	// Repeat returns a frame that is to be decoded behind the last one that it saw, and
	// again whenever the picture is to be shown once more. It returns nil where none
	// can be made of that frame. The result is shared and never changes.
	Repeat() []byte
}
