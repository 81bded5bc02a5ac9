package recorder

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"weir/recorder/place"
	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/sfu"
	"weir/sfu/codec"
)

// part is one file of a recording that is being written.
type part struct {
	// set once
	session  *session
	recorder *Recorder
	log      *slog.Logger
	place    []int         // of each input among the file's tracks
	private  [][]byte      // of each input: how the file describes it; nil: not at all
	zero     time.Duration // the file's time zero, on the stream's clock
	file     mediaFile
	syncer   *syncer

	// owned by the session's goroutine, then by the goroutine that finishes the part
	record  Recording
	writer  *webm.Writer
	formats []codec.Format
	fillers []*codec.OpusFiller // of each track; nil if its holes need none
	last    []time.Duration     // time of each track's last frame
	heard   []bool              // something came of the track, for this part or for one before
	largest []int               // of each track: pixels of the largest picture with layers
	updated time.Time
	noted   notedNews
	quality collector
	posters posterKeeper
}

// openPart makes a file and its sidecar. If it fails it leaves nothing behind.
func (r *Recorder) openPart(s *session, inputs []*input, zero time.Duration) (*part, error) {
	p := &part{session: s, recorder: r, log: s.log, place: make([]int, len(inputs)), private: make([][]byte, len(inputs)), zero: zero, quality: newCollector(inputs)}
	id := strings.ToLower(rand.Text()[:16])
	start := s.stream.StartedAt.Add(zero).UTC()
	p.record = Recording{
		ID: id, Stream: s.stream.Name, StreamID: s.stream.ID, State: Active,
		Source: s.source(), StartedAt: start, Gaps: []Gap{}, Metadata: s.meta, Part: s.parts + 1, Previous: s.last,
		base: place.Of(r.config.Path, s.stream.Name, start, id),
	}
	p.record.setTexts(s.texts())
	p.noted.texts, p.posters.since = p.record.texts(), start
	var tracks []ebml.TrackEntry
	for _, i := range pictureFirst(inputs) {
		in := inputs[i]
		p.place[i], p.private[i] = len(tracks), in.private
		tracks = append(tracks, ebml.TrackEntry{Codec: in.info.Codec, Name: in.info.ID, CodecPrivate: in.private, PrivateLater: in.describe != nil})
		format, _ := codec.For(in.info.Codec) // the hub has checked
		p.formats = append(p.formats, format)
		var filler *codec.OpusFiller
		if format.NewFiller != nil {
			filler = format.NewFiller()
		}
		p.fillers = append(p.fillers, filler)
		p.heard = append(p.heard, s.written[i] > math.MinInt64)
		p.record.Tracks = append(p.record.Tracks, Track{
			ID: in.info.ID, Kind: in.info.Kind().String(), Codec: in.info.Codec.String(),
		})
	}
	p.last, p.largest = make([]time.Duration, len(tracks)), make([]int, len(tracks))
	p.record.Container = ebml.Container(tracks)
	if err := p.create(tracks, start); err != nil {
		return nil, err
	}
	s.parts++
	r.catalogue.set(&p.record)
	r.link(s.last, id)
	r.tell(EventStarted, &p.record)
	p.log.Info("recording started", "recording", id, "part", p.record.Part)
	return p, nil
}

// pictureFirst returns the inputs' places in the order of the tracks of their file,
// which is the same for every transport: so the parts of a broadcast can be joined.
func pictureFirst(inputs []*input) []int {
	places := make([]int, len(inputs))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(inputs[b].info.Kind(), inputs[a].info.Kind()) })
	return places
}

// describe tells the file what an input's pictures are, if none had come when it was
// begun. A description for which the header has no room is left to another part.
func (p *part) describe(input int, private []byte) error {
	err := p.writer.SetPrivate(p.place[input], private)
	if errors.Is(err, webm.ErrFrame) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	p.private[input] = private
	return nil
}

// create makes the file, with its header, and the sidecar.
func (p *part) create(tracks []ebml.TrackEntry, start time.Time) error {
	r := p.recorder
	f, err := r.disk.Create(p.record.partName())
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	p.writer, err = webm.NewWriter(f, webm.Config{Date: start, Title: cmp.Or(p.record.Title, p.record.Stream), WritingApp: r.config.WritingApp}, tracks)
	if err == nil {
		err = r.writeSidecar(&p.record)
	}
	if err != nil {
		// A file without a frame is of no use.
		return fmt.Errorf("recorder: %w", errors.Join(err, f.Close(), r.disk.Remove(p.record.partName())))
	}
	p.file, p.syncer = f, startSyncer(f, r.config.SyncInterval)
	return nil
}

// appendFrame adds a frame of an input. cause is the reason of the gap before it, if that
// is not loss.
func (p *part) appendFrame(input int, frame captured, cause string) error {
	track := p.place[input]
	// A frame from before the first one, that came later, is at the start.
	at := max(0, frame.PTS-p.zero)
	t := &p.record.Tracks[track]
	if t.Frames == 0 {
		p.quality.begin(input, frame.Lost)
	}
	frame.gap = frame.gap && t.Frames > 0
	if frame.gap {
		p.record.addGap(Gap{Track: t.ID, AtMS: milliseconds(p.last[track]), DurationMS: milliseconds(at - p.last[track]), Reason: cause})
	}
	if frame.Sync && p.formats[track].FrameSize != nil {
		if err := p.picture(track, frame.Data, at); err != nil {
			return err
		}
	}
	if p.formats[track].LayerSize != nil {
		if err := p.layers(track, frame.Data, at); err != nil {
			return err
		}
	}
	if err := p.fillBefore(track, at, frame.Data); err != nil {
		return err
	}
	block := webm.Block{Time: at, Sync: frame.Sync, Data: frame.Data}
	if p.formats[track].FrameDuration != nil {
		block.Duration = p.formats[track].FrameDuration(frame.Data)
	}
	err := p.writer.WriteFrame(track, block)
	if errors.Is(err, webm.ErrFrame) { // too large for any file
		p.record.addGap(Gap{Track: t.ID, AtMS: milliseconds(at)})
		return nil
	}
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	p.quality.frame(input, at, frame.Sync, frame.gap, cause != "")
	p.last[track], p.heard[track] = at, true
	if p.formats[track].Channels != nil {
		t.Channels = max(t.Channels, p.formats[track].Channels(frame.Data))
	}
	t.Frames++
	t.Bytes += int64(len(frame.Data))
	return nil
}

// picture notes the picture size of a keyframe: the largest in the header, changes
// in the sidecar.
func (p *part) picture(track int, data []byte, at time.Duration) error {
	width, height, ok := p.formats[track].FrameSize(data)
	if !ok {
		return nil
	}
	t := &p.record.Tracks[track]
	if t.Width == 0 {
		t.Width, t.Height = width, height
		return sizeError(p.writer.SetSize(track, width, height))
	}
	if now := t.size(); (width != now.Width || height != now.Height) && len(t.Sizes) < maxSizes {
		t.Sizes = append(t.Sizes, Size{AtMS: milliseconds(at), Width: width, Height: height})
	}
	// Players take the header's size for the picture's: a publisher of several sizes
	// begins with a small one.
	return sizeError(p.writer.Enlarge(track, width, height))
}

// layers notes the size of a picture with spatial layers if it is the largest so
// far, in the header too: a player shows the largest layer, which a sender that does
// not know yet how much it may send leaves out at first.
func (p *part) layers(track int, data []byte, at time.Duration) error {
	width, height, ok := p.formats[track].LayerSize(data)
	t := &p.record.Tracks[track]
	if !ok || t.Width == 0 || width*height <= p.largest[track] {
		return nil
	}
	p.largest[track] = width * height
	if now := t.size(); width*height > now.Width*now.Height && len(t.Sizes) < maxSizes {
		t.Sizes = append(t.Sizes, Size{AtMS: milliseconds(at), Width: width, Height: height})
	}
	return sizeError(p.writer.Enlarge(track, width, height))
}

// sizeError returns an error of the file. That the header cannot tell a size is none.
func sizeError(err error) error {
	if err == nil || errors.Is(err, webm.ErrFrame) {
		return nil
	}
	return fmt.Errorf("recorder: %w", err)
}

// flush hands what was written to the kernel, and tells the catalogue now and
// then.
func (p *part) flush(now time.Time) error {
	if err := p.writer.Flush(); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if err := p.syncer.err(); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if now.Sub(p.updated) >= updateInterval {
		p.updated = now
		p.look()
		p.summarize()
		p.recorder.catalogue.set(&p.record)
		p.noteNews(now)
		p.quality.sample(p.session.now())
	}
	return nil
}

// notedNews is which gaps and texts are in the sidecar, and which picture is beside it.
type notedNews struct {
	gaps   int
	texts  sfu.Texts
	poster *posterFile
	at     time.Time
}

// noteNews has gaps, texts and pictures that are new put into files, where they outlive
// the program. The more there are the longer they wait, for all are written each time:
// 1,000 of them, some 80 KiB, each 10 s.
func (p *part) noteNews(now time.Time) {
	news := notedNews{len(p.record.Gaps) + p.record.MoreGaps, p.record.texts(), p.posters.kept, p.noted.at}
	if news == p.noted || now.Sub(p.noted.at) < time.Duration(len(p.record.Gaps))*gapNotePause {
		return
	}
	news.at = now
	p.noted = news
	record := p.record.clone()
	p.syncer.note(func() error {
		unkept := p.recorder.keepPoster(&record, news.poster) // first: the sidecar tells of it
		return errors.Join(unkept, p.recorder.writeSidecar(&record))
	})
}

// gapNotePause is how long gaps wait for each that there is already.
const gapNotePause = 10 * time.Millisecond

// size is how many bytes the file has.
func (p *part) size() int64 { return p.writer.Stats().Bytes }

// summarize takes over the writer's figures, and what is said of the stream by now.
func (p *part) summarize() {
	p.record.setTexts(p.session.texts())
	p.record.Source = p.session.source()
	p.posters.kept.tell(&p.record)
	s := p.writer.Stats()
	p.record.Bytes, p.record.DurationMS = s.Bytes, milliseconds(s.Duration)
	p.record.Frames, p.record.Keyframes = s.Blocks, s.Keyframes
	for i := range p.record.Tracks {
		t := &p.record.Tracks[i]
		t.Keyframes = s.Tracks[i].Keyframes
		if n := s.Tracks[i].Filler; n > 0 && !s.Tracks[i].Omitted {
			t.Filler = &Filler{Frames: n, DurationMS: milliseconds(s.Tracks[i].Filled)}
		}
	}
}

// publicReason is what clients are told of an error: what the system said, without
// the paths of this machine, which are in the log.
func publicReason(err error) string {
	if errors.Is(err, ErrNoSpace) {
		return strings.TrimPrefix(err.Error(), "recorder: ")
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "the recording could not be written: " + number.Error()
	}
	return "the recording could not be written"
}
