package peer_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
	"weir/sfu/sfutest"
)

// inbox collects what a client receives of one track.
type inbox struct {
	codec   media.Codec
	frames  chan media.Frame
	packets chan *rtp.Packet
	counted atomic.Uint64 // packets, as the newest sender report says
}

func newInbox(c media.Codec) *inbox {
	return &inbox{codec: c, frames: make(chan media.Frame, 1<<14), packets: make(chan *rtp.Packet, 1<<16)}
}

func (i *inbox) incoming() peertest.Incoming {
	return peertest.Incoming{
		OnFrame:  func(f media.Frame) { i.frames <- f },
		OnPacket: func(p *rtp.Packet) { i.packets <- p },
		OnReport: func(sr *rtcp.SenderReport) { i.counted.Store(uint64(sr.PacketCount)) },
	}
}

// next returns the number of the next frame. Damage fails the test.
func (i *inbox) next(t testing.TB) int {
	t.Helper()
	n, _ := i.nextFrame(t)
	return n
}

func (i *inbox) nextFrame(t testing.TB) (int, media.Frame) {
	t.Helper()
	f := receive(t, i.frames, i.codec.String()+" frame")
	n, intact := sfutest.Number(i.codec, f.Data)
	if !intact {
		t.Fatalf("%v frame %d of %d bytes is damaged", i.codec, n, len(f.Data))
	}
	return n, f
}

// unbroken checks that the next count frames follow each other.
func (i *inbox) unbroken(t testing.TB, count int) {
	t.Helper()
	last := i.next(t)
	for range count {
		n := i.next(t)
		if n != last+1 {
			t.Fatalf("%v frame %d comes after %d", i.codec, n, last)
		}
		last = n
	}
}

// stretch waits until count frames have followed each other without a gap. Frames
// may be missing before, for a slow machine may be too late for a repair, but
// none may come in disorder. Where one packet in ten is lost and not repaired, a
// hundred frames in a row do not come in the age of the universe.
func (i *inbox) stretch(t testing.TB, count int) {
	t.Helper()
	last, row := i.next(t), 0
	for deadline := time.Now().Add(patience); row < count; {
		n := i.next(t)
		if n <= last {
			t.Fatalf("%v frame %d comes after %d", i.codec, n, last)
		}
		if row++; n != last+1 {
			row = 0
		}
		last = n
		if time.Now().After(deadline) {
			t.Fatalf("no %d %v frames in a row", count, i.codec)
		}
	}
}

// watch joins a stream with a client that receives both tracks.
func (s *server) watch(t testing.TB, name string, api *peertest.API) (video, audio *inbox, run *session) {
	t.Helper()
	return s.watchIn(t, name, media.VP8, api)
}

// watchIn is watch for video of another codec.
func (s *server) watchIn(t testing.TB, name string, codec media.Codec, api *peertest.API) (video, audio *inbox, run *session) {
	t.Helper()
	video, audio = newInbox(codec), newInbox(media.Opus)
	c := api.NewClient(t)
	c.Receive(t, map[media.Codec]peertest.Incoming{codec: video.incoming(), media.Opus: audio.incoming()})
	run = s.view(t, name, c)
	return video, audio, run
}

// TestEveryFrameArrives: what a client sends, another one receives, byte for byte
// and in order, over loopback. Both sequence number and time wrap on the way.
func TestEveryFrameArrives(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.broadcast(t, "a", api, small())
	video, audio, _ := s.watch(t, "a", api)
	video.unbroken(t, 60)
	audio.unbroken(t, 100)
}

// TestRepair: what a link loses is asked for and sent again, on the publisher's
// side and on the viewer's, with a retransmission stream and without.
func TestRepair(t *testing.T) {
	for _, tt := range []struct {
		name  string
		noRTX bool
		lossy string
	}{
		{"publisher with RTX", false, publisherIP},
		{"publisher without RTX", true, publisherIP},
		{"viewer with RTX", false, serverIP},
		{"viewer without RTX", true, serverIP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			n := peertest.NewNetwork(t, 10*time.Millisecond)
			host, away, far := n.Host(t, serverIP), n.Host(t, publisherIP), n.Host(t, viewerIP)
			n.Start(t)
			s := newServer(t, host, peer.Config{})
			b := small()
			// A keyframe ends the wait for what is missing before it, and on a busy machine
			// a repair takes as long as some pictures.
			b.KeyEvery = 1000
			pub, _ := s.broadcast(t, "a", peertest.NewAPI(t, peertest.Options{Net: away, NoRTX: tt.noRTX}), b)
			video, _, view := s.watch(t, "a", peertest.NewAPI(t, peertest.Options{Net: far, NoRTX: tt.noRTX}))
			video.next(t)
			n.Lose(tt.lossy, 10)
			video.stretch(t, 100)
			n.Lose(tt.lossy, 0)
			lost, sent := n.Lost(), view.viewer.Stats()
			if lost < 20 {
				t.Fatalf("the link lost %d packets: that tells nothing", lost)
			}
			if tt.lossy == serverIP {
				// With RTX the client goes on asking for what it has, see peertest.
				if sent.Resent < 10 || sent.Resent > 12*uint64(lost) || sent.Refused > 0 {
					t.Errorf("%d packets were lost; sent again: %+v", lost, sent)
				}
				// What is sent again in a stream of its own is not part of the first one:
				// a report counts no more packets than the track has. Sound has no such
				// stream.
				counted := video.counted.Load()
				if has := packetsOf(pub.pub, media.VP8); !tt.noRTX && counted > has {
					t.Errorf("a sender report counts %d packets of %d: %+v", counted, has, view.viewer.Stats())
				}
				return
			}
			if asked := b.Video.Nacked.Load() + b.Audio.Nacked.Load(); asked < 10 || asked > 5*int64(lost) {
				t.Errorf("%d packets were lost, %d asked for", lost, asked)
			}
			if got := pub.pub.Info().Tracks; got[0].Late+got[1].Late > 0 {
				t.Errorf("packets that were sent again came too late: %+v", got)
			}
		})
	}
}

// TestRepairOverLongWay: a packet that is sent again under its old number is not
// taken for a replay, however many came in between.
func TestRepairOverLongWay(t *testing.T) {
	n := peertest.NewNetwork(t, 75*time.Millisecond)
	host, away := n.Host(t, serverIP), n.Host(t, publisherIP)
	n.Start(t)
	s := newServer(t, host, peer.Config{})
	// 7 Mbit/s: the 150 ms until a lost packet comes again hold 120 others.
	b := &peertest.Broadcast{KeyEvery: 1000, Size: 30_000, KeySize: 30_000}
	s.broadcast(t, "a", peertest.NewAPI(t, peertest.Options{Net: away, NoRTX: true}), b)
	recorded := &inbox{codec: media.VP8, frames: s.frames(t, "a", media.VP8)}
	recorded.next(t)
	n.Lose(publisherIP, 10)
	recorded.stretch(t, 30)
	if n.Lost() < 30 {
		t.Fatalf("the link lost %d packets: that tells nothing", n.Lost())
	}
}

// frames reads the frames of a track as a recorder would.
func (s *server) frames(t testing.TB, name string, codec media.Codec) chan media.Frame {
	t.Helper()
	sub, err := s.hub.Subscribe(name)
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan media.Frame, 1<<14)
	var reading sync.WaitGroup
	for _, track := range tracks {
		if track.Info().Codec != codec {
			continue
		}
		cursor := track.Frames()
		ctx := t.Context()
		reading.Go(func() {
			defer cursor.Close()
			defer sub.Close()
			batch := make([]*media.Frame, 64)
			for {
				n, _, err := cursor.Next(ctx, batch)
				if err != nil {
					return
				}
				for _, f := range batch[:n] {
					out <- *f
				}
			}
		})
	}
	t.Cleanup(reading.Wait)
	return out
}

// packetsOf returns how many packets of a publisher's track have come.
func packetsOf(pub *sfu.Publication, c media.Codec) uint64 {
	for _, t := range pub.Info().Tracks {
		if t.Info.Codec == c {
			return t.Packets
		}
	}
	return 0
}
