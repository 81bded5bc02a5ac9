package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/sfu/media"
)

// A clip of what an encoder really makes.
const (
	realFrames = 45
	realGroup  = 15 // pictures from one keyframe to the next
	// Neither is a multiple of 16: an encoder codes more, and says what to cut off.
	realWidth, realHeight = 322, 182
)

// encoders are the arguments by which ffmpeg makes each codec's clip, the
// container that it is read from, and in which the test has it decoded.
var encoders = []struct {
	codec media.Codec
	args  string
	ext   string
}{
	{media.VP8, "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 800k -g 15 -auto-alt-ref 0", "ivf"},
	{media.VP9, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 800k -g 15 -lag-in-frames 0", "ivf"},
	{media.AV1, "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 800k -g 15 -lag-in-frames 0", "ivf"},
	{media.AV1, "-c:v libsvtav1 -preset 12 -g 15 -svtav1-params pred-struct=1:lp=1", "ivf"},
	{media.H264, "-c:v libx264 -preset ultrafast -tune zerolatency -b:v 800k -g 15 -pix_fmt yuv420p -bsf:v h264_metadata=aud=insert", "h264"},
	{media.H264, "-c:v libx264 -profile:v high -preset fast -tune zerolatency -g 15 -slices 3 -bsf:v h264_metadata=aud=insert", "h264"},
}

// encode returns the frames of a clip in the form that a Depacketizer gives them,
// and the file that ffmpeg made.
func encode(t *testing.T, codec media.Codec, args, ext string) (frames []media.Frame, file string) {
	t.Helper()
	return encodeSize(t, codec, args, ext, realWidth, realHeight, realFrames)
}

// encodeSize is encode for a clip of another size and length.
func encodeSize(t *testing.T, codec media.Codec, args, ext string, width, height, count int) (frames []media.Frame, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "clip."+ext)
	source := fmt.Sprintf("testsrc2=size=%dx%d:rate=30,noise=alls=6:allf=t", width, height)
	run(t, fmt.Sprintf("-f lavfi -i %s -frames:v %d %s %s", source, count, args, file))
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	format, _ := For(codec)
	for i, data := range split(t, codec, raw) {
		_, _, sync := format.FrameSize(data)
		if sync && format.CodecPrivate != nil {
			_, sync = format.CodecPrivate(data)
		}
		frames = append(frames, media.Frame{PTS: time.Duration(i) * 33333 * time.Microsecond, Sync: sync, Data: data})
	}
	if len(frames) != count {
		t.Fatalf("%d frames", len(frames))
	}
	return frames, file
}

// run runs ffmpeg, which must not complain of anything.
func run(t *testing.T, args string) (stdout string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", strings.Fields("-hide_banner -nostdin -v error -threads 1 -y "+args)...)
	cmd.Env = append(os.Environ(), "SVT_LOG=1")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", args, err, complaints.String())
	}
	if complaints.Len() > 0 {
		t.Errorf("ffmpeg %s:\n%s", args, complaints.String())
	}
	return out.String()
}

// split takes a file apart: IVF, or H.264 as a byte stream with delimiters.
func split(t *testing.T, codec media.Codec, raw []byte) (frames [][]byte) {
	t.Helper()
	if codec != media.H264 {
		for raw = raw[32:]; len(raw) >= 12; {
			size := int(binary.LittleEndian.Uint32(raw))
			data := raw[12 : 12+size]
			if codec == media.AV1 {
				data = bytes.TrimPrefix(data, []byte{0x12, 0}) // a temporal delimiter
			}
			frames = append(frames, data)
			raw = raw[12+size:]
		}
		return frames
	}
	for nal := range bytes.SplitSeq(raw, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00") // the first byte of a longer start code
		if len(nal) == 0 {
			continue
		}
		if nal[0]&nalTypeMask == nalDelimiter {
			frames = append(frames, nil)
			continue
		}
		last := &frames[len(frames)-1]
		*last = appendNAL(*last, nal)
	}
	return frames
}

// decode returns the hashes of the pictures that ffmpeg makes of frames.
func decode(t *testing.T, codec media.Codec, frames []media.Frame) []string {
	t.Helper()
	return decodeBy(t, "", codec, frames)
}

// decodeBy is decode by one of ffmpeg's decoders.
func decodeBy(t *testing.T, decoder string, codec media.Codec, frames []media.Frame) []string {
	t.Helper()
	if decoder != "" {
		decoder = "-c:v " + decoder
	}
	var file []byte
	if codec != media.H264 {
		fourcc := map[media.Codec]string{media.VP8: "VP80", media.VP9: "VP90", media.AV1: "AV01"}[codec]
		file = append(file, "DKIF\x00\x00\x20\x00"+fourcc...)
		file = binary.LittleEndian.AppendUint16(file, realWidth)
		file = binary.LittleEndian.AppendUint16(file, realHeight)
		file = binary.LittleEndian.AppendUint32(file, 30)
		file = binary.LittleEndian.AppendUint32(file, 1)
		file = append(file, make([]byte, 8)...)
	}
	for i, f := range frames {
		switch codec {
		case media.H264:
			for nal, rest, ok := nextNAL(f.Data); ok; nal, rest, ok = nextNAL(rest) {
				file = append(append(file, 0, 0, 0, 1), nal...)
			}
			continue
		case media.AV1:
			f.Data = append([]byte{0x12, 0}, f.Data...)
		}
		file = binary.LittleEndian.AppendUint32(file, uint32(len(f.Data)))
		file = binary.LittleEndian.AppendUint64(file, uint64(i))
		file = append(file, f.Data...)
	}
	path := filepath.Join(t.TempDir(), "out."+map[bool]string{true: "h264", false: "ivf"}[codec == media.H264])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "-xerror -err_detect explode "+decoder+" -i "+path+" -vsync passthrough -f framemd5 -")
	var hashes []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(line, ",")
			hashes = append(hashes, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return hashes
}

// forEachEncoder runs f with a clip of each encoder, but for the codecs in but.
func forEachEncoder(t *testing.T, f func(t *testing.T, codec media.Codec, frames []media.Frame, file string), but ...media.Codec) {
	for _, e := range encoders {
		if slices.Contains(but, e.codec) {
			continue
		}
		t.Run(strings.Join(strings.Fields(e.args)[1:5], " "), func(t *testing.T) {
			frames, file := encode(t, e.codec, e.args, e.ext)
			f(t, e.codec, frames, file)
		})
	}
}

// TestRealStreams: what encoders make goes through packets and comes out byte for
// byte, however the packets come; the header tells its size; and what remains
// where packets are lost is decoded to the very pictures that were sent.
func TestRealStreams(t *testing.T) {
	forEachEncoder(t, func(t *testing.T, codec media.Codec, frames []media.Frame, file string) {
		format, _ := For(codec)
		checkReal(t, format, frames)
		if format.CodecPrivate != nil && codec != media.VP9 { // ffmpeg writes none for VP9
			checkPrivate(t, format, frames[0].Data, file)
		}
		pictures := decode(t, codec, frames)
		if len(pictures) != len(frames) {
			t.Fatalf("ffmpeg makes %d pictures of %d frames", len(pictures), len(frames))
		}
		saved := 0
		for seed := range int64(4) {
			rng := rand.New(rand.NewSource(seed))
			n := network{loss: 0.01 * float64(seed), twice: 0.1, delay: 40 * ms}
			sent := sendWith(rng, format.NewPacketizer(0), frames, n)
			d := format.NewDepacketizer(Config{Window: 100 * ms})
			var got sink
			for _, p := range arrivals(rng, sent, n) {
				where := format.Inspect(p.Payload)
				if where.Sync != p.Sync || p.Sync && (where.Width != realWidth || where.Height != realHeight) {
					t.Fatalf("Inspect says %+v of a packet with Sync %v", where, p.Sync)
				}
				d.Depacketize(&p, got.emit)
			}
			d.Flush(got.emit)
			var want []string
			for _, f := range got.frames {
				i := int((f.PTS + 10*ms) / (33333 * time.Microsecond))
				want = append(want, pictures[i])
				if !bytes.Equal(f.Data, frames[i].Data) || f.Sync != frames[i].Sync {
					t.Fatalf("seed %d, frame %d came out differently: sync %v", seed, i, f.Sync)
				}
			}
			if n.loss == 0 && len(want) != len(frames) {
				t.Fatalf("%d of %d frames came out, nothing was lost", len(want), len(frames))
			}
			saved += len(want)
			if got := decode(t, codec, got.frames); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("seed %d: the pictures after losses are not those that were sent", seed)
			}
		}
		t.Logf("%d of %d frames came out", saved, 4*len(frames))
		if saved < 2*len(frames) {
			t.Error("hardly any frame came out")
		}
	})
}

// checkReal checks what a format says of the frames of a clip.
func checkReal(t *testing.T, format Format, frames []media.Frame) {
	t.Helper()
	for i, f := range frames {
		if f.Sync != (i%realGroup == 0) {
			t.Errorf("frame %d: keyframe %v", i, f.Sync)
		}
		if w, h, ok := format.FrameSize(f.Data); ok != f.Sync || ok && (w != realWidth || h != realHeight) {
			t.Errorf("frame %d: size %dx%d, %v", i, w, h, ok)
		}
	}
}

// checkPrivate holds the CodecPrivate against the one that ffmpeg writes when it
// puts the same clip into Matroska.
func checkPrivate(t *testing.T, format Format, keyframe []byte, file string) {
	t.Helper()
	mkv := filepath.Join(t.TempDir(), "clip.mkv")
	run(t, "-fflags +genpts -r 30 -i "+file+" -c copy "+mkv)
	out, err := exec.CommandContext(t.Context(), "ffprobe", strings.Fields(
		"-v error -show_data_hash sha256 -show_entries stream=extradata_hash "+mkv)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	private, ok := format.CodecPrivate(keyframe)
	want := regexp.MustCompile("[0-9a-f]{64}").FindString(string(out))
	if got := fmt.Sprintf("%x", sha256.Sum256(private)); !ok || got != want {
		t.Errorf("CodecPrivate % x has the hash %s, that of ffmpeg %s", private, got, want)
	}
}

// TestRealPackets: packets that ffmpeg makes become the frames that they are of.
func TestRealPackets(t *testing.T) {
	forEachEncoder(t, func(t *testing.T, codec media.Codec, frames []media.Frame, file string) {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var received [][]byte
		var reading sync.WaitGroup
		reading.Go(func() {
			buf := make([]byte, 2000)
			for {
				n, _, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				received = append(received, bytes.Clone(buf[:n]))
			}
		})
		run(t, fmt.Sprintf("-re -fflags +genpts -r 100 -i %s -c copy -strict experimental -f rtp rtp://%s?pkt_size=1200", file, conn.LocalAddr()))
		if err := conn.SetReadDeadline(time.Now().Add(200 * ms)); err != nil { // everything has been sent
			t.Fatal(err)
		}
		reading.Wait()
		format, _ := For(codec)
		d := format.NewDepacketizer(Config{})
		var got sink
		var seq media.Unwrapper[uint16]
		syncs := 0
		for _, b := range received {
			at := binary.BigEndian.Uint32(b[4:])
			p := media.Packet{
				Seq: seq.Unwrap(binary.BigEndian.Uint16(b[2:])), Time: uint64(at),
				PTS: codec.Duration(int64(at)), Marker: b[1]&0x80 != 0, Payload: b[12:],
			}
			if format.Inspect(p.Payload).Sync {
				syncs++
			}
			d.Depacketize(&p, got.emit)
		}
		if len(got.frames) != len(frames) || d.Losses() != (Losses{}) {
			t.Fatalf("%d frames of %d, %+v", len(got.frames), len(frames), d.Losses())
		}
		for i, f := range got.frames {
			if !bytes.Equal(f.Data, frames[i].Data) || f.Sync != frames[i].Sync {
				t.Fatalf("frame %d: %d bytes, sync %v; want %d, %v", i, len(f.Data), f.Sync, len(frames[i].Data), frames[i].Sync)
			}
		}
		if syncs != realFrames/realGroup {
			t.Errorf("Inspect finds %d sync points", syncs)
		}
	}, media.AV1) // for which ffmpeg 5 has no packetizer
}
