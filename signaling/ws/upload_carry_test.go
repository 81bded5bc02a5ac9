package ws_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling/ws"
)

// recorderH264 is what Chromium's MediaRecorder makes for video/webm;codecs=h264,
// 2 s of a canvas that changes its size: no CodecPrivate, and start codes.
func recorderH264(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/mediarecorder_h264.mkv")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// el returns an element of Matroska. Its size has 4 bytes.
func el(id string, data ...[]byte) []byte {
	body := slices.Concat(data...)
	b := binary.BigEndian.AppendUint32([]byte(id), 0x10000000|uint32(len(body)))
	return append(b, body...)
}

// entry returns a TrackEntry.
func entry(number byte, codecID string, more ...[]byte) []byte {
	return el("\xAE", append([][]byte{el("\xD7", []byte{number}), el("\x86", []byte(codecID))}, more...)...)
}

// mkv returns a stream of these tracks, with one frame for each of them.
func mkv(frame []byte, entries ...[]byte) []byte {
	stream := slices.Concat(el("\x1A\x45\xDF\xA3", el("\x42\x82", []byte("matroska"))),
		[]byte("\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), el("\x16\x54\xAE\x6B", entries...),
		[]byte("\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), el("\xE7", []byte{0}))
	for i := range entries {
		stream = append(stream, el("\xA3", []byte{0x80 | byte(i+1), 0, 0, 0x80}, frame)...)
	}
	return stream
}

// encoded returns what ffmpeg makes of a test picture, or a tone.
func encoded(t *testing.T, source string, options ...string) []byte {
	t.Helper()
	args := slices.Concat([]string{"-v", "error", "-f", "lavfi", "-i", source}, options, []string{"-f", "matroska", "-live", "1", "-"})
	out, err := exec.Command("ffmpeg", args...).Output()
	if err != nil {
		t.Fatalf("ffmpeg %q: %v", args, err)
	}
	return out
}

const (
	testPicture = "testsrc=duration=2:size=160x90:rate=10"
	tone        = "sine=duration=1"
)

// x264 has ffmpeg make H264 with these parameters of x264's.
func x264(params string) []string {
	return []string{"-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-x264-params", params}
}

// TestUploadH264: H264 is taken in every way in which containers have it: viewers
// of packets get each picture, and keyframes with their parameter sets; and the
// file has them all.
func TestUploadH264(t *testing.T) {
	for _, tt := range []struct {
		name   string
		data   []byte
		format string
		sound  bool
	}{
		{"MediaRecorder", recorderH264(t), "packetization-mode=1;profile-level-id=42c0", true},
		{"file, Baseline", encoded(t, testPicture, append(x264("bframes=0"), "-profile:v", "baseline", "-pix_fmt", "yuv420p")...), "packetization-mode=1;profile-level-id=42c0", false},
		{"file, High", encoded(t, testPicture, append(x264("bframes=0:8x8dct=1"), "-pix_fmt", "yuv420p")...), "packetization-mode=1;profile-level-id=6400", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newPacketViewer()
			formats := make(chan string, 1)
			s := newUploadServer(t, ws.Config{}, func(sfu.StreamInfo) sfu.Sink { return v }, func(sfu.StreamInfo) sfu.Sink { return formatOf(formats) })
			want := t.TempDir() + "/sent.mkv"
			if err := os.WriteFile(want, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			u := s.publish(t, "a")
			for piece := range slices.Chunk(tt.data, 999) {
				u.send(t, piece)
			}
			u.leave(t)
			s.settle(t)
			sent := probe(t, want)
			list, _, _ := s.recorder.Recordings(recorder.Query{})
			recorded := 0
			for _, r := range list {
				f, _, err := s.recorder.Open(r.ID)
				if err != nil {
					t.Fatal(err)
				}
				path := f.Name()
				f.Close()
				recorded += len(probe(t, path)["h264"])
				if out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", path, "-map", "0:v", "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("ffmpeg says of %s: %s, %v", path, out, err)
				}
			}
			if recorded != len(sent["h264"]) {
				t.Errorf("%d pictures are recorded, want %d", recorded, len(sent["h264"]))
			}
			if f := <-formats; !strings.HasPrefix(f, tt.format) {
				t.Errorf("the format is %q, want %q", f, tt.format)
			}
			v.mu.Lock()
			defer v.mu.Unlock()
			pictures := v.frames[media.H264]
			if len(pictures) != len(sent["h264"]) || v.lagged || (len(v.frames[media.Opus]) > 0) != tt.sound {
				t.Errorf("a viewer has %d pictures, want %d, and %d pieces of sound", len(pictures), len(sent["h264"]), len(v.frames[media.Opus]))
			}
			if !codec.H264Keyframe(pictures[0].Data) || !codec.H264Keyframe(pictures[len(pictures)/2-len(pictures)/2%5].Data) && tt.format[len(tt.format)-4:] != "42c0" {
				t.Error("keyframes have no parameter sets")
			}
		})
	}
}

// formatOf is a sink that tells the format of the picture.
type formatOf chan string

// Run implements sfu.Sink.
func (f formatOf) Run(ctx context.Context, sub *sfu.Subscription) error {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return err
	}
	for _, t := range tracks {
		if t.Info().Kind() == media.Video {
			f <- t.Info().Format
		}
	}
	return nil
}

// TestUploadCannotBeCarried: what has a track that cannot be carried is refused, on
// every way in, with a reason that a client sees which reads no events; and there
// is nothing live, and no recording, not for a moment.
func TestUploadCannotBeCarried(t *testing.T) {
	picture := sfutest.VP8Frame(1, true, 100)
	vp8, opus := entry(1, "V_VP8"), entry(2, "A_OPUS", el("\xE1", el("\x9F", []byte{2})))
	head := func(channels, family byte, table ...byte) []byte {
		return el("\x63\xA2", []byte("OpusHead"), []byte{1, channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, family}, table)
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string // in the reason
	}{
		{"PCM of MediaRecorder", mkv(picture, vp8, entry(2, "A_PCM/FLOAT/IEEE", el("\xE1", el("\x9F", []byte{2})))), "A_PCM/FLOAT/IEEE"},
		{"PCM alone", mkv(picture, entry(1, "A_PCM/FLOAT/IEEE")), "A_PCM/FLOAT/IEEE"},
		{"AAC", encoded(t, tone, "-c:a", "aac"), "A_AAC"},
		{"Vorbis", mkv(picture, vp8, entry(2, "A_VORBIS")), "A_VORBIS"},
		{"HEVC", mkv(picture, entry(1, "V_MPEGH/ISO/HEVC"), opus), "V_MPEGH/ISO/HEVC"},
		{"no codec", mkv(picture, vp8, el("\xAE", el("\xD7", []byte{2}))), "without a codec"},
		{"subtitles", mkv(picture, vp8, opus, entry(3, "S_TEXT/UTF8")), "S_TEXT/UTF8"},
		{"5.1", encoded(t, tone, "-af", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0", "-c:a", "libopus", "-mapping_family", "1"), "6 channels"},
		{"5.1 beside a picture", mkv(picture, vp8, entry(2, "A_OPUS", head(6, 1, 4, 2, 0, 4, 1, 2, 3, 5))), "6 channels (mapping family 1)"},
		{"two mono streams", mkv(picture, vp8, entry(2, "A_OPUS", head(2, 255, 2, 0, 0, 1))), "2 channels (mapping family 255)"},
		{"6 channels without OpusHead", mkv(picture, vp8, entry(2, "A_OPUS", el("\xE1", el("\x9F", []byte{6})))), "6 channels"},
		{"encrypted", mkv(picture, entry(1, "V_VP8", el("\x6D\x80", el("\x62\x40")))), "ContentEncodings"},
		{"two pictures", mkv(picture, vp8, entry(2, "V_VP9")), "second one"},
		{"two sounds", mkv(picture, entry(1, "A_OPUS"), entry(2, "A_OPUS")), "second one"},
		{"H264 with a bad record", mkv(picture, entry(1, "V_MPEG4/ISO/AVC", el("\x63\xA2", []byte("nonsense")))), "AVCDecoderConfigurationRecord"},
		{"B-frames", encoded(t, testPicture, append(x264("bframes=3:b-adapt=0"), "-pix_fmt", "yuv420p")...), "B-frames"},
		{"H264 without keyframes", slices.Concat(mkv(nil, entry(1, "V_MPEG4/ISO/AVC")), bytes.Repeat(el("\xA3", []byte("\x81\x00\x00\x00\x00\x00\x00\x04\x41\x9a\x11\x11")), 2000)), "No keyframe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			live := make(chan struct{}, 9)
			s := newUploadServer(t, ws.Config{}, func(sfu.StreamInfo) sfu.Sink { return whenLive(live) })
			for _, path := range []string{"/ws/publish/a", "/compat/node-videostream/blob-in/a", "/compat/node-videostream/chunk-in/a", "/compat/amlive/ws"} {
				c := s.old(t, path)
				for piece := range slices.Chunk(tt.data, 500) {
					if c.conn.WriteMessage(websocket.BinaryMessage, piece) != nil {
						break // refused already
					}
				}
				var err error
				for err == nil {
					_, _, err = c.conn.ReadMessage()
				}
				closed, ok := err.(*websocket.CloseError)
				if !ok || closed.Code != websocket.CloseUnsupportedData || !strings.Contains(closed.Text, tt.want) {
					t.Errorf("%s: %v, want %q", path, err, tt.want)
				}
				c.conn.Close()
				awaitTrue(t, "the name is free", func() bool { return len(s.hub.Streams()) == 0 })
			}
			if list, _, _ := s.recorder.Recordings(recorder.Query{}); len(list) > 0 || len(live) > 0 || strings.Contains(s.log.String(), "had_media=true") {
				t.Errorf("something was live: %v; %s", list, s.log)
			}
		})
	}
}

// whenLive is a sink that tells when a stream has its tracks.
type whenLive chan struct{}

// Run implements sfu.Sink.
func (l whenLive) Run(ctx context.Context, sub *sfu.Subscription) error {
	if _, err := sub.Tracks(ctx); err != nil {
		return err
	}
	l <- struct{}{}
	return nil
}
