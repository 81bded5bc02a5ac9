package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// testOutbox counts what is in it and what has left.
type testOutbox struct{ held, sent int }

func (o *testOutbox) Flush() { o.sent, o.held = o.sent+o.held, 0 }

// outboxViewer is a PacketWriter with an outbox. All of it happens on the shard's
// goroutine.
type outboxViewer struct {
	outbox *testOutbox
	fresh  bool // wants one of its own
}

func (v *outboxViewer) UseOutbox(there []Outbox) Outbox {
	if v.outbox = (&testOutbox{}); !v.fresh && len(there) > 0 {
		v.outbox = there[0].(*testOutbox)
	}
	return v.outbox
}

func (v *outboxViewer) WritePackets(_ *Track, batch []*media.Packet, _ bool) {
	v.outbox.held += len(batch)
}

// TestOutbox: the viewers of a shard share an outbox if they like, and it is
// flushed as soon as all of them were served, and before a viewer learns by Do
// that it has got everything.
func TestOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		one, two, three := &outboxViewer{}, &outboxViewer{}, &outboxViewer{fresh: true}
		a := b.attach(t, one)
		b.attach(t, two)
		b.attach(t, three)
		synctest.Wait() // who is only being placed has to catch up, which takes time
		b.play(sfutest.Clip{}, 0, time.Second)
		synctest.Wait()
		if one.outbox != two.outbox || one.outbox == three.outbox {
			t.Error("the viewers do not have the outboxes that they chose")
		}
		for _, o := range []*testOutbox{one.outbox, three.outbox} {
			if o.held != 0 || o.sent == 0 {
				t.Errorf("%d packets were sent, %d are held back", o.sent, o.held)
			}
		}
		if one.outbox.sent != 2*three.outbox.sent {
			t.Errorf("two viewers were sent %d packets, one %d", one.outbox.sent, three.outbox.sent)
		}
		a.Do(func() { one.outbox.held++ })
		synctest.Wait()
		held := -1
		a.Do(func() { held = one.outbox.held })
		synctest.Wait()
		if held != 0 || one.outbox.held != 0 {
			t.Error("what a viewer sends by Do is held back")
		}
	})
}
