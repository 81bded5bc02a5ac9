package sfu

import (
	"bytes"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// node is a stub of another node: it reads the packets of the tracks of one hub, and
// writes them as they are to those of another one.
type node struct {
	cursors []*Cursor[media.Packet]
	writers []*TrackWriter
}

// newNode joins the stream of b to one of the same name in another hub, whose tracks it
// returns.
func newNode(t *testing.T, b *broadcast) (*node, []*Track) {
	t.Helper()
	_, tracks := b.subscribe(t)
	edge := newHub(t, Config{})
	p, err := edge.Publish("test", PublishOptions{Source: "relay"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	n := &node{}
	var infos []media.TrackInfo
	for _, track := range tracks {
		infos = append(infos, track.Info())
		n.cursors = append(n.cursors, track.Packets())
	}
	if n.writers, err = p.AddTracks(Packets, infos...); err != nil {
		t.Fatal(err)
	}
	var copies []*Track
	for _, w := range n.writers {
		copies = append(copies, w.track)
	}
	return n, copies
}

// pass passes on what has come since the last call.
func (n *node) pass(t *testing.T) {
	t.Helper()
	batch := make([]*media.Packet, 16)
	for i, c := range n.cursors {
		for {
			got, lagged, err := c.Take(batch)
			if err != nil || lagged {
				t.Fatalf("lagged %v, %v", lagged, err)
			}
			if got == 0 {
				break
			}
			for _, p := range batch[:got] {
				n.writers[i].AddPacket(p)
			}
			n.writers[i].Flush(false)
		}
	}
}

// TestOtherNode: what one node reads from another one is in its own hub what it is in the
// other: number, times, marks and bytes, whatever has happened on the publisher's way,
// and a viewer there begins where one here does.
func TestOtherNode(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	n, copies := newNode(t, b)
	clip := sfutest.Clip{KeyEvery: 25, Size: 3000}
	var held []RTP // reordered
	for i := range 200 {
		at := time.Duration(i) * sfutest.VideoInterval
		switch i {
		case 60: // another SSRC, with other counters
			b.video.writer.Restart()
			b.video.seq, b.video.time = 7, 1<<31
		case 120: // the clock jumps, and the numbers of sound have a hole
			b.video.time += 90000 * 3600
			b.audio.seq += 30
		}
		f := clip.Video(i).Frame
		f.PTS = at
		for j, r := range b.video.packets(f, at+20*ms) {
			if i%7 == 3 && j == 1 {
				held = append(held, r)
				continue
			}
			b.video.writer.WritePacket(r)
		}
		for _, r := range held {
			r.Arrival, r.Retransmitted = at+20*ms, true
			b.video.writer.WritePacket(r)
			b.video.writer.WritePacket(r) // twice
		}
		held = nil
		b.audio.write(clip.Audio(2 * i).Frame)
		n.pass(t)
	}
	for i, original := range []*Track{b.video.track, b.audio.track} {
		same(t, written(original), written(copies[i]))
		if a, c := original.Stats(), copies[i].Stats(); a.Packets != c.Packets || a.Bytes != c.Bytes || a.Keyframes != c.Keyframes || a.Width != c.Width || a.Height != c.Height || a.Repaired != c.Repaired {
			t.Errorf("here %+v, there %+v", a, c)
		}
		here, there := take(t, original.Packets(), 1)[0], take(t, copies[i].Packets(), 1)[0]
		if here.Seq != there.Seq {
			t.Errorf("a viewer begins at %d here, and at %d there", here.Seq, there.Seq)
		}
	}
	if len(written(b.video.track)) < 100 {
		t.Errorf("only %d packets were compared", len(written(b.video.track)))
	}
}

// TestOtherNodeWithSets: nor does a packet lose what belongs ahead of it.
func TestOtherNodeWithSets(t *testing.T) {
	o := newOnce(t, Packets)
	n, copies := newNode(t, o.b)
	for i := range 60 {
		o.write(o.frame(i, 3000, i == 0))
		n.pass(t)
	}
	same(t, written(o.track), written(copies[0]))
	if s := copies[0].Stats(); s.Width == 0 || s.Keyframes != 3 {
		t.Errorf("there %+v", s)
	}
}

// same fails unless two lists of packets are the same.
func same(t *testing.T, here, there []*media.Packet) {
	t.Helper()
	if len(here) != len(there) {
		t.Fatalf("%d packets here, %d there", len(here), len(there))
	}
	for i, p := range here {
		q := there[i]
		if p.Seq != q.Seq || p.Time != q.Time || p.PTS != q.PTS || p.Arrival != q.Arrival ||
			p.Start != q.Start || p.Marker != q.Marker || p.Sync != q.Sync ||
			p.Discontinuity != q.Discontinuity || p.Retransmitted != q.Retransmitted ||
			!bytes.Equal(p.Payload, q.Payload) || !bytes.Equal(bytes.Join(p.Ahead, nil), bytes.Join(q.Ahead, nil)) {
			t.Fatalf("packet %d is %+v here, and %+v there", i, p, q)
		}
	}
}
