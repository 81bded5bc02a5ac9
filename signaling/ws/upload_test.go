package ws_test

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"weir/signaling/ws"
)

// TestUploadIsRecorded: the file has the frames that MediaRecorder made, byte for
// byte and at their times, however the upload ends.
func TestUploadIsRecorded(t *testing.T) {
	s := newUploadServer(t, ws.Config{})
	all := []string{"a_only_2s", "av_canvas_2s", "av_request", "av_reschange", "av_ts100ms"}
	names := map[string][]string{"closed": all, "died": all, "bye": {"av_ts100ms"}, "stopped": {"av_request"}}
	ends := map[string]func(t *testing.T, u *uploader){
		"closed": func(t *testing.T, u *uploader) { u.leave(t) },
		"bye": func(t *testing.T, u *uploader) {
			u.say(t, `{"type":"bye"}`)
			u.conn.NetConn().Close()
		},
		"stopped": func(t *testing.T, u *uploader) {
			u.say(t, `{"type":"stop"}`)
			if _, code, _ := u.rest(t); code != websocket.CloseNormalClosure {
				t.Errorf("closed with %d", code)
			}
		},
		"died": func(t *testing.T, u *uploader) { u.conn.NetConn().Close() },
	}
	reasons := map[string]string{"closed": "stopped", "bye": "stopped", "stopped": "stopped", "died": "connection lost"}
	t.Run("uploads", func(t *testing.T) {
		for end, finish := range ends {
			for _, name := range names[end] {
				t.Run(end+"/"+name, func(t *testing.T) {
					t.Parallel()
					_, chunks := sample(t, name)
					u := s.publish(t, end+"/"+name)
					u.send(t, chunks...)
					u.awaitAccepted(t, len(slices.Concat(chunks...)))
					finish(t, u)
				})
			}
		}
	})
	s.settle(t)
	for end := range ends {
		for _, name := range names[end] {
			stream := end + "/" + name
			source, _ := sample(t, name)
			path, r := s.recording(t, stream)
			if r.State != "finished" || len(r.Gaps) != 0 {
				t.Errorf("%s: the recording is %s, with gaps %v", stream, r.State, r.Gaps)
			}
			sameFrames(t, stream, probe(t, path), probe(t, source))
			if line := s.logged(t, stream); !strings.Contains(line, reasons[end]) || !strings.Contains(line, "had_media=true") {
				t.Errorf("%s: the log says %s", stream, line)
			}
		}
	}
}

// settle waits until all uploads have ended by themselves.
func (s *uploadServer) settle(t *testing.T) {
	t.Helper()
	awaitTrue(t, "all uploads over", func() bool {
		return strings.Count(s.log.String(), "publisher connected") == strings.Count(s.log.String(), "publisher gone")
	})
}

// logged returns the line for the end of a stream.
func (s *uploadServer) logged(t *testing.T, stream string) string {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "publisher gone") && strings.Contains(line, "stream="+stream+" ") {
			return line
		}
	}
	return "nothing"
}

// sameFrames compares two files. Times count from the first frame; the writer's
// rounding may move them by one millisecond.
func sameFrames(t *testing.T, what string, got, want map[string][]probed) {
	t.Helper()
	zero := func(frames map[string][]probed) int64 {
		first := int64(1 << 60)
		for _, f := range frames {
			first = min(first, f[0].ms)
		}
		return first
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d tracks, want %d", what, len(got), len(want))
		return
	}
	from, to := zero(got), zero(want)
	silence := fmt.Sprintf("MD5:%x", md5.Sum([]byte{31<<3 | 1<<2, 0xFF, 0xFE})) // ahead of sound that is later than the picture
	got["opus"] = slices.DeleteFunc(slices.Clone(got["opus"]), func(f probed) bool { return f.hash == silence })
	for codec, frames := range want {
		same := func(a, b probed) bool {
			off := a.ms - from - (b.ms - to)
			return a.hash == b.hash && off >= -1 && off <= 1
		}
		if !slices.EqualFunc(got[codec], frames, same) {
			t.Errorf("%s: %d frames of %s, want %d; the first that differs: %s", what, len(got[codec]), codec, len(frames),
				firstOther(got[codec], frames, same))
		}
	}
}

func firstOther(got, want []probed, same func(a, b probed) bool) string {
	for i := range min(len(got), len(want)) {
		if !same(got[i], want[i]) {
			return fmt.Sprintf("%d: %v, want %v", i, got[i], want[i])
		}
	}
	return "none"
}
