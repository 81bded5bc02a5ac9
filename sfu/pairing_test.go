package sfu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/sfutest"
)

// clipSource is a Source that plays a clip at its pace, in one form.
type clipSource struct {
	form  Form
	clip  sfutest.Clip
	begin chan struct{} // it plays when this is closed
	start time.Duration // when it began, on the stream's clock; set before it ends
}

// Run implements Source.
func (c *clipSource) Run(ctx context.Context, p *Publication) error {
	sources := map[media.Codec]*source{}
	codecs := []media.Codec{media.VP8, media.Opus}
	writers, err := p.AddTracks(c.form, infos(codecs...)...)
	if err != nil {
		return err
	}
	var session rtp.SyncContext
	for i, w := range writers {
		sources[codecs[i]] = newSource(w, &session)
	}
	<-c.begin
	c.start = p.Now()
	for _, s := range c.clip.Samples() {
		s.Frame.PTS += c.start
		if err := sleep(ctx, s.Frame.PTS-p.Now()); err != nil {
			return err
		}
		sources[s.Codec].write(s.Frame)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// collection is what a sink got, one Collector for each track.
type collection map[media.Codec]*sfutest.Collector

func newCollection() collection {
	return collection{media.VP8: sfutest.NewCollector(media.VP8), media.Opus: sfutest.NewCollector(media.Opus)}
}

// WritePackets implements PacketWriter.
func (c collection) WritePackets(t *Track, batch []*media.Packet, lagged bool) {
	c[t.Info().Codec].AddPackets(batch, lagged)
}

// viewerSink is a WebRTC viewer: a shard serves it.
type viewerSink struct{ collection }

func (s viewerSink) Run(ctx context.Context, sub *Subscription) error {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return err
	}
	a, err := sub.Attach(s, tracks)
	if err != nil {
		return err
	}
	defer a.Close()
	<-sub.Done()
	all := make(chan struct{})
	if !a.Do(func() { close(all) }) {
		return errors.New("the shard takes nothing")
	}
	<-all
	return nil
}

// readerSink reads each track with a cursor of its own.
type readerSink struct {
	collection
	read func(ctx context.Context, t *Track, c *sfutest.Collector) error
}

func (s readerSink) Run(ctx context.Context, sub *Subscription) error {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(tracks))
	var readers sync.WaitGroup
	for i, t := range tracks {
		readers.Go(func() { errs[i] = s.read(ctx, t, s.collection[t.Info().Codec]) })
	}
	readers.Wait()
	return errors.Join(errs...)
}

// readAll hands what c yields to add, up to the end.
func readAll[T media.Packet | media.Frame](ctx context.Context, c *Cursor[T], add func([]*T, bool)) error {
	defer c.Close()
	batch := make([]*T, 8)
	for {
		n, lagged, err := c.Next(ctx, batch)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		add(batch[:n], lagged)
	}
}

// testSink is a sink that tells what it got.
type testSink interface {
	Sink
	collected() collection
}

func (c collection) collected() collection { return c }

// pairingSinks are the columns of the table.
var pairingSinks = map[string]func() testSink{
	"viewer": func() testSink { return viewerSink{newCollection()} },
	"frames": func() testSink {
		return readerSink{newCollection(), func(ctx context.Context, t *Track, c *sfutest.Collector) error {
			return readAll(ctx, t.Frames(), c.AddFrames)
		}}
	},
	"recorder": func() testSink {
		return readerSink{newCollection(), func(ctx context.Context, t *Track, c *sfutest.Collector) error {
			return readAll(ctx, t.AllFrames(), c.AddFrames)
		}}
	},
	"relay": func() testSink {
		return readerSink{newCollection(), func(ctx context.Context, t *Track, c *sfutest.Collector) error {
			return readAll(ctx, t.Packets(), c.AddPackets)
		}}
	},
}

// TestPairings is the table of the design: whatever form a source writes, every
// sink gets every frame byte for byte, in order, at its time, alone and next to
// all others.
func TestPairings(t *testing.T) {
	all := []string{"viewer", "frames", "recorder", "relay"}
	rows := [][]string{all}
	for _, sink := range all {
		rows = append(rows, []string{sink})
	}
	for _, form := range []Form{Packets, Frames} {
		for _, row := range rows {
			t.Run(fmt.Sprintf("%s/%s", formName(form), row), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testPairing(t, form, row) })
			})
		}
	}
}

func formName(f Form) string { return map[Form]string{Packets: "packets", Frames: "frames"}[f] }

// testPairing plays a clip to three sinks of each of the given names.
func testPairing(t *testing.T, form Form, names []string) {
	const each = 3
	clip := sfutest.Clip{Length: 5 * time.Second, KeyEvery: 40, Size: 4000}
	sinks := map[string]testSink{}
	var standing []func(StreamInfo) Sink
	for _, name := range names {
		for i := range each {
			sink := pairingSinks[name]()
			sinks[fmt.Sprint(name, i)] = sink
			if name == "recorder" {
				standing = append(standing, func(StreamInfo) Sink { return sink })
			}
		}
	}
	h := newHub(t, Config{ShardViewers: 2, Standing: standing})
	p, err := h.Publish("pair", PublishOptions{Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	src := &clipSource{form: form, clip: clip, begin: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(t.Context(), src); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait() // the tracks are known
	for name, sink := range sinks {
		if name[:len(name)-1] == "recorder" {
			continue // it stands
		}
		sub, err := h.Subscribe("pair")
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			defer sub.Close()
			if err := sink.Run(t.Context(), sub); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	synctest.Wait() // all have opened their cursors
	close(src.begin)
	running.Wait()
	for name, sink := range sinks {
		for of, c := range sink.collected() {
			checkComplete(t, name, c, clip, of, src.start)
		}
	}
}

// checkComplete checks that all of the clip came, at the times at which it was
// played.
func checkComplete(t *testing.T, name string, c *sfutest.Collector, clip sfutest.Clip, of media.Codec, start time.Duration) {
	t.Helper()
	if err := c.Complete(0, clip.Count(of)-1); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if c.Lagged() != 0 {
		t.Errorf("%s: lagged %d times", name, c.Lagged())
	}
	for _, g := range c.Got() {
		want := clip.Audio(g.N).Frame
		if of == media.VP8 {
			want = clip.Video(g.N).Frame
		}
		// A tick of RTP time is 21 µs at most, and each way rounds.
		if off := g.PTS - start - want.PTS; off.Abs() > 100*time.Microsecond {
			t.Errorf("%s: %v frame %d is %v off its time", name, of, g.N, off)
			return
		}
		if g.Sync != want.Sync || g.Gap {
			t.Errorf("%s: %v frame %d has sync %v, gap %v", name, of, g.N, g.Sync, g.Gap)
			return
		}
	}
}
