//go:build unix

package recorder

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFolder makes sure that one program records in a folder: two would take each
// other's open files for broken ones. The lock goes with the process.
func lockFolder(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK) {
			return nil, nil // some network file systems
		}
		return nil, fmt.Errorf("recorder: lock: %w", err)
	}
	return f, nil
}
