package sfu

import "errors"

var (
	// ErrBadName says that a stream's name breaks the rules of [ValidName].
	ErrBadName = errors.New("sfu: bad stream name")
	// ErrNameTaken says that somebody else publishes under this name.
	ErrNameTaken = errors.New("sfu: stream name is taken")
	// ErrNotLive says that nobody publishes under this name now.
	ErrNotLive = errors.New("sfu: stream is not live")
	// ErrEnded says that the stream has ended.
	ErrEnded = errors.New("sfu: stream has ended")
	// ErrShutdown says that the hub takes no more streams.
	ErrShutdown = errors.New("sfu: shutting down")
)
