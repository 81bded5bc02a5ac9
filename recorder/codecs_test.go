package recorder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/mend"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// encoders are the arguments by which ffmpeg makes a second of each codec.
var encoders = map[media.Codec]string{
	media.VP9:  "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 500k -g 10 -lag-in-frames 0 -f ivf",
	media.AV1:  "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 500k -g 10 -lag-in-frames 0 -f ivf",
	media.H264: "-c:v libx264 -preset ultrafast -tune zerolatency -b:v 500k -g 10 -pix_fmt yuv420p -bsf:v h264_metadata=aud=insert -f h264",
}

// realFrames returns pictures of a codec and size, as the hub has them.
func realFrames(t *testing.T, c media.Codec, size string, n int) (frames [][]byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip")
	args := fmt.Sprintf("-v error -nostdin -y -f lavfi -i testsrc2=size=%s:rate=25 -frames:v %d %s %s", size, n, encoders[c], file)
	if out, err := exec.Command("ffmpeg", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if c != media.H264 {
		for raw = raw[32:]; len(raw) >= 12; raw = raw[12+binary.LittleEndian.Uint32(raw):] {
			data := raw[12:][:binary.LittleEndian.Uint32(raw)]
			frames = append(frames, bytes.TrimPrefix(data, []byte{0x12, 0})) // without AV1's temporal delimiter
		}
		return frames
	}
	for nal := range bytes.SplitSeq(raw, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00")
		switch {
		case len(nal) == 0:
		case nal[0]&31 == 9: // a delimiter
			frames = append(frames, nil)
		default:
			last := &frames[len(frames)-1]
			*last = append(binary.BigEndian.AppendUint32(*last, uint32(len(nal))), nal...)
		}
	}
	return frames
}

// TestCodecs: VP9 and AV1 are recorded as WebM, H264 as Matroska: players know
// what it is, how large, and decode all of it. Sound that comes before the first
// picture is in the file. So is a picture of another size: what a decoder has to know
// of it is in front of its keyframe.
func TestCodecs(t *testing.T) {
	for c := range encoders {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			small, large := realFrames(t, c, "322x182", 20), realFrames(t, c, "480x270", 20)
			dir := t.TempDir()
			r, hub := newTest(t, dir)
			format, _ := codec.For(c)
			video := media.TrackInfo{ID: "video", Codec: c}
			publish(t, hub, "a", []media.TrackInfo{audioTrack, video}, func(b *broadcast) {
				sound := 0
				at := time.Duration(0)
				speak := func(until time.Duration) {
					for ; at < until; at += audioStep {
						b.writers["audio"].WriteFrame(media.Frame{PTS: at, Sync: true, Data: sfutest.OpusFrame(sound, 80)})
						sound++
					}
				}
				speak(300 * time.Millisecond) // before the first picture
				time.Sleep(400 * time.Millisecond)
				for i, data := range append(small, large...) {
					pts := 300*time.Millisecond + time.Duration(i)*videoStep
					_, _, sync := format.FrameSize(data)
					if sync {
						_, sync = format.CodecPrivate(data)
					}
					b.writers["video"].WriteFrame(media.Frame{PTS: pts, Sync: sync, Data: data})
					speak(pts + videoStep)
				}
			})
			list, _, err := r.Recordings(Query{})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != 1 {
				t.Fatalf("%d recordings, want one", len(list))
			}
			rec := list[0]
			f, _, err := r.Open(rec.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want := ".webm"
			if c == media.H264 {
				want = ".mkv"
			}
			if filepath.Ext(f.Name()) != want || rec.State != Finished {
				t.Errorf("%s is %s", f.Name(), rec.State)
			}
			n, size := probePictures(t, f.Name(), c)
			if n != 40 || size != "322x182" {
				t.Errorf("%d pictures from %s on, want 40 from 322x182", n, size)
			}
			v := rec.Tracks[0]
			if v.Width != 322 || v.Height != 182 || len(v.Sizes) != 1 || v.Sizes[0].Width != 480 || v.Sizes[0].Height != 270 || rec.Tracks[1].Frames < 50 {
				t.Errorf("the sidecar tells %+v", rec.Tracks)
			}
		})
	}
}

// probePictures has ffmpeg decode a file and returns how many pictures came out
// and how large ffprobe says they are.
func probePictures(t *testing.T, file string, c media.Codec) (n int, size string) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-of", "json",
		"-show_entries", "stream=codec_name,width,height,nb_read_frames", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffprobe: %v\n%s", err, out)
	}
	var probed struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Width  int
			Height int
			Frames string `json:"nb_read_frames"`
		}
	}
	if err := json.Unmarshal(out, &probed); err != nil || len(probed.Streams) != 1 {
		t.Fatalf("ffprobe says %s", out)
	}
	s := probed.Streams[0]
	if s.Codec != c.String() {
		t.Errorf("it is %s", s.Codec)
	}
	fmt.Sscan(s.Frames, &n)
	return n, fmt.Sprintf("%dx%d", s.Width, s.Height)
}

// TestPictureLongAfterSound: a picture whose description a file needs ahead, and that
// comes seconds after the sound, is in the same file.
func TestPictureLongAfterSound(t *testing.T) {
	for c := range encoders {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			pictures := realFrames(t, c, "322x182", 20)
			format, _ := codec.For(c)
			synctest.Test(t, func(t *testing.T) {
				r, hub := newTest(t, t.TempDir())
				video := media.TrackInfo{ID: "video", Codec: c}
				publish(t, hub, "a", []media.TrackInfo{audioTrack, video}, func(b *broadcast) {
					for n := range 300 {
						at := time.Duration(n) * audioStep
						b.audio(n, at)
						if i := (n - 250) / 2; n >= 250 && n%2 == 0 && i < len(pictures) {
							_, _, sync := format.FrameSize(pictures[i])
							if sync {
								_, sync = format.CodecPrivate(pictures[i])
							}
							b.writers["video"].WriteFrame(media.Frame{PTS: at, Sync: sync, Data: pictures[i]})
						}
						time.Sleep(audioStep)
					}
				})
				list := checkContainers(t, r)
				if len(list) != 1 || list[0].Tracks[0].Frames != 20 || list[0].Tracks[1].Frames != 300 || list[0].Tracks[0].Width != 322 {
					t.Fatalf("recordings: %+v", list)
				}
				f, _, err := r.Open(list[0].ID)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if n, size := probePictures(t, f.Name(), c); n != 20 || size != "322x182" {
					t.Errorf("%d pictures of %s", n, size)
				}
			})
		})
	}
}

// checkContainers checks that every recording is a whole file and returns them.
func checkContainers(t *testing.T, r *Recorder) []Recording {
	t.Helper()
	list, _, err := r.Recordings(Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range list {
		f, _, err := r.Open(rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		report, err := mend.Verify(f.Name())
		f.Close()
		if err != nil || !report.Clean || report.Frames != rec.Frames {
			t.Errorf("%s: %v, %d frames of %d, %v", rec.ID, report.Faults, report.Frames, rec.Frames, err)
		}
	}
	return list
}
