package mend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"weir/recorder/webm/repair"
)

// Verify reports what a WebM or Matroska file is and what is wrong with it, also one
// that was not recorded here. It changes nothing. Errors are those of repair.Verify.
func Verify(file string) (repair.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return repair.Report{}, fmt.Errorf("mend: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return repair.Report{}, fmt.Errorf("mend: %w", err)
	}
	return repair.Verify(f, info.Size())
}

// origSuffix is of a file that Repair has put another one in the place of.
const origSuffix = ".orig"

// fixedSuffix is of a copy that is being written.
const fixedSuffix = ".fixed"

// Repair makes a WebM or Matroska file whole, also one that was not recorded here:
// where it is, or, if it has no room for what it lacks, by a copy that takes its
// place. Then the file as it was is kept beside it, and kept is its name. It does
// nothing to a file that is in order.
func Repair(file string) (report repair.Report, kept string, err error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return repair.Report{}, "", fmt.Errorf("mend: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return repair.Report{}, "", fmt.Errorf("mend: %w", err)
	}
	report, err = repair.Repair(f, info.Size())
	if err == nil && !report.Clean {
		err = f.Sync()
	}
	if !errors.Is(err, repair.ErrRewrite) {
		return report, "", err
	}
	kept = file + origSuffix
	return report, kept, replace(file, kept, info.Mode(), func(to *os.File) error {
		_, err := repair.Rewrite(f, info.Size(), to)
		return err
	})
}

// FillSound is Repair, and puts silence where the sound of a file has holes. If it has
// some, a copy takes its place, and the file as it was is kept.
func FillSound(file string) (report repair.Report, filled repair.Filled, kept string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return report, filled, "", fmt.Errorf("mend: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return report, filled, "", fmt.Errorf("mend: %w", err)
	}
	if filled, err = repair.Holes(f, info.Size()); err != nil {
		return report, filled, "", err
	}
	if filled.Frames == 0 {
		report, kept, err = Repair(file)
		return report, filled, kept, err
	}
	kept = file + origSuffix
	err = replace(file, kept, info.Mode(), func(to *os.File) (err error) {
		report, filled, err = repair.FillSound(f, info.Size(), to)
		return err
	})
	return report, filled, kept, err
}

// replace puts a copy of a file in its place and keeps the file as kept.
func replace(name, kept string, mode os.FileMode, write func(to *os.File) error) error {
	if _, err := os.Lstat(kept); err == nil {
		return fmt.Errorf("mend: %s exists; move it away first", kept)
	}
	fixed := name + fixedSuffix
	to, err := os.OpenFile(fixed, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return fmt.Errorf("mend: %w", err)
	}
	if err = write(to); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err == nil {
		// By a second name for the old file there is one at any moment.
		if err = os.Link(name, kept); err == nil {
			err = os.Rename(fixed, name)
		}
	}
	if err != nil {
		if gone := os.Remove(fixed); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return err
	}
	return nil
}
