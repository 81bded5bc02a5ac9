package peer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
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
	// set once
	port       *Port
	client     *transport.Client
	connection *connection
	intake     *mediaIntake
	receivers  []*receiver
	kind       media.Kind  // of the first section that is taken
	mid        string      // its name
	asking     chan asking // of the client

	useless atomic.Bool // it has ended with ErrNoMedia, or is about to

	dropped bool // its connection is; owned by Run
}

// Failure returns ErrNoMedia if that is why the session ends, from before its client
// can see that it does; else nil.
func (c *Publisher) Failure() error {
	if c.useless.Load() {
		return ErrNoMedia
	}
	return nil
}

// NewPublisher answers a publisher's offer and adds its tracks to pub. The
// Publisher must be run by pub, or closed. Errors wrap ErrOffer or
// ErrUnsupported if the client is to blame.
func (p *Port) NewPublisher(_ context.Context, rawOffer string, pub *sfu.Publication) (*Publisher, string, error) {
	o, err := sdp.Parse(rawOffer, sdp.ClientSends)
	if err != nil {
		return nil, "", err
	}
	state, err := p.newState()
	if err != nil {
		return nil, "", err
	}
	c := &Publisher{
		port: p, client: transport.NewClient(p.demux, state, o, true), intake: &mediaIntake{},
		kind: o.Media[0].Codec.Kind(), mid: o.Media[0].MID, asking: make(chan asking, maxAsking),
	}
	c.intake.client = c.client
	if c.connection, err = p.newConnection(c.client); err != nil {
		state.Close()
		return nil, "", err
	}
	answer, err := c.accept(o, pub)
	if err != nil {
		_ = c.Close()
		return nil, "", err
	}
	return c, answer, nil
}

// accept adds the offered tracks to pub and answers.
func (c *Publisher) accept(o *sdp.Offer, pub *sfu.Publication) (string, error) {
	if err := c.connection.negotiate(o); err != nil {
		return "", err
	}
	local := sdp.NewCredentials()
	answer, err := c.port.answerer.Answer(o, local, nil)
	if err != nil {
		return "", err
	}
	sections, names := negotiated(o)
	infos := make([]media.TrackInfo, len(o.Media))
	for i, m := range o.Media {
		infos[i] = media.TrackInfo{ID: m.Codec.Kind().String(), Codec: m.Codec, Format: m.Format, Stereo: m.Stereo}
	}
	writers, err := pub.AddTracks(sfu.Packets, infos...)
	if err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	shared := &incoming{pub: pub, asking: c.asking}
	for i, m := range o.Media {
		in := newReceiver(sections[i], m.Codec, writers[i], shared)
		in.tellSets(m.ParameterSets)
		c.receivers = append(c.receivers, in)
	}
	c.intake.router.Store(&router{names: names, receivers: c.receivers})
	c.intake.arrivals.negotiated(o.Extensions().TransportCC)
	c.client.Enter(local, o.Credentials.Ufrag, c.intake)
	return answer, nil
}

// Run implements sfu.Source. It returns an error that wraps ErrNotConnected,
// ErrLost, ErrNoMedia or ErrClosed when the client went away or is of no use, or the
// cause of ctx.
func (c *Publisher) Run(ctx context.Context, pub *sfu.Publication) error {
	defer c.Close()
	if err := c.connection.connect(ctx, c.client, c.port.connectTimeout); err != nil {
		return err
	}
	requests := newKeyframeRequests(c.receivers)
	tick := time.NewTicker(feedbackInterval)
	defer tick.Stop()
	again := newRepeats()
	defer again.Stop()
	reported := time.Now()
	for {
		var packets []rtcp.Packet
		select {
		case id := <-pub.KeyframeRequests():
			packets = requests.of(id)
		case ask := <-c.asking:
			packets = ask.requests()
			again.run(again.running || !ask.keyframe)
		case <-again.C:
			missing := false
			for _, in := range c.receivers {
				due, waiting := in.due()
				packets = append(packets, due...)
				missing = missing || waiting
			}
			again.run(missing)
		case now := <-tick.C:
			packets = c.intake.arrivals.feedback()
			if now.Sub(reported) >= reportInterval {
				reported = now
				for _, in := range c.receivers {
					packets = append(packets, in.reports()...)
				}
			}
			for _, in := range c.receivers {
				in.tend()
			}
			if err := c.tend(); err != nil {
				return err
			}
			if c.intake.inVain() > c.port.mediaTimeout {
				c.useless.Store(true)
				return ErrNoMedia
			}
		case <-c.client.State().Closed():
			return causeOf(c.client)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c.client.Report(packets)
	}
}

// tend looks after the connection from time to time.
func (c *Publisher) tend() error {
	c.client.Tend()
	if !c.dropped && c.client.Handshaken() {
		c.dropped = true
		return c.connection.drop()
	}
	return nil
}

// Silent reports whether nothing has come from the client for some seconds, though it
// was connected.
func (c *Publisher) Silent() bool { return c.client.Silent() }

// Trickle takes in candidates of the client. An ICE-lite agent has no use for
// them: it only checks that they are meant for this session.
func (c *Publisher) Trickle(f Fragment) error { return f.CheckSession(c.client.Remote()) }

// Restart answers an ICE restart: the fragment brings the client's new
// credentials, the returned one the server's. If it fails, the session goes on
// as it was.
func (c *Publisher) Restart(_ context.Context, f Fragment) (Fragment, error) {
	return c.port.restart(c.client, f, c.kind, c.mid)
}

// Close lets go of the tracks, which another session may be about to take over, and
// ends the connection, telling the client. Closing twice is fine.
func (c *Publisher) Close() error {
	for _, in := range c.receivers {
		in.stop()
	}
	c.client.Close(nil)
	return c.connection.drop()
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
