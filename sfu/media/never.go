package media

import "time"

// Never is the time of what has not happened: long ago, with room to subtract it.
const Never = -1 << 61 * time.Nanosecond
