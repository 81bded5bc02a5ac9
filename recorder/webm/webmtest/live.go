package webmtest

import (
	"time"
)

func At(f Fed, from, to time.Duration) bool { return f.Time >= from && f.Time < to }
