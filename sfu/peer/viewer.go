package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
)

// reportInterval is how often a viewer gets sender reports. They carry what
// keeps sound and picture together, so the first follows the first packet.
const reportInterval = time.Second

// Viewer is a WebRTC client that receives: a Sink of the hub.
type Viewer struct {
	*session
	outputs []*output     // set once
	first   chan struct{} // gets a value with the first packet of each output
}

// NewViewer answers a viewer's offer with those of tracks that it has a section
// for. The Viewer must be run by a Subscription's owner, or closed. Errors wrap
// ErrOffer or ErrUnsupported if the client is to blame.
func (p *Port) NewViewer(ctx context.Context, rawOffer string, tracks []*sfu.Track) (*Viewer, string, error) {
	var infos []media.TrackInfo
	for _, t := range tracks {
		infos = append(infos, t.Info())
	}
	o, err := parseOffer(rawOffer, clientReceives, infos...)
	if err != nil {
		return nil, "", err
	}
	s, err := p.newSession(p.viewers)
	if err != nil {
		return nil, "", err
	}
	v := &Viewer{session: s, first: make(chan struct{}, maxMediaSections)}
	if err := v.addTracks(o, tracks); err != nil {
		s.Close()
		return nil, "", err
	}
	answer, err := s.answer(ctx, o)
	if err != nil {
		s.Close()
		return nil, "", err
	}
	return v, answer, nil
}

// addTracks makes an output for each track that the offer has a section for.
func (v *Viewer) addTracks(o *offer, tracks []*sfu.Track) error {
	for _, t := range tracks {
		offered := slices.ContainsFunc(o.media, func(m offeredMedia) bool { return m.codec == t.Info().Codec })
		if !offered {
			continue
		}
		out := newOutput(t, v.first)
		sender, err := v.pc.AddTrack(out)
		if err != nil {
			return fmt.Errorf("peer: add track: %w", err)
		}
		out.sender = sender
		v.outputs = append(v.outputs, out)
	}
	if len(v.outputs) == 0 {
		return fmt.Errorf("%w: none of the stream's tracks is in the offer; offer to receive audio and video", ErrUnsupported)
	}
	return nil
}

// Run implements sfu.Sink. It returns nil when the stream has ended, an error
// that wraps ErrNotConnected, ErrLost or ErrClosed when the client went away, or
// the cause of ctx.
func (v *Viewer) Run(ctx context.Context, sub *sfu.Subscription) error {
	var readers sync.WaitGroup
	defer readers.Wait() // after Close, which ends them
	defer v.Close()
	if err := v.await(ctx); err != nil {
		return err
	}
	attachment, err := sub.Attach(v, v.tracks())
	if errors.Is(err, sfu.ErrEnded) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	defer attachment.Close()
	for _, out := range v.outputs {
		readers.Go(func() { out.readFeedback(attachment) })
	}
	return v.serve(ctx, sub, attachment)
}

// serve sends sender reports until the viewer or the stream is gone.
func (v *Viewer) serve(ctx context.Context, sub *sfu.Subscription, a *sfu.Attachment) error {
	clock := wallClock{started: sub.Stream().StartedAt, now: sub.Now}
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// On the shard's goroutine, which owns what a report tells. If its inbox
			// is full, the next report will do.
			a.Do(func() { v.report(clock) })
		case <-v.first:
			a.Do(func() { v.report(clock) })
		case <-sub.Done():
			v.drain(a)
			return nil
		case <-v.gone:
			return v.why()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// drain waits until what the ring still held has been sent, see Attachment.Do.
func (v *Viewer) drain(a *sfu.Attachment) {
	sent := make(chan struct{})
	if a.Do(func() { close(sent) }) {
		<-sent
	}
}

// tracks returns the tracks that the viewer receives.
func (v *Viewer) tracks() []*sfu.Track {
	tracks := make([]*sfu.Track, len(v.outputs))
	for i, out := range v.outputs {
		tracks[i] = out.track
	}
	return tracks
}

// WritePackets implements sfu.PacketWriter.
func (v *Viewer) WritePackets(t *sfu.Track, batch []*media.Packet, lagged bool) {
	for _, out := range v.outputs {
		if out.track == t {
			out.write(batch, lagged)
			return
		}
	}
}

// wallClock tells the wall-clock time of instants on a stream's clock.
type wallClock struct {
	started time.Time
	now     func() time.Duration
}

// report sends a sender report for each track that has begun. Runs on the
// shard's goroutine.
func (v *Viewer) report(c wallClock) {
	now := c.now()
	for _, out := range v.outputs {
		if sr := out.senderReport(now, c.started.Add(now)); sr != nil {
			// An error means that the connection is about to be gone.
			_ = v.pc.WriteRTCP(sr)
		}
	}
}

// Stats is a snapshot of what a viewer was sent.
type Stats struct {
	Packets, Bytes uint64
	Waiting        uint64 // packets dropped before a decoder could start
	Resent         uint64 // packets sent again
	Missing        uint64 // packets asked for again that were not to be had
	Refused        uint64 // packets asked for again beyond the budget
	Failed         uint64 // packets that the connection did not take
}

// Stats returns a snapshot.
func (v *Viewer) Stats() Stats {
	var sum Stats
	for _, out := range v.outputs {
		out.counters.addTo(&sum)
	}
	return sum
}

var _ webrtc.TrackLocal = (*output)(nil)
