package sfu

import "errors"

var (
	// ErrBadName means that a stream's name breaks the rules of [ValidName].
	ErrBadName = errors.New("sfu: bad stream name")
	// ErrBadTitle and ErrBadDescription mean that what a publisher says of its stream
	// breaks the rules of [Texts.Clean].
	ErrBadTitle       = errors.New("sfu: bad title")
	ErrBadDescription = errors.New("sfu: bad description")
	// ErrNameTaken means that another publisher has this name.
	ErrNameTaken = errors.New("sfu: stream name is taken")
	// ErrNotLive means that no publisher has this name now, or none that is ready.
	ErrNotLive = errors.New("sfu: stream is not live")
	// ErrLost means that a publisher's connection was lost, rather than ended on
	// purpose: it may come back.
	ErrLost = errors.New("sfu: publisher lost")
	// ErrEnded means that the stream has ended.
	ErrEnded = errors.New("sfu: stream has ended")
	// ErrShutdown means that the hub takes no more streams.
	ErrShutdown = errors.New("sfu: shutting down")
)

// LostError makes an error with that text that wraps ErrLost.
func LostError(text string) error { return lostError(text) }

type lostError string

// Error implements error.
func (e lostError) Error() string { return string(e) }

// Unwrap returns ErrLost.
func (e lostError) Unwrap() error { return ErrLost }
