package peer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
)

const (
	// feedbackInterval is how often a publisher is told when its packets came, from
	// which it estimates how much it may send.
	feedbackInterval = 100 * time.Millisecond
	// maxAsking bounds the gaps that wait to be asked for.
	maxAsking = 64
)

// Publisher is a WebRTC client that sends: a Source of the hub.
type Publisher struct {
	*session
	writers map[media.Kind]*sfu.TrackWriter // of tracks that have not begun; owned by Run
	codecs  map[media.Kind]media.Codec      // set once
	remotes chan remoteTrack                // tracks whose first packet has come
	asking  chan asking                     // packets that were found missing
}

// remoteTrack is a track that the client sends.
type remoteTrack struct {
	track    *webrtc.TrackRemote
	receiver *webrtc.RTPReceiver
}

// NewPublisher answers a publisher's offer and adds its tracks to pub. The
// Publisher must be run by pub, or closed. Errors wrap ErrOffer or
// ErrUnsupported if the client is to blame.
func (p *Port) NewPublisher(ctx context.Context, rawOffer string, pub *sfu.Publication) (*Publisher, string, error) {
	o, err := parseOffer(rawOffer, clientSends)
	if err != nil {
		return nil, "", err
	}
	s, err := p.newSession(p.publishers, o.role)
	if err != nil {
		return nil, "", err
	}
	c := &Publisher{
		session: s, writers: map[media.Kind]*sfu.TrackWriter{}, codecs: map[media.Kind]media.Codec{},
		remotes: make(chan remoteTrack, maxMediaSections), asking: make(chan asking, maxAsking),
	}
	s.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		select {
		case c.remotes <- remoteTrack{t, r}:
		case <-s.gone:
		default: // more tracks than were negotiated
			s.end()
		}
	})
	answer, err := c.accept(ctx, o, pub)
	if err != nil {
		s.Close()
		return nil, "", err
	}
	return c, answer, nil
}

// accept adds the offered tracks to pub and answers.
func (c *Publisher) accept(ctx context.Context, o *offer, pub *sfu.Publication) (string, error) {
	answer, err := c.answer(ctx, o)
	if err != nil {
		return "", err
	}
	for _, m := range o.media {
		kind := m.codec.Kind()
		w, err := pub.AddTrack(media.TrackInfo{ID: kind.String(), Codec: m.codec, Format: m.format}, sfu.Packets)
		if err != nil {
			return "", fmt.Errorf("peer: %w", err)
		}
		c.writers[kind], c.codecs[kind] = w, m.codec
	}
	pub.Ready()
	return answer, nil
}

// Run implements sfu.Source. It returns an error that wraps ErrNotConnected,
// ErrLost or ErrClosed when the client went away, or the cause of ctx.
func (c *Publisher) Run(ctx context.Context, pub *sfu.Publication) error {
	var readers sync.WaitGroup
	defer readers.Wait() // after Close, which ends them
	defer c.Close()
	if err := c.await(ctx); err != nil {
		return err
	}
	requests := newKeyframeRequests()
	var inputs []*input
	defer func() { // before the readers end: another session may be about to take over the tracks
		for _, in := range inputs {
			in.stop()
		}
	}()
	tick := time.NewTicker(feedbackInterval)
	defer tick.Stop()
	again := newRepeats()
	defer again.Stop()
	reported := time.Now()
	for {
		var packets []rtcp.Packet
		select {
		case remote := <-c.remotes:
			in := c.claim(remote, pub)
			if in == nil {
				continue
			}
			inputs = append(inputs, in)
			requests.know(remote.track)
			readers.Go(in.readPackets)
			readers.Go(in.readReports)
		case id := <-pub.KeyframeRequests():
			requests.want(id)
		case lost := <-c.asking:
			packets = lost.of.requests(lost.packets)
			again.run(true)
		case <-again.C:
			missing := false
			for _, in := range inputs {
				packets = append(packets, in.requests(in.due())...)
				missing = missing || in.losses.waiting()
			}
			again.run(missing)
		case now := <-tick.C:
			packets = c.ingress.arrivals.feedback()
			if now.Sub(reported) >= reportInterval {
				reported = now
				packets = append(packets, reports(inputs)...)
			}
			for _, in := range inputs {
				in.repair()
			}
			c.tend()
		case <-c.gone:
			return c.why()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if packets = append(packets, requests.due()...); len(packets) > 0 {
			// An error means that the connection is about to be gone.
			_ = c.pc.WriteRTCP(packets)
		}
	}
}

// repeats ticks while something is missing.
type repeats struct {
	*time.Ticker
	running bool
}

func newRepeats() *repeats {
	r := &repeats{Ticker: time.NewTicker(nackTick)}
	r.Stop()
	return r
}

// run has it tick or not. One that ticks goes on as it does: where packets are lost all
// the time it would never come to a tick otherwise.
func (r *repeats) run(on bool) {
	if r.running == on {
		return
	}
	if r.running = on; on {
		r.Reset(nackTick)
	} else {
		r.Stop()
	}
}

// reports returns receiver reports (RFC 3550 section 6.4.2).
func reports(inputs []*input) []rtcp.Packet {
	var packets []rtcp.Packet
	for _, in := range inputs {
		if r, ok := in.report(); ok {
			packets = append(packets, &rtcp.ReceiverReport{SSRC: in.sender, Reports: []rtcp.ReceptionReport{r}})
		}
	}
	return packets
}

// claim returns the input for a track that the client has begun to send, or nil
// if it is none that was negotiated: a further simulcast layer, say.
func (c *Publisher) claim(remote remoteTrack, pub *sfu.Publication) *input {
	kind := media.Video
	if remote.track.Kind() == webrtc.RTPCodecTypeAudio {
		kind = media.Audio
	}
	w := c.writers[kind]
	if w == nil {
		return nil
	}
	delete(c.writers, kind)
	return newInput(remote, w, c.codecs[kind], c, pub)
}
