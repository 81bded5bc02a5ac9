package recorder_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// sentFrames are the hashes of what a publisher sent, in order.
type sentFrames struct {
	mu     sync.Mutex
	number map[string]int // by hash
	count  int
}

func (s *sentFrames) add(data []byte) {
	sum := md5.Sum(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number[hex.EncodeToString(sum[:])] = s.count
	s.count++
}

// TestRecordingOverLossyLink: with 20 % of all packets lost on the publisher's
// link, in both directions, each frame of the recording is one that was sent, in
// the order in which they were sent, and none is there twice.
func TestRecordingOverLossyLink(t *testing.T) {
	for _, tt := range []struct {
		name  string
		noRTX bool
	}{{"with RTX", false}, {"without RTX", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			n := peertest.NewNetwork(t, 10*time.Millisecond)
			server, away := n.Host(t, "10.0.0.1"), n.Host(t, "10.0.0.2")
			n.Start(t)
			dir := t.TempDir()
			r, err := recorder.New(recorder.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{r.Sink}})
			if err != nil {
				t.Fatal(err)
			}
			port, err := peer.New(peer.Config{Conn: peertest.Listen(t, server, "10.0.0.1:5000"), Net: server})
			if err != nil {
				t.Fatal(err)
			}
			defer peertest.Serve(t, port)()

			client := peertest.NewAPI(t, peertest.Options{Net: away, NoRTX: tt.noRTX}).NewClient(t)
			sent := map[media.Codec]*sentFrames{media.VP8: {number: map[string]int{}}, media.Opus: {number: map[string]int{}}}
			b := &peertest.Broadcast{
				Audio: client.Send(t, media.Opus), Video: client.Send(t, media.VP8),
				KeyEvery: 90, Size: 6000, KeySize: 20_000,
				OnFrame: func(c media.Codec, f media.Frame) { sent[c].add(f.Data) },
			}
			pub, err := hub.Publish("a", sfu.PublishOptions{Record: true})
			if err != nil {
				t.Fatal(err)
			}
			source, answer, err := port.NewPublisher(t.Context(), client.Offer(t), pub)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- pub.Run(ctx, source) }()
			client.Answer(t, answer)
			client.AwaitConnected(t)
			n.Lose("10.0.0.2", 20)
			n.Lose("10.0.0.1", 20)
			stop := b.Start(t)
			for b.VideoSent.Load() < 240 {
				time.Sleep(50 * time.Millisecond) // the broadcast goes by the clock
			}
			stop()
			cancel()
			<-ended // the recording is finished

			files, err := filepath.Glob(filepath.Join(dir, "a", "*.webm"))
			if err != nil || len(files) != 1 {
				t.Fatalf("files: %v, %v", files, err)
			}
			hashes := frameHashes(t, files[0])
			t.Logf("%d packets were lost; in the file are %d of %d video frames and %d of %d packets of sound",
				n.Lost(), len(hashes["video"]), sent[media.VP8].count, len(hashes["audio"]), sent[media.Opus].count)
			if n.Lost() < 300 {
				t.Errorf("only %d packets were lost", n.Lost())
			}
			check(t, "video", hashes["video"], sent[media.VP8])
			silence := md5.Sum([]byte{31<<3 | 1<<2, 0xFF, 0xFE}) // where sound is missing
			hashes["audio"] = slices.DeleteFunc(hashes["audio"], func(h string) bool { return h == hex.EncodeToString(silence[:]) })
			check(t, "audio", hashes["audio"], sent[media.Opus])
		})
	}
}

// check holds the frames of a file against those that were sent.
func check(t *testing.T, kind string, hashes []string, sent *sentFrames) {
	t.Helper()
	last := -1
	for i, h := range hashes {
		n, ok := sent.number[h]
		switch {
		case !ok:
			t.Fatalf("%s frame %d of the file was never sent", kind, i)
		case n <= last:
			t.Fatalf("%s frame %d of the file was sent as %d, the one before as %d", kind, i, n, last)
		}
		last = n
	}
	if len(hashes) < sent.count/2 {
		t.Errorf("the file has %d of %d %s frames", len(hashes), sent.count, kind)
	}
}

// frameHashes returns the hashes of a file's frames by kind of track, as a
// program that is not ours reads them.
func frameHashes(t *testing.T, file string) map[string][]string {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-map", "0", "-c", "copy", "-f", "framehash", "-hash", "md5", "-").Output()
	if err != nil {
		t.Fatalf("ffmpeg (apt-get install ffmpeg): %v", err)
	}
	kinds := map[int]string{}
	hashes := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		// #media_type 0: video
		if rest, ok := strings.CutPrefix(line, "#media_type "); ok {
			index, kind, _ := strings.Cut(strings.TrimSpace(rest), ": ")
			i, err := strconv.Atoi(index)
			if err != nil {
				t.Fatalf("ffmpeg says %q", line)
			}
			kinds[i] = kind
		}
		// stream, dts, pts, duration, size, hash
		fields := strings.Split(line, ",")
		if strings.HasPrefix(line, "#") || len(fields) < 6 {
			continue
		}
		i, err := strconv.Atoi(strings.TrimSpace(fields[0]))
		if err != nil {
			t.Fatalf("ffmpeg says %q", line)
		}
		hashes[kinds[i]] = append(hashes[kinds[i]], strings.TrimSpace(fields[5]))
	}
	return hashes
}
