package sfu

import (
	"context"
	"errors"
	"testing"

	"weir/sfu/media"
)

func TestAwaitLive(t *testing.T) {
	h, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.AwaitLive(t.Context(), "s"); !errors.Is(err, ErrNotLive) {
		t.Errorf("nobody publishes: %v", err)
	}
	pub, err := h.Publish("s", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := h.AwaitLive(ctx, "s"); !errors.Is(err, enough) {
		t.Errorf("the publisher is connecting: %v", err)
	}
	w := addSource(t, pub, media.VP8, Packets).writer
	live := make(chan error, 1)
	go func() { live <- h.AwaitLive(t.Context(), "s") }()
	for seq := range uint16(3) { // the first one opens the door, the others find it open
		w.WritePacket(RTP{Seq: seq, Payload: []byte{0x10, 0}})
	}
	if err := <-live; err != nil {
		t.Errorf("media has come: %v", err)
	}
	if err := h.AwaitLive(ctx, "s"); err != nil {
		t.Errorf("it is live already: %v", err)
	}
	pub.Close()
	if err := h.AwaitLive(t.Context(), "s"); !errors.Is(err, ErrNotLive) {
		t.Errorf("it has ended: %v", err)
	}
}
