package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// reportInterval is how often a viewer gets sender reports. They carry what
// keeps sound and picture together, so the first follows the first packet. A browser
// knows a track's clock by two of them (libwebrtc's RtpToNtpEstimator), so the second
// follows soon: in so long RTP and NTP times tell the clock's rate within 0.02 %.
const (
	reportInterval = time.Second
	secondReport   = 100 * time.Millisecond
)

// Viewer is a WebRTC client that receives: a Sink of the hub.
type Viewer struct {
	// set once
	port    *Port
	client  *transport.Client
	kind    media.Kind    // of the first section that is taken
	mid     string        // its name
	senders []*sender     // in the order of the offer's sections
	first   chan struct{} // gets a value with the first packet of each sender

	attachment atomic.Pointer[sfu.Attachment] // nil before the viewer is connected

	link transport.Link // owned by Run

	// owned by the shard's goroutine
	batch  *shardBatch
	egress egress
}

// NewViewer answers a viewer's offer with those of tracks that it has a section
// for. The Viewer must be run by a Subscription's owner, or closed. Errors wrap
// ErrOffer or ErrUnsupported if the client is to blame.
func (p *Port) NewViewer(_ context.Context, rawOffer string, tracks []*sfu.Track) (*Viewer, string, error) {
	var infos []media.TrackInfo
	for _, t := range tracks {
		infos = append(infos, t.Info())
	}
	o, err := sdp.Parse(rawOffer, sdp.ClientReceives, infos...)
	if err != nil {
		return nil, "", err
	}
	v := &Viewer{
		port: p, first: make(chan struct{}, len(o.Media)),
		kind: o.Media[0].Codec.Kind(), mid: strings.Clone(o.Media[0].MID),
	}
	sources, err := v.negotiate(o, tracks)
	if err != nil {
		return nil, "", err
	}
	state, err := p.newState()
	if err != nil {
		return nil, "", err
	}
	v.client = transport.NewClient(p.demux, state, o, false)
	local := sdp.NewCredentials()
	answer, err := p.answerer.Answer(o, local, sources)
	if err != nil {
		state.Close()
		return nil, "", err
	}
	v.client.Enter(local, o.Credentials.Ufrag, v)
	return v, answer, nil
}

// negotiate makes a sender for each section of the offer that there is a track
// for.
func (v *Viewer) negotiate(o *sdp.Offer, tracks []*sfu.Track) ([]sdp.Source, error) {
	sources := make([]sdp.Source, len(o.Media))
	ssrcs := distinct(2 * len(o.Media))
	for i, m := range o.Media {
		at := slices.IndexFunc(tracks, func(t *sfu.Track) bool { return t.Info().Codec == m.Codec })
		if at < 0 {
			continue
		}
		s := &sources[i]
		s.Track, s.Stereo, s.SSRC = tracks[at].Info().ID, tracks[at].Info().Stereo, ssrcs[2*i]
		if m.RepairType != sdp.NoType {
			s.RepairSSRC = ssrcs[2*i+1]
		}
		v.senders = append(v.senders, newSender(tracks[at], m, *s, v.first))
	}
	if len(v.senders) == 0 {
		return nil, fmt.Errorf("%w: none of the stream's tracks is in the offer; offer to receive audio and video", ErrUnsupported)
	}
	return sources, nil
}

// distinct returns n SSRCs.
func distinct(n int) []uint32 {
	var all []uint32
	for len(all) < n {
		if ssrc := rand.Uint32(); ssrc != 0 && !slices.Contains(all, ssrc) {
			all = append(all, ssrc)
		}
	}
	return all
}

// Silent reports whether nothing has come from the client for some seconds, though it
// was connected.
func (v *Viewer) Silent() bool { return v.client.Silent() }

// Trickle takes in candidates of the client. An ICE-lite agent has no use for
// them: it only checks that they are meant for this session.
func (v *Viewer) Trickle(f Fragment) error { return f.CheckSession(v.client.Remote()) }

// Restart answers an ICE restart: the fragment brings the client's new
// credentials, the returned one the server's. If it fails, the session goes on
// as it was.
func (v *Viewer) Restart(_ context.Context, f Fragment) (Fragment, error) {
	return v.port.restart(v.client, f, v.kind, v.mid)
}

// Close ends the connection, telling the client. Closing twice is fine.
func (v *Viewer) Close() error {
	var ssrcs []uint32
	for _, out := range v.senders {
		ssrcs = append(ssrcs, out.ssrc)
	}
	v.client.Close([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: ssrcs[0]}, cname(ssrcs[0]), &rtcp.Goodbye{Sources: ssrcs},
	})
	return nil
}

// Run implements sfu.Sink. It returns nil when the stream has ended, an error
// that wraps ErrNotConnected, ErrLost or ErrClosed when the client went away, or
// the cause of ctx.
func (v *Viewer) Run(ctx context.Context, sub *sfu.Subscription) error {
	defer v.link.Drop()
	defer v.Close()
	if err := v.link.Connect(ctx, v.client, v.port.connectTimeout, v.port.handshakes); errors.Is(err, transport.ErrNotConnected) {
		return fmt.Errorf("%w: %v", ErrNotConnected, err)
	} else if err != nil {
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
	v.attachment.Store(attachment)
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
			if v.client.Handshaken() {
				v.link.Drop()
			}
			v.client.Tend()
			tick.Reset(reportInterval)
		case <-v.first:
			a.Do(func() { v.report(clock) })
			tick.Reset(secondReport)
		case <-sub.Done():
			v.drain(a)
			return nil
		case <-v.client.State().Closed():
			return causeOf(v.client)
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
	tracks := make([]*sfu.Track, len(v.senders))
	for i, out := range v.senders {
		tracks[i] = out.track
	}
	return tracks
}

// WritePackets implements sfu.PacketWriter.
func (v *Viewer) WritePackets(t *sfu.Track, batch []*media.Packet, lagged bool) {
	e, ok := v.leaving()
	if !ok {
		return
	}
	for _, out := range v.senders {
		if out.track == t {
			out.write(e, batch, lagged)
			return
		}
	}
}

// Local implements sfu.LocalWriter.
func (v *Viewer) Local() bool {
	to := v.client.Path()
	return to != nil && to.Address.Addr().Unmap().IsLoopback()
}

// leaving returns how packets leave at this moment. Runs on the shard's goroutine.
func (v *Viewer) leaving() (*egress, bool) {
	k, to := v.client.Keys(), v.client.Path()
	if k == nil || to == nil {
		return nil, false // neither goes away once it is there, and a viewer is attached after that
	}
	v.egress = egress{k.Sealer(), v.batch, to.Address}
	return &v.egress, true
}

// wallClock tells the wall-clock time of instants on a stream's clock.
type wallClock struct {
	started time.Time
	now     func() time.Duration
}

// report sends a sender report for each track that has begun. Runs on the
// shard's goroutine.
func (v *Viewer) report(c wallClock) {
	e, ok := v.leaving()
	if !ok {
		return
	}
	now := c.now()
	for _, out := range v.senders {
		sr := out.senderReport(now, c.started.Add(now))
		if sr == nil {
			continue
		}
		sealed, err := v.client.Keys().SealRTCP(nil, sr)
		if err != nil {
			continue // after 2^31 reports
		}
		e.batch.Commit(len(append(e.batch.Reserve(len(sealed)), sealed...)), e.to)
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
	for _, out := range v.senders {
		out.counters.addTo(&sum)
	}
	return sum
}

var (
	_ sfu.OutboxWriter = (*Viewer)(nil)
	_ sfu.LocalWriter  = (*Viewer)(nil)
)
