package recorder

import "errors"

// ErrLocked means that another program records in the folder.
var ErrLocked = errors.New("recorder: another program records in this folder")

const lockName = ".lock"
