//go:build !linux

package recorder

import (
	"errors"
	"os"
)

// dataSync forces a file to the disk.
func dataSync(f *os.File) error { return f.Sync() }

// freeSpace is not known here.
func freeSpace(*os.File) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }
