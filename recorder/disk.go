package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
)

// disk is what recordings are kept on: a folder. Names are relative to it.
type disk interface {
	// Create makes a file that is not there yet, and the folders above it.
	Create(name string) (mediaFile, error)
	// Open opens a file for reading and writing.
	Open(name string) (mediaFile, error)
	// WriteFile writes a small file, all or nothing.
	WriteFile(name string, data []byte) error
	// Rename renames a file within its folder. It has happened for good when
	// Rename returns.
	Rename(from, to string) error
	Remove(name string) error
	// Free returns how many bytes are free, and how many there are.
	Free() (free, total int64, err error)
}

// mediaFile is a file that is being recorded or repaired.
type mediaFile interface {
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync forces the file's data to the disk.
	Sync() error
	Size() (int64, error)
}

// folder is a disk.
type folder struct {
	dir string

	// atomic
	at atomic.Pointer[os.Root]
}

// openFolder makes a folder, if it is not there, and opens it.
func openFolder(dir string) (*folder, error) {
	d := &folder{dir: dir}
	if _, err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}

// open opens the folder, in the place of one that was opened before.
func (d *folder) open() (*os.Root, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	if old := d.at.Swap(root); old != nil {
		old.Close()
	}
	return root, nil
}

func (d *folder) root() *os.Root { return d.at.Load() }

func (d *folder) close() error { return d.root().Close() }

func (d *folder) Create(name string) (mediaFile, error) {
	root := d.root()
	if d.moved() {
		var err error
		if root, err = d.open(); err != nil {
			return nil, err
		}
	}
	made := missing(root, path.Dir(name))
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	// The file is to be found after a power cut, and so are folders that are new.
	err = d.syncFolder(path.Dir(name))
	for _, above := range made {
		err = errors.Join(err, d.syncFolder(path.Dir(above)))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), root.Remove(name))
	}
	return osFile{f}, nil
}

// moved reports whether the folder is not the one that was opened: it has been removed,
// or something is mounted there.
func (d *folder) moved() bool {
	there, err := os.Stat(d.dir)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	ours, err := d.root().Stat(".")
	return err == nil && !os.SameFile(there, ours)
}

// missing returns which of the folders of name are not there, the deepest first.
func missing(root *os.Root, name string) (names []string) {
	for ; name != "."; name = path.Dir(name) {
		if _, err := root.Stat(name); err == nil {
			break
		}
		names = append(names, name)
	}
	return names
}

func (d *folder) Open(name string) (mediaFile, error) {
	f, err := d.root().OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d *folder) WriteFile(name string, data []byte) error {
	fresh := name + freshSuffix
	f, err := d.root().OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = dataSync(f) // else a power cut could leave the name, and nothing in it
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.Rename(fresh, name)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(d.root().Remove(fresh)))
	}
	return nil
}

func (d *folder) Rename(from, to string) error {
	if err := d.root().Rename(from, to); err != nil {
		return err
	}
	return d.syncFolder(path.Dir(to))
}

func (d *folder) Remove(name string) error { return d.root().Remove(name) }

func (d *folder) Free() (free, total int64, err error) {
	f, err := d.root().Open(".")
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	return freeSpace(f)
}

// syncFolder makes the names in a folder last.
func (d *folder) syncFolder(name string) error {
	f, err := d.root().Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) {
		err = nil // some file systems cannot, and need not
	}
	return errors.Join(err, f.Close())
}

// osFile is a mediaFile.
type osFile struct{ *os.File }

func (f osFile) Sync() error { return dataSync(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("recorder: %w", err)
	}
	return info.Size(), nil
}

// ignoreMissing drops the error of removing what is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
