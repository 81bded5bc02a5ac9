package sfu

import (
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// sound is the n-th packet of a source of sound that begins with the given
// counters; a packet each 20 ms.
func sound(seq uint16, at uint32, n int) RTP {
	return RTP{
		Seq: seq + uint16(n), Time: at + uint32(n)*960,
		Arrival: time.Duration(n) * 20 * ms, Payload: sfutest.OpusFrame(n, 40),
	}
}

// written returns what the track's ring of packets holds.
func written(t *Track) (packets []*media.Packet) {
	r := t.packets
	batch := make([]*media.Packet, len(r.slots))
	n, _ := r.read(r.tail.Load(), batch)
	return batch[:n]
}

// numbersOf returns the numbers of the frames in packets of sound.
func numbersOf(t *testing.T, packets []*media.Packet) (numbers []int) {
	t.Helper()
	for _, p := range packets {
		n, intact := sfutest.OpusNumber(p.Payload)
		if !intact {
			t.Fatal("a packet is damaged")
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// TestWriteWraps: sequence and time go on over the ends of the publisher's
// counters.
func TestWriteWraps(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	const n = 100
	for i := range n {
		b.audio.writer.WritePacket(sound(1<<16-50, 1<<32-30*960, i))
	}
	packets := written(b.audio.track)
	if len(packets) != n {
		t.Fatalf("%d packets are in the ring, want %d", len(packets), n)
	}
	for i, p := range packets[1:] {
		before := packets[i]
		if p.Seq != before.Seq+1 || p.Time != before.Time+960 || p.PTS-before.PTS != 20*ms {
			t.Fatalf("packet %d steps by %d, %d ticks and %v", i+1, p.Seq-before.Seq, p.Time-before.Time, p.PTS-before.PTS)
		}
	}
	if edge := b.audio.track.Edge(); edge != packets[n-1].Time {
		t.Errorf("the edge is %d, want %d, the newest packet's time", edge, packets[n-1].Time)
	}
}

func TestWriteOrder(t *testing.T) {
	tests := []struct {
		name              string
		in                []int // numbers of packets in the order of arrival; one packet each 20 ms
		want              int   // written
		duplicates, lates uint64
	}{
		{"in order", []int{0, 1, 2}, 3, 0, 0},
		{"reordered", []int{0, 3, 1, 2}, 4, 0, 0},
		{"before the first", []int{5, 3, 4}, 3, 0, 0},
		{"twice", []int{0, 1, 1, 0, 2, 2}, 3, 3, 0},
		{"with a hole", []int{0, 1000, 2000}, 3, 0, 0},
		{"late, but what is behind it is still there", []int{0, 100, 2}, 3, 0, 0},
		{"further behind than the ring is long", []int{0, 2000, 900}, 2, 0, 1},
		{"older than the window, but nothing behind it has left", []int{0, 200, 201, 202, 1}, 5, 0, 0},
		{"packets behind it have left", []int{1, 200, 201, 202, 1, 0}, 4, 0, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBroadcast(t, Config{}, Packets)
			var latest time.Duration
			for _, n := range tt.in {
				p := sound(65530, 1<<32-960, n)
				latest = max(latest, p.Arrival)
				p.Arrival = latest
				b.audio.writer.WritePacket(p)
			}
			s := b.audio.track.Stats()
			if s.Packets != uint64(tt.want) || s.Duplicates != tt.duplicates || s.Late != tt.lates {
				t.Errorf("%d packets, %d duplicates, %d late; want %d, %d, %d",
					s.Packets, s.Duplicates, s.Late, tt.want, tt.duplicates, tt.lates)
			}
		})
	}
}

// TestWriteReordered: what came out of order has the numbers and times that it
// would have had in order.
func TestWriteReordered(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	for _, n := range []int{0, 2, 1, 5, 4, 3, 6} {
		b.audio.writer.WritePacket(sound(65533, 1<<32-2*960, n))
	}
	packets := written(b.audio.track)
	first := packets[0]
	for i, n := range numbersOf(t, packets) {
		p := packets[i]
		if p.Seq != first.Seq+uint64(n) || p.Time != first.Time+uint64(n)*960 {
			t.Errorf("packet %d has Seq %+d and Time %+d from the first", n, int64(p.Seq-first.Seq), int64(p.Time-first.Time))
		}
	}
}

func TestPacketBySeq(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	track := b.audio.track
	const n = 2000 // 40 s, and more than the ring holds
	for i := range n {
		b.audio.writer.WritePacket(sound(1<<16-100, 0, i))
	}
	packets := written(track)
	newest := packets[len(packets)-1].Seq
	for _, p := range packets {
		if track.Packet(p.Seq) != p {
			t.Fatalf("packet %d is in the ring, but is not found", p.Seq)
		}
	}
	for _, seq := range []uint64{packets[0].Seq - 1, newest + 1, newest - n, newest - audioPackets, newest + audioPackets, 0} {
		if p := track.Packet(seq); p != nil {
			t.Errorf("asked for %d: %d is found", seq, p.Seq)
		}
	}
}

// TestTrimByTime: sound is kept for ringWindow, whatever its rate.
func TestTrimByTime(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	for i := range 1000 {
		b.audio.writer.WritePacket(sound(0, 0, i))
	}
	packets := written(b.audio.track)
	if kept := packets[len(packets)-1].Arrival - packets[0].Arrival; kept != ringWindow {
		t.Errorf("%v of sound are kept, want %v", kept, ringWindow)
	}
}

// TestTrimByGroup: the newest group of pictures is kept, though it be longer
// than ringWindow, but not beyond ringGroup.
func TestTrimByGroup(t *testing.T) {
	tests := []struct {
		every, length, kept time.Duration
	}{
		{time.Second, 10 * time.Second, ringWindow},
		{8 * time.Second, 15 * time.Second, 7*time.Second - sfutest.VideoInterval},
		{8 * time.Second, 9 * time.Second, ringWindow},
		{time.Minute, 11 * time.Second, 11*time.Second - sfutest.VideoInterval},
		{time.Minute, 20 * time.Second, ringWindow},
	}
	for _, form := range []Form{Packets, Frames} {
		for _, tt := range tests {
			b := newBroadcast(t, Config{}, form)
			b.play(sfutest.Clip{KeyEvery: int(tt.every / sfutest.VideoInterval), Size: 100}, 0, tt.length)
			var first, last time.Duration
			if form == Packets {
				packets := written(b.video.track)
				first, last = packets[0].Arrival, packets[len(packets)-1].Arrival
			} else {
				r := b.video.track.frames
				first, last = r.slot(r.tail.Load()).Load().PTS, r.slot(r.head.Load()-1).Load().PTS
			}
			if last-first != tt.kept {
				t.Errorf("%s: of %v with a keyframe each %v, %v are kept; want %v",
					formName(form), tt.length, tt.every, last-first, tt.kept)
			}
		}
	}
}

// TestLateKeyframe: a keyframe that was sent again does not take the place of a
// newer one as the point to start at.
func TestLateKeyframe(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	clip := sfutest.Clip{KeyEvery: 10, Size: 3000}
	first := b.video.packets(clip.Video(0).Frame, 0)
	for _, p := range first[1:] {
		b.video.writer.WritePacket(p)
	}
	for n := 1; n < 12; n++ {
		b.video.write(clip.Video(n).Frame)
	}
	b.video.writer.WritePacket(first[0])
	pos, ok := b.video.track.packets.syncPoint()
	if p := written(b.video.track)[pos]; !ok || !p.Sync || p.Arrival != clip.Video(10).Frame.PTS {
		t.Errorf("readers start at a packet that arrived at %v, want frame 10, at %v", p.Arrival, clip.Video(10).Frame.PTS)
	}
}

func TestTrackStats(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		b := newBroadcast(t, Config{}, form)
		if i := b.Info(); i.Live || i.State != Claimed {
			t.Errorf("before the first packet: live %v, state %s", i.Live, i.State)
		}
		b.play(sfutest.Clip{KeyEvery: 5, Size: 3000}, 0, time.Second)
		s := b.video.track.Stats()
		if s.Width != sfutest.Width || s.Height != sfutest.Height || s.Keyframes != 5 {
			t.Errorf("%s: %d x %d, %d keyframes", formName(form), s.Width, s.Height, s.Keyframes)
		}
		want, bytes := uint64(75), uint64(25*3000+75*4) // three packets with a descriptor each
		if form == Frames {
			want, bytes = 25, 25*3000
		}
		if s.Packets != want || s.Bytes != bytes {
			t.Errorf("%s: %d packets, %d bytes; want %d, %d", formName(form), s.Packets, s.Bytes, want, bytes)
		}
		if i := b.Info(); !i.Live || i.State != Live || len(i.Tracks) != 2 {
			t.Errorf("after the first packet: live %v, state %s, %d tracks", i.Live, i.State, len(i.Tracks))
		}
	}
}

// TestWriteAfterTheEnd: a source that goes on writing after its stream's end is
// not heard.
func TestWriteAfterTheEnd(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		b := newBroadcast(t, Config{}, form)
		clip := sfutest.Clip{}
		b.play(clip, 0, time.Second)
		before := b.video.track.Stats()
		b.Close()
		b.play(clip, time.Second, 2*time.Second)
		if after := b.video.track.Stats(); after != before {
			t.Errorf("%s: after the end %+v, before %+v", formName(form), after, before)
		}
	}
}
