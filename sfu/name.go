package sfu

import (
	"fmt"
	"strings"
)

const (
	maxNameSegments = 4
	maxNameSegment  = 64
)

// ValidName checks a stream's name: one to four segments of 1 to 64 characters
// of A-Z a-z 0-9 . _ - joined by slashes, no segment starting with a dot. Such a
// name is safe in a URL and as a path below a folder. The error wraps
// [ErrBadName] and says what to change.
func ValidName(name string) error {
	segments := strings.Split(name, "/")
	if len(segments) > maxNameSegments {
		return fmt.Errorf("%w: it has %d parts between slashes, at most %d are allowed", ErrBadName, len(segments), maxNameSegments)
	}
	for _, s := range segments {
		switch {
		case s == "":
			return fmt.Errorf("%w: a name is needed, and no part of it may be empty", ErrBadName)
		case len(s) > maxNameSegment:
			return fmt.Errorf("%w: a part of it is longer than %d characters", ErrBadName, maxNameSegment)
		case s[0] == '.':
			return fmt.Errorf("%w: no part of it may start with a dot", ErrBadName)
		case strings.ContainsFunc(s, notNameRune):
			return fmt.Errorf("%w: use letters, digits, dot, dash and underscore only", ErrBadName)
		}
	}
	return nil
}

func notNameRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	default:
		return r != '.' && r != '_' && r != '-'
	}
}
