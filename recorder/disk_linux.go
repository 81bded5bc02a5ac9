package recorder

import (
	"os"
	"syscall"
)

// dataSync forces a file's data to the disk, and of what is known about the file
// what is needed to read it.
func dataSync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}

// freeSpace returns how much of the file system that f is on is free for us, and
// how much there is, in bytes.
func freeSpace(f *os.File) (free, total int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil // 32 bits on some machines
}
