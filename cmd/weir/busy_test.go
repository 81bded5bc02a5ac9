package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/cmd/weir/browsertest"
	"weir/recorder"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// How much TestBusy does. More is a task of its own.
var (
	busyFor    = flag.Duration("busy", 2*time.Second, "how long each broadcast of TestBusy lasts")
	busyRounds = flag.Int("busy-rounds", 0, "how many broadcasts TestBusy makes in each of -busy-codecs, with and without RTX; 0: one of VP9")
	busyCodecs = flag.String("busy-codecs", "VP8,VP9,AV1,H264", "codecs of TestBusy")
)

// busyLoops is how many processes do nothing at full speed beside a broadcast.
const busyLoops = 6

// busyPage publishes a drawn picture of 640x360 with its number, and a tone. It is
// given a name, a codec, and whether there is RTX.
const busyPage = `(async (name, codec, rtx) => {
	const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
	[canvas.width, canvas.height] = [640, 360];
	document.body.append(canvas);
	let n = 0;
	setInterval(() => {
		n++;
		for (let i = 0; i < 64; i++) {
			pen.fillStyle = "hsl(" + (n * 3 + i * 17) % 360 + " 80% 50%)";
			pen.fillRect(i % 8 * 80, Math.floor(i / 8) * 45, 80, 45);
		}
		pen.fillStyle = "#000";
		pen.font = "60px sans-serif";
		pen.fillText(n, 240, 200);
	}, 33);
	const sound = new AudioContext(), tone = sound.createOscillator(), tape = sound.createMediaStreamDestination();
	tone.connect(tape);
	tone.start();
	const pc = new RTCPeerConnection();
	const picture = pc.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], { direction: "sendonly" });
	pc.addTransceiver(tape.stream.getAudioTracks()[0], { direction: "sendonly" });
	picture.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs
		.filter((c) => c.mimeType.toLowerCase() === "video/" + codec.toLowerCase() || rtx && c.mimeType === "video/rtx"));
	await pc.setLocalDescription();
	await new Promise((done) => {
		pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
		setTimeout(done, 2000);
	});
	const reply = await fetch("/whip/" + name, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: pc.localDescription.sdp });
	const session = new URL(reply.headers.get("Location"), location);
	await pc.setRemoteDescription({ type: "answer", sdp: await reply.text() });
	const report = async () => [...(await pc.getStats()).values()].find((s) => s.type === "outbound-rtp" && s.kind === "video") ?? {};
	setInterval(async () => { window.sends = (await report()).framesSent > 0; }, 100);
	window.stop = async () => {
		const { framesEncoded, framesSent, packetsSent, keyFramesEncoded, pliCount } = await report();
		await fetch(session, { method: "DELETE" });
		pc.close();
		return { framesEncoded, framesSent, packetsSent, keyFramesEncoded, pliCount };
	};
})`

// busySender is what busyPage tells of what it sent.
type busySender struct {
	FramesEncoded    int `json:"framesEncoded"`
	FramesSent       int `json:"framesSent"`
	PacketsSent      int `json:"packetsSent"`
	KeyFramesEncoded int `json:"keyFramesEncoded"`
	PLICount         int `json:"pliCount"`
}

// TestBusy compares each packet that came in with each picture in the file, in a real
// browser on a machine that has no time: each picture that was sent is in the file and
// decodes, or is counted.
func TestBusy(t *testing.T) {
	codecs, rtx, rounds := strings.Split(*busyCodecs, ","), []bool{false, true}, *busyRounds
	if rounds == 0 {
		codecs, rtx, rounds = []string{"VP9"}, rtx[:1], 1
	}
	s := startServer(t)
	c := browsertest.Start(t)
	beBusy(t)
	for _, name := range codecs {
		for _, again := range rtx {
			for round := range rounds {
				t.Run(fmt.Sprintf("%s/rtx=%v/%d", name, again, round), func(t *testing.T) {
					busyBroadcast(t, s, c, name, again, fmt.Sprintf("busy/%s-%v-%d", name, again, round))
				})
			}
		}
	}
}

// beBusy has processes do nothing as fast as they can until the test ends.
func beBusy(t *testing.T) {
	t.Helper()
	for range busyLoops {
		loop := exec.Command("sh", "-c", "while :; do :; done")
		if err := loop.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = loop.Process.Kill()
			_ = loop.Wait()
		})
	}
}

// busyBroadcast makes one broadcast and looks at what came of it.
func busyBroadcast(t *testing.T, s *testServer, c browsertest.Browser, name string, rtx bool, stream string) {
	t.Helper()
	came := make(chan []*media.Packet, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { came <- s.packetsOf(ctx, stream) }()
	p := c.Open(t, s.url+"/recordings")
	defer p.Close()
	browsertest.Eval[any](p, fmt.Sprintf(`%s(%q, %q, %v)`, busyPage, stream, name, rtx))
	p.Wait("sends", `window.sends`)
	time.Sleep(*busyFor)
	sender := browsertest.Eval[busySender](p, `window.stop()`)
	packets := <-came
	if len(packets) == 0 {
		t.Fatal("no packet came")
	}
	recording := s.waitFinished(t, stream)
	files, err := filepath.Glob(filepath.Join(s.dataDir, "recordings", stream, "*-"+recording.ID+".*m*"))
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".json") })
	if err != nil || len(files) != 1 {
		t.Fatalf("files of the recording: %v, %v", files, err)
	}
	checkBusy(t, recording, sender, picturesSent(packets), frameSizes(t, files[0]))
	decode(t, files[0])
}

// waitFinished waits until the recording of a stream is finished.
func (s *testServer) waitFinished(t *testing.T, stream string) recorder.Recording {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		list, _, err := s.app.recorder.Recordings(recorder.Query{Stream: stream, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 && list[0].State == recorder.Finished {
			return list[0]
		}
	}
	t.Fatalf("no finished recording of %s", stream)
	return recorder.Recording{}
}

// decode decodes every frame of a file, each at its own time; any error fails.
func decode(t *testing.T, file string) {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", file,
		"-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg cannot decode %s: %v\n%s", file, err, out)
	}
}

// packetsOf returns all packets of a stream's picture that come from its first
// keyframe on, when it has ended.
func (s *testServer) packetsOf(ctx context.Context, stream string) (all []*media.Packet) {
	for ctx.Err() == nil {
		sub, err := s.app.hub.Subscribe(stream)
		if err != nil {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		defer sub.Close()
		tracks, err := sub.Tracks(ctx)
		if err != nil {
			return nil
		}
		for _, track := range tracks {
			if track.Info().Kind() != media.Video {
				continue
			}
			cursor := track.Packets()
			defer cursor.Close()
			batch := make([]*media.Packet, 256)
			for {
				n, _, err := cursor.Next(ctx, batch)
				if err != nil {
					return all
				}
				all = append(all, batch[:n]...)
			}
		}
	}
	return nil
}

// sentPicture is a picture as its packets tell.
type sentPicture struct {
	size  int  // of the payloads without descriptors, if it can be told
	whole bool // all of it came, up to the marker
	last  bool
}

// picturesSent puts packets together, by rules of its own.
func picturesSent(packets []*media.Packet) (list []sentPicture) {
	slices.SortFunc(packets, func(a, b *media.Packet) int { return int(int64(a.Seq - b.Seq)) })
	packets = slices.DeleteFunc(packets, func(p *media.Packet) bool { return len(p.Payload) == 0 }) // padding
	for i, p := range packets {
		if i == 0 || packets[i-1].Time != p.Time {
			list = append(list, sentPicture{whole: true})
		}
		picture := &list[len(list)-1]
		picture.size += len(p.Payload) - descriptorSize(p.Payload)
		picture.whole = picture.whole && (i == 0 || packets[i-1].Seq+1 == p.Seq || packets[i-1].Time != p.Time)
		if end := i == len(packets)-1 || packets[i+1].Time != p.Time; end {
			picture.whole = picture.whole && p.Marker
			picture.last = i == len(packets)-1
		}
	}
	return list
}

// descriptorSize is what is in front of the bytes of a VP8 or VP9 payload. Of other
// codecs it is not told, nor needed.
func descriptorSize(payload []byte) int {
	if _, n, ok := codec.ParseVP9Descriptor(payload); ok {
		return n
	}
	return 0
}

// frameSizes returns the sizes of the pictures in a file.
func frameSizes(t *testing.T, file string) []int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s pictureSizes
	r := read.NewReader(&s, read.Config{})
	if err := errors.Join(r.Push(data), r.Close()); err != nil {
		t.Fatal(err)
	}
	return s.list
}

// pictureSizes is a read.Receiver that notes the sizes of all pictures.
type pictureSizes struct {
	video int
	list  []int
}

func (s *pictureSizes) Header(h read.Header) error {
	s.video = slices.IndexFunc(h.Tracks, func(t ebml.TrackEntry) bool { return strings.HasPrefix(t.CodecID, "V_") })
	return nil
}

func (s *pictureSizes) Frame(f read.Frame) error {
	if f.Track == s.video {
		s.list = append(s.list, len(f.Data))
	}
	return nil
}

func (*pictureSizes) Damage(ebml.Damage) {}

// checkBusy: all pictures that were sent are in the file, or counted as what they are.
func checkBusy(t *testing.T, r recorder.Recording, sender busySender, sent []sentPicture, file []int) {
	t.Helper()
	whole, cutByEnd := 0, 0
	for _, p := range sent {
		if p.whole {
			whole++
		} else if p.last {
			cutByEnd++
		}
	}
	q := r.Quality
	t.Logf("encoded %d, sent %d pictures in %d packets, %d keyframes, asked for %d; came %d, whole %d; in the file %d, dropped %d, cut off %d, lost %d packets; %s",
		sender.FramesEncoded, sender.FramesSent, sender.PacketsSent, sender.KeyFramesEncoded, sender.PLICount,
		len(sent), whole, len(file), q.Dropped, q.CutOff, q.Lost, q.Verdict)
	if len(file)+int(q.Dropped)+cutByEnd != len(sent) {
		t.Errorf("%d pictures came, %d are in the file, %d are counted as dropped, %d were cut off by the end; %+v", len(sent), len(file), q.Dropped, cutByEnd, q)
	}
	if q.Lost == 0 && int(q.CutOff) != len(sent)-whole-cutByEnd {
		t.Errorf("%d pictures are not whole, and none was lost; %d are counted as cut off", len(sent)-whole-cutByEnd, q.CutOff)
	}
	if most := 1 + int(r.DurationMS)/9000 + int(q.CutOff+q.Gates); sender.PLICount > most {
		t.Errorf("%d keyframes were asked for, %d at most are of use", sender.PLICount, most)
	}
	if q.Verdict == "clean" && len(file)+cutByEnd < len(sent) {
		t.Errorf("the verdict is %s, with %+v and gaps %v", q.Verdict, q, r.Gaps)
	}
}
