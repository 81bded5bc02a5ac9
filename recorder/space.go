package recorder

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

// ErrNoSpace means that too little of the disk is free to begin a recording.
var ErrNoSpace = errors.New("recorder: too little space is free")

// Space is an amount of a disk: bytes, or a share of the whole. Where both are
// given the smaller one counts.
type Space struct {
	Bytes   int64
	Percent float64
}

// defaultMinFree is the default of Config.MinFree.
var defaultMinFree = Space{Bytes: 1 << 30, Percent: 5}

// ParseSpace reads "5%", "500MB", "1GiB" or a number of bytes. Units are decimal
// (kB, MB, GB, TB) or binary (KiB, MiB, GiB, TiB).
func ParseSpace(s string) (Space, error) {
	text := strings.TrimSpace(s)
	if number, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(p >= 0 && p <= 100) {
			return Space{}, fmt.Errorf("recorder: %q is no percentage from 0%% to 100%%", s)
		}
		return Space{Percent: p}, nil
	}
	n, err := ParseBytes(text)
	return Space{Bytes: n}, err
}

// ParseBytes reads a size, as ParseSpace does.
func ParseBytes(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n >= 1<<62 {
		return 0, fmt.Errorf("recorder: %q is no size such as 500MB or 1GiB", s)
	}
	return int64(n), nil
}

func (s Space) validate() error {
	if s.Bytes < 0 || !(s.Percent >= 0 && s.Percent <= 100) {
		return errors.New("recorder: MinFree is out of range")
	}
	return nil
}

// of returns s of a disk with total bytes.
func (s Space) of(total int64) int64 {
	share := int64(float64(total) * s.Percent / 100)
	switch {
	case s.Percent == 0:
		return s.Bytes
	case s.Bytes == 0:
		return share
	}
	return min(s.Bytes, share)
}

// spaceAge is how long what the disk said is believed.
const spaceAge = time.Second

// space knows how much of the disk is free.
type space struct {
	disk  disk
	least Space

	// guarded by mu
	mu    sync.Mutex
	asked time.Time
	err   error
}

// check returns an error that wraps ErrNoSpace if too little is free. A disk that
// does not tell has enough.
func (s *space) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.asked) >= spaceAge {
		s.asked, s.err = now, s.ask()
	}
	return s.err
}

func (s *space) ask() error {
	free, total, err := s.disk.Free()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if least := s.least.of(total); free < least {
		return fmt.Errorf("%w: %.1f of %.1f MB, and %.1f MB are to stay free", ErrNoSpace, float64(free)/1e6, float64(total)/1e6, float64(least)/1e6)
	}
	return nil
}
