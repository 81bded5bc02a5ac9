package webmtest

import (
	"time"

	"weir/recorder/webm"
)

// Ms makes a frame of one track at a time.
func Ms(track int, at int, sync bool) Fed {
	return Fed{track, webm.Block{Time: time.Duration(at) * time.Millisecond, Sync: sync || track == AudioTrack, Data: VP8(at, sync, 20)}}
}
